"""Lays rectangles into a small one: finding text costs by the pixel, also by those between what is searched.

A handful of widths are tried, and in each the rectangles are put down one by one where they come to lie
highest (the skyline heuristic: Burke, Kendall and Whitwell, Operations Research 52, 2004).
"""

from __future__ import annotations

from collections.abc import Sequence

_TRIES = 10  # widths
_WIDEST = 1.8  # as a multiple of the side of a square of the same area, or of the widest rectangle


def smallest_packing(sizes: Sequence[tuple[int, int]], stride: int = 1) -> list[tuple[int, int]]:
    """Left and top for each of `sizes`, which are (height, width); nothing overlaps.

    Args:
        stride: whoever takes the picture rounds its sides up to multiples of this.
    """
    widest = max(width for _, width in sizes)
    area = sum(height * width for height, width in sizes)
    most = round(max(widest, area**0.5) * _WIDEST)
    limits = {widest + (most - widest) * step // (_TRIES - 1) for step in range(_TRIES)}
    packings = [_packed(sizes, limit) for limit in sorted(limits)]
    return min(packings, key=lambda places: _covered(sizes, places, stride))


def _packed(sizes: Sequence[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    """The places in a strip `limit` wide, large rectangles first."""
    places = [(0, 0)] * len(sizes)
    skyline = [(0, limit, 0)]  # left, right and lowest free row of stretches, from left to right
    for index in sorted(range(len(sizes)), key=lambda index: sizes[index], reverse=True):
        height, width = sizes[index]
        left, top = min(
            ((left, _floor(skyline, left, width)) for left, *_ in skyline if left + width <= limit),
            key=lambda place: (place[1], place[0]),
        )
        places[index] = left, top
        skyline = _raised(skyline, left, left + width, top + height)
    return places


def _floor(skyline: Sequence[tuple[int, int, int]], left: int, width: int) -> int:
    """The lowest row that is free everywhere from `left` on."""
    return max(row for start, end, row in skyline if start < left + width and left < end)


def _raised(
    skyline: Sequence[tuple[int, int, int]], left: int, right: int, row: int
) -> list[tuple[int, int, int]]:
    """The skyline with everything between `left` and `right` at `row`."""
    apart = [(start, min(end, left), at) for start, end, at in skyline if start < left]
    apart += [(left, right, row)]
    return apart + [(max(start, right), end, at) for start, end, at in skyline if end > right]


def _covered(sizes: Sequence[tuple[int, int]], places: Sequence[tuple[int, int]], stride: int) -> int:
    right = max(left + width for (left, _), (_, width) in zip(places, sizes, strict=True))
    bottom = max(top + height for (_, top), (height, _) in zip(places, sizes, strict=True))
    return -(-right // stride) * -(-bottom // stride)
