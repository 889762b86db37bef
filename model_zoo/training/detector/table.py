"""The numbers of every clip in one place: what heads are trained on and what the table is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .cache import facts, measured
from .corpus import Clip, folds, read_manifest

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """One clip in one condition: what was measured in its patches `(N, F)`, and its fold."""

    clip: Clip
    condition: str
    patches: Array
    fold: int
    bits_per_pixel: float
    pixels: int

    @property
    def target(self) -> int:
        return int(self.clip.generated)


def pooled(patches: Array) -> Array:
    """A clip's vector: the mean of its patches' measurements. Their spread was tried and made it worse."""
    mean: Array = patches.mean(0).astype(np.float32)
    return mean


def rows(corpus: Path, cache: Path, conditions: Sequence[str], *, statistics: bool = True) -> list[Row]:
    """Every clip that was treated, in every condition, in the manifest's order.

    Args:
        statistics: only clips whose patches were measured; otherwise `patches` is empty.
    """
    clips = read_manifest(corpus)
    fold_of = folds(clips)
    found = []
    for condition in conditions:
        for clip in clips:
            patches = measured(cache, clip, condition) if statistics else np.empty((0, 0), np.float32)
            known = facts(cache, clip, condition)
            if patches is None or known is None:
                continue
            pixels = known["width"] * known["height"]
            bits = 8 * known["bytes"] / (pixels * known["frames"])
            found.append(Row(clip, condition, patches, fold_of[clip.group], bits, pixels))
    return found


def group(row: Row) -> str:
    """The name of its group, apart for each label: one repository may hold real and drawn clips."""
    return f"{row.clip.label}/{row.clip.group}"
