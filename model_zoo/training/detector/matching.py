"""Picks an evaluation set in which the classes have the same sizes and bit rates.

At one quality, generated clips take fewer bits than recordings, and they come in other sizes. A table over
all clips would partly tell how well a model reads those. So clips are paired, a generated one with a real one
of the same picture size and like bits per pixel, and what finds no partner stays out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .table import Row

BITS_CALIPER = 0.03
"""Farthest apart that partners may be, in natural logarithms of bits per pixel; their size is the same."""


def matched(chosen: Sequence[Row]) -> list[Row]:
    """Pairs of the rows of one condition, partners side by side; CGI has no part in it.

    The closest two are paired first. Walking through both in order of their bits pairs a few more, but then
    one class lies below the other wherever it is rarer, and that can be read.
    """
    high, low = ([row for row in chosen if row.clip.label == label] for label in ("generated", "real"))
    near = sorted(
        (apart, one.clip.name, other.clip.name, first, second)
        for first, one in enumerate(high)
        for second, other in enumerate(low)
        if one.pixels == other.pixels
        and (apart := abs(math.log(one.bits_per_pixel / other.bits_per_pixel))) <= BITS_CALIPER
    )
    found: list[Row] = []
    taken: tuple[set[int], set[int]] = set(), set()
    for *_, first, second in near:
        if first not in taken[0] and second not in taken[1]:
            taken[0].add(first)
            taken[1].add(second)
            found += [high[first], low[second]]
    return found
