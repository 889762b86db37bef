"""The watermark decoder: from three frames at the canonical size to how likely each point was raised.

It knows no key and no message: it says what was added to the picture there, as a logit, and
touchstone.watermark.detection holds that against a key's pattern. So its answer can neither make a mark up
nor change the bound of false positives; it only makes marks easier to see.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

FRAMES = 3
FOLD = 4  # canonical pixels to a cell, in each direction


class FrontEnd(nn.Module):
    """How far each point stands out of its neighbourhood of 9 by 9; `(B, 3, H, W)` grey levels in and out.

    Kept in floating point when the rest is quantized: what it looks for is smaller than a step of int8.
    """

    def forward(self, frames: Tensor) -> Tensor:
        mean = functional.avg_pool2d(frames, 9, stride=1, padding=4, count_include_pad=False)
        return ((frames - mean) / 6).clamp(-3, 3)


class Decoder(nn.Module):
    """`(B, 3, H, W)` float32 grey levels, H and W multiples of FOLD -> `(B, 1, H, W)` logits.

    Args:
        width: channels of the body.
        depth: residual pairs of convolutions in it.
    """

    def __init__(self, width: int = 48, depth: int = 2) -> None:
        super().__init__()
        self.front = FrontEnd()
        self.enter = nn.Conv2d(FRAMES * FOLD**2, width, 3, padding=1)
        self.body = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for _ in range(depth)
        )
        self.leave = nn.Sequential(nn.ReLU(), nn.Conv2d(width, FOLD**2, 3, padding=1))

    def forward(self, frames: Tensor) -> Tensor:
        cells = self.enter(functional.pixel_unshuffle(self.front(frames), FOLD))
        for pair in self.body:
            cells = cells + pair(cells)
        return functional.pixel_shuffle(self.leave(cells), FOLD)
