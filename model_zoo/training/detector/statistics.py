"""What is measured in a patch before anything is learned: 500 numbers about its finest detail.

A module without weights, of operators that ONNX has, so that it travels inside the model file and a scan
needs no second implementation. Each group of numbers says what it looks for; sources are named.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SIDE = 128
BLOCK = 16
_EPS = 1e-3  # of squared code values: well below the step of 8-bit quantisation (1/12)
_RADII = 10
_ANGLES = 3
_REACH = 3  # pixels of the motion search, each way
_LAGS = 6


def _dct(size: int) -> Tensor:
    """The orthonormal DCT-II matrix, `(size, size)`, a frequency in each row."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    matrix = torch.cos(math.pi / size * (columns + 0.5) * rows) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def _bands(size: int) -> Tensor:
    """`(bands, size * size)`: which coefficients each band averages; by radius and direction, without DC."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    radius = torch.sqrt((rows**2 + columns**2).float()) / (size - 1)
    angle = torch.atan2(rows.float(), columns.float()) / (math.pi / 2)
    edges = torch.linspace(0.02, 1.15, _RADII + 1)
    found = []
    for low, high in itertools.pairwise(edges.tolist()):
        ring = (radius >= low) & (radius < high)
        for part in range(_ANGLES):
            members = ring & (angle * _ANGLES >= part) & (angle * _ANGLES < part + 1 + (part == _ANGLES - 1))
            if members.any():
                found.append(members.float().flatten() / members.sum())
    return torch.stack(found)


def _log(values: Tensor) -> Tensor:
    return torch.log(values + _EPS)


def _tail(square: Tensor, first: Tensor) -> Tensor:
    return torch.log((square + _EPS) / (first**2 + _EPS))


def _spread(values: Tensor, axis: int) -> Tensor:
    mean = values.mean(axis, keepdim=True)
    return torch.sqrt(((values - mean) ** 2).mean(axis) + 1e-6)


def _correlations(variables: Tensor) -> Tensor:
    """`(N, V, P)` to `(N, V (V - 1) / 2)`: Pearson's, over P."""
    centred = variables - variables.mean(2, keepdim=True)
    scaled = centred / torch.sqrt((centred**2).mean(2, keepdim=True) + 1e-4)
    matrix = scaled @ scaled.transpose(1, 2) / variables.shape[2]
    count = variables.shape[1]
    upper = [row * count + column for row in range(count) for column in range(row + 1, count)]
    flat: Tensor = matrix.flatten(1)[:, torch.tensor(upper)]
    return flat


