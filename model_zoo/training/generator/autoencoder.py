"""The video autoencoder: 8 times smaller each way, 4 times in time, 16 channels; causal.

Frames come in groups of four; the first frame stands for a whole group of its own (given four times), so one
picture is a video too. Within a group time is mixed through channels; from group to group a block sees what
it saw one group before, and nothing else. So a clip of any length is encoded and decoded group by group with
a memory of fixed size, and the result is the same as for the whole clip at once.

Only convolutions, rearrangements and ReLU: the network's reach is bounded, and it quantizes. There are four
decoders of the same latents that enlarge in four ways, since a detector that has seen one decoder has learned
one decoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUP = 4
"""Frames a latent stands for."""
SCALE = 8
"""Pixels a latent stands for, each way."""
LATENT = 16
NEAR, FAR, DEEP = 64, 128, 160
"""Channels at a quarter of the size, at an eighth, and where four frames are one."""


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


class Memory(nn.Module):
    """A residual block that also sees its own input of one group before."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """Both `(N, C, H, W)`."""
        y: Tensor = self.second(torch.relu(self.first(torch.relu(torch.cat([x, before], 1)))))
        return x + y


def run(block: Memory, x: Tensor, groups: int) -> Tensor:
    """A memory block over whole clips at once: `(B * groups, C, H, W)`, groups in order; silence before."""
    apart = x.unflatten(0, (-1, groups))
    before = torch.cat([torch.zeros_like(apart[:, :1]), apart[:, :-1]], 1).flatten(0, 1)
    out: Tensor = block(x, before)
    return out


class Encoder(nn.Module):
    """Frames to latents."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(nn.PixelUnshuffle(4), nn.Conv2d(48, NEAR, 3, padding=1))
        self.near = nn.Sequential(Residual(NEAR), Residual(NEAR))
        self.shrink = nn.Conv2d(NEAR, FAR, 3, stride=2, padding=1)
        self.join = nn.Conv2d(GROUP * FAR, DEEP, 1)
        self.memories = nn.ModuleList([Memory(DEEP), Memory(DEEP)])
        self.leave = nn.Conv2d(DEEP, LATENT, 3, padding=1)

    def group(self, frames: Tensor) -> Tensor:
        """`(N, 12, H, W)`, four frames' channels behind one another, to features `(N, DEEP, H/8, W/8)`."""
        apart = frames.unflatten(1, (GROUP, 3)).flatten(0, 1)
        small = self.shrink(torch.relu(self.near(self.enter(apart))))
        joined: Tensor = self.join(torch.relu(small.unflatten(0, (-1, GROUP)).flatten(1, 2)))
        return joined

    def forward(self, frames: Tensor, groups: int) -> Tensor:
        """`(B * groups, 12, H, W)` from -1 to 1 to latents `(B * groups, LATENT, H/8, W/8)`."""
        x = self.group(frames)
        for block in self.memories:
            x = run(block, x, groups)  # type: ignore[arg-type]
        latents: Tensor = self.leave(torch.relu(x))
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
THIN = 32


def growth(way: str) -> nn.Module:
    """Enlarges features twice: `(N, FAR, h, w)` to `(N, NEAR, 2h, 2w)`."""
    if way == "nearest":
        return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(FAR, NEAR, 3, padding=1))
    if way == "transposed":
        return nn.ConvTranspose2d(FAR, NEAR, 4, stride=2, padding=1)
    last = nn.PixelShuffle(2) if way == "shuffle" else Haar(1)
    return nn.Sequential(nn.Conv2d(FAR, 4 * NEAR, 3, padding=1), last)


def ending(way: str) -> nn.Module:
    """Features to pixels: `(N, NEAR, h, w)` to `(N, 3, 4h, 4w)`."""
    if way == "nearest":
        return nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(NEAR, THIN, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(THIN, 3, 3, padding=1),
        )
    if way == "transposed":
        return nn.Sequential(
            nn.ConvTranspose2d(NEAR, THIN, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(THIN, 3, 4, stride=2, padding=1),
        )
    last = nn.PixelShuffle(4) if way == "shuffle" else Haar(2)
    return nn.Sequential(nn.Conv2d(NEAR, 48, 3, padding=1), last)


class Decoder(nn.Module):
    """Latents to frames.

    Args:
        way: how it enlarges, of `WAYS`.
    """

    def __init__(self, way: str = "shuffle") -> None:
        super().__init__()
        self.enter = nn.Conv2d(LATENT, DEEP, 3, padding=1)
        self.memories = nn.ModuleList([Memory(DEEP), Memory(DEEP)])
        self.part = nn.Conv2d(DEEP, GROUP * FAR, 1)
        self.far = Residual(FAR)
        self.grow = growth(way)
        self.near = nn.Sequential(Residual(NEAR), Residual(NEAR), Residual(NEAR))
        self.leave = ending(way)

    def ungroup(self, x: Tensor) -> Tensor:
        """Features `(N, DEEP, h, w)` to four frames' channels behind one another, `(N, 12, 8h, 8w)`."""
        apart = self.part(torch.relu(x)).unflatten(1, (GROUP, FAR)).flatten(0, 1)
        frames = self.leave(torch.relu(self.near(self.grow(torch.relu(self.far(apart))))))
        together: Tensor = frames.unflatten(0, (-1, GROUP)).flatten(1, 2)
        return together

    def forward(self, latents: Tensor, groups: int) -> Tensor:
        """`(B * groups, LATENT, h, w)` to `(B * groups, 12, 8h, 8w)`, about -1 to 1."""
        x = self.enter(latents)
        for block in self.memories:
            x = run(block, x, groups)  # type: ignore[arg-type]
        return self.ungroup(x)
