"""Byte ranges `(start, end)`, end excluded. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]


def merge(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """The same bytes as sorted ranges that neither touch nor overlap; empty ones fall away."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def missing(wanted: Range, present: Iterable[Range]) -> tuple[Range, ...]:
    """The parts of `wanted` that `present` (as `merge` gives it) does not hold."""
    gaps: list[Range] = []
    position, stop = wanted
    for start, end in present:
        if end <= position:
            continue
        if start >= stop:
            break
        if start > position:
            gaps.append((position, start))
        position = max(position, end)
    if position < stop:
        gaps.append((position, stop))
    return tuple(gaps)


def spread(total: int, count: int, length: int, align: int = 1 << 16) -> tuple[Range, ...]:
    """`count` ranges of `length` bytes in the middles of equal parts of `total`, starting on `align`."""
    part = total / count
    starts = (int(part * (place + 0.5) - length / 2) // align * align for place in range(count))
    return merge((max(0, start), min(total, max(0, start) + length)) for start in starts)
