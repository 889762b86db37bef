"""The captioner's network: what each part of one frame shows, as an object detector over a coarse grid.

Frames come with a shorter side of 128 pixels and sides that are whole numbers of 8. A cell of the answer
stands for 4 pixels; `daemon/touchstone/generator/seeing/sight.py` reads it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from touchstone.generator.seeing.layout import BACKGROUNDS, LIGHTS, PLANES

WIDTHS = (32, 48, 96)


def _conv(before: int, after: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, dilation, dilation, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions and a way past them."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.inside = nn.Sequential(_conv(width, width), _conv(width, width, dilation=dilation))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inside(x)  # type: ignore[no-any-return]


class Captioner(nn.Module):
    """`(B, 3, H, W)` from 0 to 255 to `(B, PLANES, H/4, W/4)` float32.

    The planes of `seeing.layout`; background and light are said by the whole frame, the same in every cell.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), _conv(12, fine))
        self.middle = nn.Sequential(_conv(fine, middle, 2), Residual(middle), Residual(middle))
        self.coarse = nn.Sequential(_conv(middle, coarse, 2), Residual(coarse, 2), Residual(coarse, 4))
        self.down = nn.Conv2d(coarse, middle, 1)
        self.join = _conv(middle, middle)
        self.cells = nn.Conv2d(middle, PLANES - len(BACKGROUNDS) - len(LIGHTS), 1)
        self.whole = nn.Linear(3 * coarse, len(BACKGROUNDS) + len(LIGHTS))
        # Nearly no cell is the middle of a thing: without this the first steps are spent on learning that.
        nn.init.constant_(self.cells.bias[:1], -4.0)  # type: ignore[index]

    def forward(self, frames: Tensor) -> Tensor:
        x = self.middle(self.stem(frames / 127.5 - 1))
        far = self.coarse(x)
        near = self.join(x + functional.interpolate(self.down(far), scale_factor=2.0, mode="nearest"))
        rows = far.shape[2] // 2
        pooled = torch.cat(
            [far.mean((2, 3)), far[:, :, :rows].mean((2, 3)), far.amax((2, 3))], 1
        )  # what is above differs from what is below
        cells = self.cells(near)
        whole = self.whole(pooled)[:, :, None, None].expand(-1, -1, cells.shape[2], cells.shape[3])
        return torch.cat([cells, whole], 1)
