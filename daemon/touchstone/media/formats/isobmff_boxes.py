"""Boxes of ISO base media files (ISO/IEC 14496-12 clause 4.2): walked in the file, read one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .bounded import Reading, unsigned

MAX_LEAF = 2**20  # bytes of one leaf box that are read, where not said otherwise


@dataclass(frozen=True)
class Box:
    """One box: its type, where it begins, where its payload begins and ends (within its parent)."""

    kind: bytes
    offset: int
    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of payload."""
        return self.end - self.start


def boxes(reading: Reading, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets. A size that lies is noted, cut to the parent, and ends the walk."""
    at = start
    while at + 8 <= end:
        reading.step()
        head = reading.bytes_at(at, 16)
        if len(head) < 8:
            return
        size, kind, header = unsigned(head, 0, 4), head[4:8], 8
        if size == 1:
            size, header = unsigned(head, 8, 8) if len(head) == 16 else 0, 16
        elif size == 0:
            # To the end of the file; inside a parent QuickTime ends user data with a zero instead.
            size = end - at if end == reading.size else 0
            if size == 0:
                return
        if size < header:
            reading.problem("box_size", box=_name(kind))
            return
        if at + size > end:
            reading.problem("box_cut", box=_name(kind))
        yield Box(kind, at, at + header, min(at + size, end))
        at += size


def _name(kind: bytes) -> str:
    return (
        kind.decode("latin-1")
        if kind.isalnum() or (kind.isascii() and kind.decode().isprintable())
        else kind.hex()
    )


def leaf(reading: Reading, box: Box, limit: int = MAX_LEAF) -> bytes:
    """The payload of a box, at most `limit` bytes of it."""
    return reading.bytes_at(box.start, min(box.size, limit))


def full(payload: bytes) -> tuple[int, int]:
    """Version and flags of a FullBox."""
    return unsigned(payload, 0, 1), unsigned(payload, 1, 3)
