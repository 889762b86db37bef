"""Exact two-sided bounds of a share, for tables of how often something was found."""

from __future__ import annotations

from touchstone.zoo.bounds import lower_bound, upper_bound

CONFIDENCE = 0.95


def clopper_pearson(hits: int, trials: int) -> tuple[float, float]:
    """Two-sided bounds of a share: half of what is left of the confidence on either side."""
    each = (1 + CONFIDENCE) / 2
    return lower_bound(hits, trials, each), upper_bound(hits, trials, each)
