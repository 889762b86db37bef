"""Puts the pattern into the luma of a frame: more where texture hides it, less where the eye would see it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .carrier import SCALE, carrier, render
from .key import Key
from .payload import Statement, encode

BLOCK = 8  # pixels; amplitude is decided for squares of this size

MIN_PSNR_DB = 42.2
"""Of RGB pixels, at least; a little above the 42 that is promised, for what rounding adds."""

LUMA_TO_RGB = 255 / 219
"""A step of limited-range luma in steps of R, G and B (ITU-R BT.601, BT.709)."""

FLAT, SLOPE, LARGEST = 1.1, 0.3, 3.0
"""Amplitude in luma steps: on a flat square, for each step of texture, and at most."""

_FIXED = 16  # fractions of amplitude, so that sums are whole numbers
_SHIFT = (SCALE * _FIXED).bit_length() - 1

# Limited-range luma of full-range RGB (ITU-R BT.709), in 1/65536.
_LUMA_OF_RGB = np.array([11966, 40254, 4064], dtype=np.int32)


class FrameMarker:
    """Marks frames of one size.

    Args:
        payload: the 32 bits.
        key: whose mark it is.
        width, height: of every frame, in pixels.
        statement: what the mark says of the clip.
        strength: multiplies the amplitude before the bound of MIN_PSNR_DB is applied.
    """

    def __init__(
        self,
        payload: int,
        key: Key,
        width: int,
        height: int,
        *,
        statement: Statement = Statement.MARKED,
        strength: float = 1.0,
    ) -> None:
        self._shape = (height, width)
        pattern = render(carrier(key).chips(encode(payload, key, statement)), width, height)
        self._power = float(np.mean(np.square(pattern, dtype=np.float64)))
        whole = ((0, -height % BLOCK), (0, -width % BLOCK))
        self._pattern = np.pad(pattern, whole).astype(np.int16)
        self._strength = strength

    def mark(self, luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The marked luma plane, `(H, W) uint8`.

        Args:
            luma: `(H, W) uint8`.
        """
        return np.asarray(np.clip(luma + self.change(luma), 0, 255).astype(np.uint8))

    def change(self, luma: NDArray[np.uint8]) -> NDArray[np.int16]:
        """What to add to a luma plane, `(H, W) int16`, in whole steps.

        Raises:
            ValueError: the plane is of another size than this was made for.
        """
        if luma.shape != self._shape:
            raise ValueError(f"made for frames of {self._shape}, got one of {luma.shape}")
        amplitude = self._bounded(amplitudes(luma))
        height, width = luma.shape
        # Square by square in the array's own layout: nothing as large as the frame is made but the result.
        rows, columns = amplitude.shape
        change = self._pattern.reshape(rows, BLOCK, columns, BLOCK) * amplitude[:, None, :, None]
        change += SCALE * _FIXED // 2
        change >>= _SHIFT
        return change.reshape(rows * BLOCK, columns * BLOCK)[:height, :width].astype(np.int16)

    def mark_rgb(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The marked picture, `(H, W, 3) uint8, RGB` in full range: the same step for all three colours."""
        luma = (rgb.astype(np.int32) @ _LUMA_OF_RGB + (1 << 15) >> 16) + 16
        step = self.change(luma.astype(np.uint8)).astype(np.int32) * 255
        marked = rgb + np.rint(step / 219).astype(np.int16)[..., None]
        return np.asarray(np.clip(marked, 0, 255).astype(np.uint8))

    def _bounded(self, amplitude: NDArray[np.float32]) -> NDArray[np.int16]:
        """Amplitudes in 1/_FIXED, scaled down where the frame as a whole would change too much."""
        amplitude = amplitude * np.float32(self._strength)
        power = float(np.mean(np.square(amplitude))) * self._power / SCALE**2 + 1 / 12
        allowed = 255**2 / 10 ** (MIN_PSNR_DB / 10) / LUMA_TO_RGB**2
        if power > allowed:
            amplitude = amplitude * np.float32(math.sqrt(max(allowed - 1 / 12, 0) / (power - 1 / 12)))
        return np.rint(amplitude * _FIXED).astype(np.int16)


def amplitudes(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each square of BLOCK pixels may be changed, in luma steps, `(rows, columns)`.

    A square counts as textured only where its neighbours are too: the flat side of an edge hides nothing.
    """
    height, width = luma.shape
    rows, columns = -(-height // BLOCK), -(-width // BLOCK)
    full = np.pad(luma, ((0, rows * BLOCK - height), (0, columns * BLOCK - width)), mode="edge")
    squares = full.reshape(rows, BLOCK, columns, BLOCK).astype(np.float32)
    mean = squares.mean(axis=(1, 3))
    texture = np.sqrt(np.maximum((squares * squares).mean(axis=(1, 3)) - mean * mean, 0))
    least = _of_neighbours(texture, np.minimum)
    return np.asarray(np.clip(FLAT + SLOPE * least, FLAT, LARGEST))


def _of_neighbours(values: NDArray[np.float32], choose: np.ufunc) -> NDArray[np.float32]:
    """The chosen one of each value and its eight neighbours."""
    padded = np.pad(values, 1, mode="edge")
    rows = choose(choose(padded[:-2], padded[1:-1]), padded[2:])
    return np.asarray(choose(choose(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:]))
