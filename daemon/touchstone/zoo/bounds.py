"""Exact bounds of a share that was counted (Clopper and Pearson, Biometrika 26, 1934)."""

from __future__ import annotations

import math
from functools import lru_cache

_HALVINGS = 60
"""Of the interval that is searched: finer than a float between 0 and 1."""


@lru_cache(maxsize=4096)  # every scan asks for those of the same calibration
def upper_bound(count: int, of: int, confidence: float) -> float:
    """The largest share that leaves `count` or fewer among `of` with a chance of `1 - confidence`.

    Raises:
        ValueError: no such count.
    """
    if not 0 <= count <= of or not 0 < confidence < 1:
        raise ValueError(f"{count} of {of} at {confidence} is not a count")
    if count == of:
        return 1.0
    low, high = count / of, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(count, of, middle) > 1 - confidence else (low, middle)
    return high


def lower_bound(count: int, of: int, confidence: float) -> float:
    """The smallest share that leaves `count` or more among `of` with a chance of `1 - confidence`."""
    return 1 - upper_bound(of - count, of, confidence)


def _at_most(count: int, of: int, share: float) -> float:
    """The chance of `count` or fewer among `of`, each with chance `share`."""
    if share <= 0 or share >= 1:
        return 1.0 if share <= 0 else 0.0
    whole = math.lgamma(of + 1)
    return math.fsum(
        math.exp(
            whole
            - math.lgamma(k + 1)
            - math.lgamma(of - k + 1)
            + k * math.log(share)
            + (of - k) * math.log1p(-share)
        )
        for k in range(count + 1)
    )
