"""How well scores part two classes, with intervals that hold for few clips. numpy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """The chance that a positive scores above a negative, ties counting half; NaN if either is empty."""
    high, low = np.asarray(positive, float), np.sort(np.asarray(negative, float))
    if not len(high) or not len(low):
        return math.nan
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / (2 * len(low)))


def clopper_pearson(hits: int, of: int, level: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of a proportion (Clopper and Pearson, Biometrika 26, 1934)."""
    tail = (1 - level) / 2
    if of == 0:
        return 0.0, 1.0

    def at_most(count: int, chance: float) -> float:
        return sum(math.comb(of, k) * chance**k * (1 - chance) ** (of - k) for k in range(count + 1))

    def solve(wanted: float, count: int) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(count, middle) > wanted else (low, middle)
        return (low + high) / 2

    lower = 0.0 if hits == 0 else solve(1 - tail, hits - 1)
    upper = 1.0 if hits == of else solve(tail, hits)
    return lower, upper


@dataclass(frozen=True)
class Recall:
    """Positives above the threshold that so many negatives pass.

    Attributes:
        threshold: scores above it count.
        hits, of: positives above it, and all.
        false, negatives: negatives above it, and all.
    """

    threshold: float
    hits: int
    of: int
    false: int
    negatives: int

    @property
    def rate(self) -> float:
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Of the recall, 95 %, for a threshold taken as given."""
        return clopper_pearson(self.hits, self.of)


def recall_at(positive: ArrayLike, negative: ArrayLike, false_alarms: float) -> Recall:
    """Recall at the lowest threshold that at most `false_alarms` of the negatives pass."""
    high, low = np.asarray(positive, float), np.sort(np.asarray(negative, float))
    allowed = math.floor(false_alarms * len(low) + 1e-9)
    threshold = float(low[len(low) - 1 - allowed])
    return Recall(threshold, int((high > threshold).sum()), len(high), int((low > threshold).sum()), len(low))
