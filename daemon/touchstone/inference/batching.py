"""One queue for all scans: who is served next, and whose batches are run together.

Pure decisions, apart from processes and clocks (`service.py`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

URGENT, AUTOMATIC = 0, 1
"""Somebody asked and waits; a video that merely came into view."""


@dataclass(frozen=True)
class Batch:
    """Rows of one scan for one model.

    Attributes:
        model: its name.
        block: number of the shared block that they lie in.
        offset: where in it, in bytes.
        room: bytes from there that are this batch's; answers have to fit as well.
        shape: of the rows, `(N, ...)`.
        dtype: of the rows.
        priority: URGENT or AUTOMATIC.
    """

    model: str
    block: int
    offset: int
    room: int
    shape: tuple[int, ...]
    dtype: str
    priority: int = URGENT

    @property
    def rows(self) -> int:
        return self.shape[0]

    def fits_beside(self, other: Batch) -> bool:
        """Whether both can be rows of one run."""
        return (self.model, self.shape[1:], self.dtype) == (other.model, other.shape[1:], other.dtype)


@dataclass
class Queued:
    """A batch that waits. `attempts` is how often a process was lost with it."""

    batch: Batch
    number: int
    attempts: int = 0


@dataclass
class Queue:
    """Batches that wait, urgent ones first, each kind in the order in which they came."""

    _heap: list[tuple[int, int, Queued]] = field(default_factory=list)
    _count: count[int] = field(default_factory=count)

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, batch: Batch) -> Queued:
        """A new batch, behind those of its kind."""
        queued = Queued(batch, next(self._count))
        heapq.heappush(self._heap, (batch.priority, queued.number, queued))
        return queued

    def put_back(self, queued: Queued) -> None:
        """A batch that has to be run again, in its old place."""
        heapq.heappush(self._heap, (queued.batch.priority, queued.number, queued))

    def remove(self, queued: Queued) -> None:
        """Nobody waits for it any more."""
        self._heap = [entry for entry in self._heap if entry[2] is not queued]
        heapq.heapify(self._heap)

    def take(self, most: Callable[[Batch], int]) -> list[Queued]:
        """What to run next: the first batch, and others that fit beside it.

        A batch that a process was lost with runs alone, so that it is known who did it.

        Args:
            most: rows of one run of a batch's model.
        """
        if not self._heap:
            return []
        _, _, first = heapq.heappop(self._heap)
        taken, rows = [first], first.batch.rows
        if first.attempts:
            return taken
        for _, _, other in sorted(self._heap):
            fits = not other.attempts and other.batch.fits_beside(first.batch)
            if fits and rows + other.batch.rows <= most(first.batch):
                taken.append(other)
                rows += other.batch.rows
        for other in taken[1:]:
            self.remove(other)
        return taken