def _without_mean(maps: Tensor, width: int) -> Tensor:
    """What a square of `width` pixels around each pixel does not explain: half a band-pass."""
    mean: Tensor = nn.functional.avg_pool2d(maps, width, 1, width // 2, count_include_pad=False)
    return maps - mean


class Statistics(nn.Module):
    """`(N, 3, 192, 128)`, as CONTRACT.md lays patches out, to `(N, F)`; `names` says what each is."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("dct", _dct(BLOCK))
        self.register_buffer("bands", _bands(BLOCK))
        kernels = [
            [[0, 0, 0], [-1, 1, 0], [0, 0, 0]],
            [[0, -1, 0], [0, 1, 0], [0, 0, 0]],
            [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
            [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
            [[1, -1, 0], [-1, 1, 0], [0, 0, 0]],  # Haar's diagonal band
            [[-1, 2, -1], [2, -4, 2], [-1, 2, -1]],  # the 3x3 of the spatial rich model
        ]
        norms = [sum(abs(v) for row in k for v in row) / 2 for k in kernels]
        weight = torch.tensor(kernels, dtype=torch.float32) / torch.tensor(norms)[:, None, None]
        self.register_buffer("residuals", weight[:, None])
        shifts = [(y, x) for y in range(-_REACH, _REACH + 1) for x in range(-_REACH, _REACH + 1)]
        self.shifts: Sequence[tuple[int, int]] = shifts
        self.register_buffer("shift_table", torch.tensor(shifts, dtype=torch.float32))
        self.names: list[str] = []

    def forward(self, frames: Tensor) -> Tensor:
        """Measure; see the class."""
        luma = frames[:, :, :SIDE]
        chroma = torch.cat([frames[:, :, SIDE:, : SIDE // 2], frames[:, :, SIDE:, SIDE // 2 :]], 1)
        steps = luma[:, 1:] - luma[:, :-1]
        bend = (steps[:, 1:] - steps[:, :-1]) / 2
        blue, red = chroma[:, :3], chroma[:, 3:]
        found: list[tuple[str, Tensor]] = []
        spectra = {}
        for name, maps in (
            ("luma", luma),
            ("step", steps),
            ("bend", bend),
            ("blue", blue),
            ("red", red),
            ("blue_step", blue[:, 1:] - blue[:, :-1]),
            ("red_step", red[:, 1:] - red[:, :-1]),
        ):
            spectra[name] = self._spectrum(maps)
            if name != "bend":  # alone it told nothing that the step did not; blocks use it
                found.append((f"spectrum.{name}", spectra[name].mean(1)))
        found.append(("blocks", self._between_blocks(luma, spectra)))
        fine = self._residual(luma[:, :2])
        # One frame of each kind: scans pay for all of them, and patches of other runs say the same.
        for name, residual in (
            ("luma", fine[:, 1:2]),
            ("step", fine[:, 1:2] - fine[:, :1]),
        ):
            found += [
                (f"moments.{name}", self._moments(residual)),
                (f"lags.{name}", self._lags(residual[:, :, 5])),
            ]
        found += [
            ("motion", self._motion(luma)),
            ("planes", self._across_planes(luma, chroma)),
            ("chroma", self._chroma(chroma)),
        ]
        self.names = [f"{name}.{index}" for name, part in found for index in range(part.shape[1])]
        return torch.cat([part for _, part in found], 1)

    def _spectrum(self, maps: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, blocks, bands)`: log energy by band of 16x16 DCT blocks, mean over C."""
        side = maps.shape[2] // BLOCK
        blocks = maps.unflatten(2, (side, BLOCK)).unflatten(4, (side, BLOCK)).transpose(3, 4)
        coefficients = self.dct @ blocks @ self.dct.transpose(0, 1)
        energy = (coefficients**2).mean(1).flatten(1, 2).flatten(2)
        return _log(energy @ self.bands.transpose(0, 1))

    def _between_blocks(self, luma: Tensor, spectra: dict[str, Tensor]) -> Tensor:
        """How the strength of detail goes with brightness, motion and structure from block to block.

        A sensor's noise grows with brightness (the photon transfer curve, Janesick 2007) and is there whether
        something moves or not; a generator's detail follows its structure.
        """
        count = spectra["luma"].shape[2]
        level = luma.mean(1).unflatten(1, (-1, BLOCK)).unflatten(3, (-1, BLOCK)).mean((2, 4)).flatten(1)
        variables = [level / 50, -((level / 50 - 2.5) ** 2)]
        for name in ("luma", "step", "bend"):
            for low, high in ((0, count // 4), (count // 4, count // 2), (count // 2, count)):
                variables.append(spectra[name][:, :, low:high].mean(2))
        return _correlations(torch.stack(variables, 1))

    def _residual(self, maps: Tensor) -> Tensor:
        """`(N, C, H, W)` to `(N, C, 6, H - 2, W - 2)`."""
        flat = maps.flatten(0, 1)[:, None]
        return nn.functional.conv2d(flat, self.residuals).unflatten(0, (-1, maps.shape[1]))

    def _moments(self, residual: Tensor) -> Tensor:
        """Scale and tails of each residual: what a generator smooths is heavy-tailed, noise is not."""
        size, square = residual.abs(), residual**2
        first, second = size.mean((1, 3, 4)), square.mean((1, 3, 4))
        fourth = (square**2).mean((1, 3, 4))
        small = (size < 0.5).float().mean((1, 3, 4))
        return torch.cat(
            [
                _log(first),
                torch.log((second + _EPS) / (first**2 + _EPS)),
                torch.log((fourth + _EPS) / (second**2 + _EPS)),
                small,
            ],
            1,
        )

    def _lags(self, residual: Tensor) -> Tensor:
        """Autocorrelation of a residual `(N, C, H, W)`, across, down and along both diagonals."""
        power = (residual**2).mean((1, 2, 3)) + _EPS
        found = []
        for lag in range(1, _LAGS + 1):
            across = (residual[..., lag:] * residual[..., :-lag]).mean((1, 2, 3))
            down = (residual[..., lag:, :] * residual[..., :-lag, :]).mean((1, 2, 3))
            falling = (residual[..., lag:, lag:] * residual[..., :-lag, :-lag]).mean((1, 2, 3))
            rising = (residual[..., lag:, :-lag] * residual[..., :-lag, lag:]).mean((1, 2, 3))
            found += [across / power, down / power, (falling + rising) / (2 * power)]
        return torch.stack(found, 1)

    def _motion(self, luma: Tensor) -> Tensor:
        """What is left after the best shift of each 16x16 block, and how even and steady the shifts are."""
        inner = slice(_REACH + 5, SIDE - _REACH - 5)  # 112 pixels: 7 blocks
        moved, left, still = [], [], []
        for index in (1, 2):
            now = luma[:, index, inner, inner]
            errors = []
            for y, x in self.shifts:
                start_y, start_x = inner.start + y, inner.start + x
                before = luma[:, index - 1, start_y : start_y + 112, start_x : start_x + 112]
                errors.append(nn.functional.avg_pool2d((now - before).abs()[:, None], BLOCK)[:, 0])
            stack = torch.stack(errors, 1).flatten(2)
            best, place = (-stack).max(1)
            left.append(torch.log(-best + 0.1))
            still.append(torch.log(stack[:, len(self.shifts) // 2] + 0.1))
            moved.append(self.shift_table[place])
        now = luma[:, 1, inner, inner]
        edge = nn.functional.avg_pool2d(
            (now[:, :, 1:] - now[:, :, :-1]).abs()[:, None], BLOCK, ceil_mode=True
        )
        edge = torch.log(edge[:, 0].flatten(1) + 0.1)
        first, second = moved
        shift = (first.abs().sum(2) + second.abs().sum(2)) / 2
        turn = (second - first).abs().sum(2)
        grid = first.unflatten(1, (7, 7))
        uneven = (grid[:, 1:] - grid[:, :-1]).abs().mean((1, 2, 3)) + (
            grid[:, :, 1:] - grid[:, :, :-1]
        ).abs().mean((1, 2, 3))
        mean_left, mean_still = (left[0] + left[1]) / 2, (still[0] + still[1]) / 2
        numbers = torch.stack(
            [
                mean_left.mean(1),
                (mean_still - mean_left).mean(1),
                (mean_left - edge).mean(1),
                _spread(mean_left - edge, 1),
                (left[1] - left[0]).abs().mean(1),
                shift.mean(1),
                _spread(shift, 1),
                turn.mean(1),
                uneven,
                (shift == 0).float().mean(1),
            ],
            1,
        )
        related = _correlations(torch.stack([mean_left, mean_still, edge, shift, turn], 1))
        return torch.cat([numbers, related], 1)

    def _across_planes(self, luma: Tensor, chroma: Tensor) -> Tensor:
        """Whether luma and chroma share their detail, as a sensor behind a colour filter array makes them.

        Alone, chroma was found to tell more than luma after strong compression (README.md).
        """
        small = nn.functional.avg_pool2d(luma, 2)
        planes = [small, chroma[:, :3], chroma[:, 3:]]
        found = []
        for width in (3, 5, 9):
            middle = [_without_mean(plane, width) for plane in planes]
            flat = [part.flatten(1) for part in middle]
            power = [(part**2).mean((1, 2, 3)) for part in middle]
            size = [part.abs() for part in middle]
            first = [part.mean((1, 2, 3)) for part in size]
            # Where chroma is strong beside luma: by blocks, so that few edges do not decide it.
            block = [torch.log(nn.functional.avg_pool2d(part, 8).flatten(1) + 0.05) for part in size]
            ratio = [block[1] - block[0], block[2] - block[0], block[2] - block[1]]
            found += [
                _correlations(torch.stack(flat, 1)),
                _correlations(torch.stack([part.flatten(1) for part in size], 1)),
                _correlations(torch.stack(block, 1)),
                torch.stack([_log(part) for part in power], 1),
                torch.stack(
                    [torch.log((p + _EPS) / (f**2 + _EPS)) for p, f in zip(power, first, strict=True)], 1
                ),
                torch.stack([part.mean(1) for part in ratio] + [_spread(part, 1) for part in ratio], 1),
                torch.stack([_spread(part, 1) for part in block], 1),
            ]
        return torch.cat(found, 1)

    def _chroma(self, chroma: Tensor) -> Tensor:
        """The finest detail of Cb and Cr: tails, neighbours, and what of it stays in the next frame."""
        found = []
        for plane in (chroma[:, :3], chroma[:, 3:]):
            fine = self._residual(plane)
            rough = fine[:, :, 5]
            power = (rough**2).mean((2, 3)) + _EPS
            kept = (rough[:, 1:] * rough[:, :-1]).mean((2, 3)) / torch.sqrt(power[:, 1:] * power[:, :-1])
            steps = (plane[:, 1:] - plane[:, :-1]).abs()
            found += [
                self._moments(fine),
                self._lags(rough),
                kept.mean(1, keepdim=True),
                (steps < 0.5).float().mean((1, 2, 3))[:, None],
                _log(steps.mean((1, 2, 3)))[:, None],
                _log(_spread(plane.flatten(2), 2).mean(1, keepdim=True)),
            ]
        return torch.cat(found, 1)
