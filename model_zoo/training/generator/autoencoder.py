"""The video autoencoder: blocks of 4 frames by 8 by 8 pixels to 24 numbers, and back.

The encoder is the best linear one there is: the principal components of such blocks, of rendered and of real
footage alike (`fit_encoder.py`). It needs no training, costs one multiplication, and every block depends on
nothing but itself, so that a clip of any length is encoded group by group, causally and without a memory. The
first frame stands for a whole group of its own (given four times), so one picture is a video too.

Decoders look at neighbouring blocks as well, and are trained. There are four of the same latents, which
enlarge in four ways, since a detector that has seen one decoder has learned one decoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUP = 4
"""Frames a latent stands for."""
SCALE = 8
"""Pixels a latent stands for, each way."""
LATENT = 24
"""Numbers of a latent."""
BLOCK = 3 * GROUP * SCALE * SCALE
"""Numbers that a latent stands for."""
WIDE, NEAR, THIN = 96, 48, 24
"""Channels of decoders at an eighth of the size, at a quarter, and nearer."""


class Residual(nn.Module):
    """Two convolutions beside a straight way."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` to the same."""
        y: Tensor = self.second(torch.relu(self.first(torch.relu(x))))
        return x + y


class Encoder(nn.Module):
    """Frames to latents: one convolution whose steps are as wide as itself."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = nn.Conv2d(3 * GROUP, LATENT, SCALE, stride=SCALE)

    def forward(self, frames: Tensor) -> Tensor:
        """`(N, 12, H, W)`, four frames from -1 to 1 behind one another, to `(N, LATENT, H/8, W/8)`."""
        latents: Tensor = self.transform(frames)
        return latents


def haar(bands: Tensor) -> Tensor:
    """The inverse of a step of Haar's wavelet: bands in order, `(N, 4C, H, W)`, to `(N, C, 2H, 2W)`."""
    low, across, down, both = (band / 2 for band in bands.chunk(4, 1))
    corners = [low + across + down + both, low - across + down - both, low + across - down - both]
    corners.append(low - across - down + both)
    return functional.pixel_shuffle(torch.stack(corners, 2).flatten(1, 2), 2)


class Haar(nn.Module):
    """Bands to pixels, `steps` times."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """`(N, 4^steps C, H, W)` to `(N, C, 2^steps H, 2^steps W)`."""
        for _ in range(self.steps):
            x = haar(x)
        return x


WAYS = ("shuffle", "nearest", "transposed", "wavelet")
"""How a decoder enlarges: each leaves other traces in what it makes."""


def ending(way: str) -> nn.Module:
    """Features of an eighth of the size to four frames: `(N, WIDE, h, w)` to `(N, 12, 8h, 8w)`."""
    if way == "nearest":
        return nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(WIDE, NEAR, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(NEAR, THIN, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(THIN, 3 * GROUP, 3, padding=1),
        )
    if way == "transposed":
        return nn.Sequential(
            nn.ConvTranspose2d(WIDE, NEAR, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(NEAR, THIN, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(THIN, 3 * GROUP, 4, stride=2, padding=1),
        )
    last = nn.PixelShuffle(SCALE) if way == "shuffle" else Haar(3)
    return nn.Sequential(nn.Conv2d(WIDE, BLOCK, 1), last)


class Decoder(nn.Module):
    """Latents to frames.

    Args:
        way: how it enlarges, of `WAYS`. "shuffle" and "wavelet" begin as the inverse of the encoder.
    """

    def __init__(self, way: str = "shuffle") -> None:
        super().__init__()
        self.way = way
        self.inverse = nn.Conv2d(LATENT, BLOCK, 1) if way in ("shuffle", "wavelet") else None
        self.enter = nn.Conv2d(LATENT, WIDE, 3, padding=1)
        self.far = nn.Sequential(Residual(WIDE), Residual(WIDE), Residual(WIDE))
        self.leave = ending(way)

    def begin(self, encoder: Encoder) -> None:
        """Start as the encoder's inverse, where this decoder has one: its rows are orthonormal."""
        if self.inverse is None:
            return
        with torch.no_grad():
            rows = encoder.transform.weight.flatten(1)  # (LATENT, BLOCK), channels before places
            bias = encoder.transform.bias
            assert bias is not None  # noqa: S101 - for type checkers
            both = torch.cat([rows, -(bias @ rows)[None]])  # the last: the block whose latents are zeros
            if self.way == "wavelet":  # as bands, of which pixels are an orthonormal sum
                both = both @ Haar(3)(torch.eye(BLOCK)[..., None, None]).flatten(1).T
            self.inverse.weight.copy_(both[:-1].T[:, :, None, None])
            self.inverse.bias.copy_(both[-1])  # type: ignore[union-attr]
            last = self.leave[0]
            last.weight.zero_()  # type: ignore[operator, union-attr]
            last.bias.zero_()  # type: ignore[operator, union-attr]

    def forward(self, latents: Tensor) -> Tensor:
        """`(N, LATENT, h, w)` to `(N, 12, 8h, 8w)`, about -1 to 1."""
        features = torch.relu(self.far(self.enter(latents)))
        made: Tensor = self.leave(features)
        if self.inverse is not None:
            made = made + self.leave[1](self.inverse(latents))  # type: ignore[operator, index]
        return made
