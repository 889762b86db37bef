"""Memory that a confined worker, the daemon and the inference process share, so that tensors are not copied.

The daemon makes it (`blocks.py`) and hands its descriptor to both sides.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import check_bounds


class Block:
    """A block as this process sees it.

    Args:
        descriptor: of the block; stays the caller's.
        size: in bytes.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self.size = size
        self._map = mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)

    def tensor(self, offset: int, shape: Sequence[int], dtype: str) -> NDArray[Any]:
        """The part of the block at `offset` as an array. Numbers may come from a worker that lies.

        Raises:
            OutOfBounds: it does not lie inside the block, or is no tensor.
        """
        check_bounds(offset, shape, dtype, self.size)
        return np.ndarray(tuple(shape), np.dtype(dtype), self._map, offset)


class Rooms:
    """Parts of a block that are in use, given out first come, first fit.

    Args:
        size: of the block, in bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken: list[tuple[int, int]] = []  # start and end, in order

    def take(self, room: int) -> int | None:
        """Where `room` bytes are free, which are taken from now on; None where there is no such place."""
        start = 0
        for place, (taken, end) in enumerate([*self._taken, (self._size, self._size)]):
            if taken - start >= room:
                self._taken.insert(place, (start, start + room))
                return start
            start = end
        return None

    def give_back(self, start: int) -> None:
        """The part that begins at `start` is free again."""
        self._taken = [part for part in self._taken if part[0] != start]
