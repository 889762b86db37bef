"""EBML elements (RFC 8794): what Matroska and WebM are made of."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from .bounded import Malformed, Reading, take, text_of


@dataclass(frozen=True)
class Element:
    """One element: its id with marker bits, where its payload lies; `open` when its size is not said."""

    id: int
    offset: int
    start: int
    end: int
    open: bool = False

    @property
    def size(self) -> int:
        """Bytes of payload, as far as the parent goes."""
        return self.end - self.start


def elements(reading: Reading, start: int, end: int) -> Iterator[Element]:
    """The elements between two offsets. A size that lies is noted and cut to the parent.

    An element of unknown size ends the walk at its own start: whoever walks decides to go into it.
    """
    at = start
    while at < end:
        reading.step()
        head = reading.bytes_at(at, 12)
        try:
            number, length = _id(head)
            size, width = sized(head, length)
        except Malformed:
            if at + 12 < end:
                reading.problem("element_broken")
            return
        body = at + length + width
        if size is None:
            yield Element(number, at, body, end, open=True)
            return
        if body + size > end:
            reading.problem("chunk_cut", chunk=f"{number:X}")
        yield Element(number, at, body, min(body + size, end))
        at = body + size


def _id(head: bytes) -> tuple[int, int]:
    first = take(head, 0, 1)[0]
    for length, marker in enumerate((0x80, 0x40, 0x20, 0x10), start=1):
        if first & marker:
            return int.from_bytes(take(head, 0, length), "big"), length
    raise Malformed


def sized(data: bytes, at: int) -> tuple[int | None, int]:
    """A variable-size number without its marker, and its bytes; None for "unknown" (all ones).

    Raises:
        Malformed: it is cut off or longer than eight bytes.
    """
    first = take(data, at, 1)[0]
    for length in range(1, 9):
        if first & (0x100 >> length):
            value = int.from_bytes(take(data, at, length), "big") & ((1 << 7 * length) - 1)
            return (None if value == (1 << 7 * length) - 1 else value), length
    raise Malformed


def number_in(reading: Reading, element: Element) -> int:
    """An unsigned integer element; 0 for one that is longer than eight bytes."""
    return int.from_bytes(reading.bytes_at(element.start, element.size), "big") if element.size <= 8 else 0


def float_in(reading: Reading, element: Element) -> float:
    """A float element; 0 for one of no size that the format has."""
    payload = reading.bytes_at(element.start, min(element.size, 8))
    if len(payload) == 4:
        return float(struct.unpack(">f", payload)[0])
    return float(struct.unpack(">d", payload)[0]) if len(payload) == 8 else 0.0


def text_in(reading: Reading, element: Element, limit: int = 1024) -> str:
    """A string element, at most `limit` bytes of it."""
    return text_of(reading.bytes_at(element.start, min(element.size, limit)))
