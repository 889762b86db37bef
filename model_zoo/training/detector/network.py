"""The model that ships: what is measured in patches, a direction among it, and, if wanted, nets on residuals.

Everything from the patches on is inside, so that the ONNX file is all that a scan needs (CONTRACT.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .backbone import Backbone
from .fit import LIMIT, Discriminant
from .residuals import Residuals
from .statistics import Statistics

Array = NDArray[np.float64]


class Front(nn.Module):
    """All that is measured in a patch: `(N, 3, 192, 128)` to `(N, F)`, statistics before the network's maps.

    Args:
        backbone: as `backbone.pretrained` gives it.
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.statistics, self.backbone = Statistics(), backbone

    def forward(self, frames: Tensor) -> Tensor:
        return torch.cat([self.statistics(frames), self.backbone(frames)], 1)


class Detector(nn.Module):
    """`(N, 3, 192, 128)` of one clip to `score (1)`, `logit (N)`, `embedding (N, D)`.

    Args:
        clip: reads the mean of a clip's patches.
        patch: scales single patches, which vary more than clips do.
        projection: `(F, D)`, from a patch's scaled measurements to the embedding.
        front: measures patches, see `Front`.
        nets: whose mean logit is added; folded.
        weight: what it is multiplied by.
    """

    def __init__(
        self,
        clip: Discriminant,
        patch: Discriminant,
        projection: Array,
        front: nn.Module,
        nets: Sequence[Residuals] = (),
        weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.nets, self.weight = nn.ModuleList(nets), weight
        self.front = front
        self.clip, self.patch = _Reader(clip), _Reader(patch)
        self.register_buffer("projection", torch.tensor(projection).float())

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        measured = self.front(frames)
        score, _ = self.clip(measured.mean(0, keepdim=True))
        logit, scaled = self.patch(measured)
        for net in self.nets:
            seen = net(frames) * (self.weight / len(self.nets))
            score, logit = score + seen.mean(0, keepdim=True), logit + seen
        return score, logit, torch.clamp(scaled @ self.projection, -LIMIT, LIMIT)


class _Reader(nn.Module):
    def __init__(self, fitted: Discriminant) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(fitted.mean).float())
        self.register_buffer("spread", torch.tensor(fitted.spread).float())
        self.register_buffer("weights", torch.tensor(fitted.weights).float()[:, None])
        self.register_buffer("bias", torch.tensor([fitted.bias]).float())

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """`(N, F)` to the logits `(N)` and the scaled values."""
        scaled = torch.clamp((values - self.mean) / self.spread, -LIMIT, LIMIT)
        return (scaled @ self.weights)[:, 0] + self.bias, scaled
