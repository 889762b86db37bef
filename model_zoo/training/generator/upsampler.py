"""The upsampler: single pictures to twice their size, as often as a clip needs it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTH = 24


class Upsampler(nn.Module):
    """Adds to a bilinearly enlarged picture what five small convolutions say is missing.

    Its reach is five pixels each way, so that tiles with a halo of eight are the whole picture, exactly.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(WIDTH, 12, 3, padding=1),
        )
        nn.init.zeros_(self.layers[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.layers[-1].bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> Tensor:
        """`(N, 3, H, W)` from -1 to 1 to `(N, 3, 2H, 2W)`."""
        base = functional.interpolate(pictures, scale_factor=2.0, mode="bilinear", align_corners=False)
        out: Tensor = base + functional.pixel_shuffle(self.layers(pictures), 2)
        return out


def smaller(pictures: Tensor) -> Tensor:
    """Half the size, averaged."""
    return torch.nn.functional.avg_pool2d(pictures, 2)
