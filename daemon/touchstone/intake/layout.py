"""Where the headers of a file are, found by hopping over its media data.

Reads a few bytes at the start of each top-level box or chunk through `read`, which may fetch them. The
bytes are hostile: sizes must lead forward and stay within the file, and hops are counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ..manifest_boxes import C2PA_BOX, C2PA_CHUNK
from .ranges import Range
from .sniff import Kind

Read = Callable[[int, int], Awaitable[bytes]]
"""`await read(offset, count)`: up to `count` bytes; shorter only at the end of the file."""

MAX_HOPS = 48
"""Top-level boxes looked at. Ordinary files have under ten; fragmented ones repeat moof and mdat."""

# Boxes that hold pictures and sound rather than headers; everything else is fetched.
_MEDIA_BOXES = {b"mdat", b"moof", b"free", b"skip", b"wide", b"imda"}
_MEDIA_LISTS = {b"movi"}
_BOX_HEADER = 32  # size, type, 64-bit size, extended type
_RIFF_HEADER = 12


@dataclass
class Layout:
    """What was found.

    Attributes:
        headers: ranges that hold headers, in the order of the file.
        signed: there is a C2PA manifest, so that the whole file is needed to check it.
        has_header: the headers without which nothing can be decoded are among them.
    """

    headers: list[Range] = field(default_factory=list)
    signed: bool = False
    has_header: bool = False


async def find_headers(kind: Kind, read: Read, size: int) -> Layout:
    """The headers of a file of `size` bytes; empty for kinds that keep them at the start."""
    if kind is Kind.BOXES:
        return await _boxes(read, size)
    if kind is Kind.RIFF:
        return await _chunks(read, size)
    return Layout(has_header=True)


async def _boxes(read: Read, size: int) -> Layout:
    """ISO/IEC 14496-12 section 4.2: 32-bit size and type, 64-bit size if 1, to the end of the file if 0."""
    layout = Layout()
    offset = fragments = 0
    for _ in range(MAX_HOPS):
        header = await read(offset, _BOX_HEADER) if offset + 8 <= size else b""
        if len(header) < 8:
            break
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        body = 8
        if length == 1 and len(header) >= 16:
            length, body = int.from_bytes(header[8:16], "big"), 16
        elif length == 0:
            length = size - offset
        if length < body:
            break
        if kind == b"uuid" and header[body : body + 16] == C2PA_BOX:
            layout.signed = True
        if kind not in _MEDIA_BOXES:
            layout.headers.append((offset, min(size, offset + length)))
        layout.has_header |= kind in (b"moov", b"meta") and offset + length <= size
        fragments += kind == b"moof"
        offset += length
        if fragments > 1 and layout.has_header:
            break  # from here on fragments repeat
    return layout


async def _chunks(read: Read, size: int) -> Layout:
    """RIFF: four letters, 32-bit little-endian size, padded to even; LIST and RIFF name their kind after it.

    Source: Multimedia Programming Interface and Data Specifications 1.0; OpenDML AVI 1.02 (several RIFFs).
    """
    layout = Layout()
    offset = 0
    for _ in range(MAX_HOPS):
        header = await read(offset, _RIFF_HEADER) if offset + 8 <= size else b""
        if len(header) < 8:
            break
        kind, length = header[:4], int.from_bytes(header[4:8], "little")
        if kind == b"RIFF":
            offset += _RIFF_HEADER  # its chunks follow
            continue
        end = min(size, offset + 8 + length)
        listed = header[8:12] if kind == b"LIST" else b""
        layout.signed |= kind == C2PA_CHUNK
        layout.has_header |= listed == b"hdrl" or kind in (b"VP8 ", b"VP8L", b"VP8X")
        if listed not in _MEDIA_LISTS:
            layout.headers.append((offset, end))
        offset += 8 + length + length % 2
    return layout
