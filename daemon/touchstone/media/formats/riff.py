"""Chunks of RIFF files (Microsoft, "Resource Interchange File Format"): AVI and WebP are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .bounded import Reading, text_of, unsigned_le


@dataclass(frozen=True)
class Chunk:
    """One chunk: its id, for lists their type, where its payload lies (for lists behind the type)."""

    id: bytes
    kind: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of payload."""
        return self.end - self.start


def chunks(reading: Reading, start: int, end: int) -> Iterator[Chunk]:
    """The chunks between two offsets. A size that lies is noted and cut to the parent."""
    at = start
    while at + 8 <= end:
        reading.step()
        head = reading.bytes_at(at, 12)
        if len(head) < 8:
            return
        name, size = head[:4], unsigned_le(head, 4, 4)
        stop = at + 8 + size
        if stop > end:
            reading.problem("chunk_cut", chunk=text_of(name))
            stop = end
        nested = name in (b"RIFF", b"LIST") and stop - at >= 12
        yield Chunk(name, head[8:12] if nested else b"", at + (12 if nested else 8), stop)
        at += 8 + size + (size & 1)
