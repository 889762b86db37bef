"""Connected regions of a binary picture, as boxes. Plain numpy, by runs of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom excluded."""


def boxes_of(mask: NDArray[np.bool_], limit: int = 1000) -> list[Box]:
    """Bounding boxes of the regions of `mask` (H, W) that hang together over edges or corners.

    At most `limit` of them come back, the topmost.
    """
    rows, lefts, rights = _runs(mask)
    if not len(rows):
        return []
    parents = list(range(len(rows)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    starts = np.searchsorted(rows, np.arange(mask.shape[0] + 1))
    for row in range(1, mask.shape[0]):
        above, above_end = int(starts[row - 1]), int(starts[row])
        here, here_end = above_end, int(starts[row + 1])
        while above < above_end and here < here_end:
            if lefts[above] <= rights[here] and lefts[here] <= rights[above]:
                a, b = root(above), root(here)
                parents[max(a, b)] = min(a, b)
            if rights[above] < rights[here]:
                above += 1
            else:
                here += 1
    boxes: dict[int, Box] = {}
    for index, (row, left, right) in enumerate(
        zip(rows.tolist(), lefts.tolist(), rights.tolist(), strict=True)
    ):
        old = boxes.get(found := root(index))
        if old is None:
            boxes[found] = (left, row, right, row + 1)
        else:
            boxes[found] = (min(old[0], left), old[1], max(old[2], right), row + 1)
    return [boxes[key] for key in sorted(boxes)][:limit]


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Row, first column and column after the last of every stretch of true values, row by row."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, lefts = np.nonzero(steps == 1)
    _, rights = np.nonzero(steps == -1)
    return rows, lefts, rights
