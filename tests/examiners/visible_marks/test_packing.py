"""Crops in a mosaic: none over another, little between them."""

from __future__ import annotations

from itertools import combinations

import pytest

from touchstone.examiners.visible_marks.packing import smallest_packing

# Height and width of the crops of a landscape clip's corners, of a portrait one's, and of places to jump to.
SIZES = {
    "one": [(40, 100)],
    "landscape": [(154, 366), (94, 904), (114, 366), (109, 313)],
    "portrait": [(268, 205), (160, 501), (196, 205), (187, 176)],
    "all alike": [(57, 181)] * 12,
    "a column": [(n + 1, 7) for n in range(20)],
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("stride", [1, 32])
def test_nothing_overlaps_and_little_is_wasted(sizes: list[tuple[int, int]], stride: int) -> None:
    places = smallest_packing(sizes, stride)
    boxes = [(x, y, x + width, y + height) for (x, y), (height, width) in zip(places, sizes, strict=True)]
    for one, other in combinations(boxes, 2):
        apart_across = one[2] <= other[0] or other[2] <= one[0]
        apart_down = one[3] <= other[1] or other[3] <= one[1]
        assert apart_across or apart_down
    right, bottom = max(box[2] for box in boxes), max(box[3] for box in boxes)
    assert right * bottom <= 1.4 * sum(height * width for height, width in sizes)


def test_what_rounding_adds_is_counted() -> None:
    """Three pieces of 17 by 60: one below the other they fill 64 by 64 of a stride of 32, not 32 by 192."""
    sizes = [(17, 60), (17, 60), (17, 60)]
    places = smallest_packing(sizes, 32)
    right = max(x for x, _ in places) + 60
    bottom = max(y for _, y in places) + 17
    assert -(-right // 32) * -(-bottom // 32) <= 4
