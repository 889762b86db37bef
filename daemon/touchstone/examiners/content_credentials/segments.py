"""Fragmented MP4 in one file: where the initialization segment ends and each media segment begins.

Content Credentials of fragmented video (C2PA 2.2, A.5.4) lie in the initialization segment; each media
segment carries its part of the hash tree in a `uuid` box of the purpose `merkle`. A player that saves the
stream puts them into one file; the SDK wants them apart.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from ...manifest_boxes import C2PA_BOX

MAX_BOXES = 200_000

_SEGMENT_HEADS = frozenset({b"styp", b"sidx", b"ssix", b"prft", b"emsg"})
_NOT_HASHED = frozenset({b"mfra", b"free", b"skip"})
_HEADER = 8
_HEAD = _HEADER + 8 + 16  # with a long size and the type of a `uuid` box


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    end: int
    purpose: bytes = b""  # of a C2PA box: manifest or merkle


class Window(io.RawIOBase):
    """A part of a file as a file of its own. Closing it leaves the file open."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        super().__init__()
        self._file, self._start, self._end, self._at = file, start, end, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: object) -> int:
        raise io.UnsupportedOperation("a window on a file is only read")

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end - self._start}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), max(0, self._end - self._start - self._at))
        self._file.seek(self._start + self._at)
        taken = self._file.read(size)
        buffer[: len(taken)] = taken
        self._at += len(taken)
        return len(taken)


def is_initialization_only(file: BinaryIO, size: int) -> bool:
    """Whether an MP4 file holds no media data: an initialization segment whose segments are elsewhere."""
    kinds = {box.kind for box in _boxes(file, size)}
    return b"moov" in kinds and b"mdat" not in kinds and b"moof" not in kinds


def has_none_for_sure(file: BinaryIO, size: int, present: Sequence[tuple[int, int]]) -> bool:
    """Whether an MP4 file of which only parts are here has no Content Credentials in any part of it.

    They would be a box of the top level. So it is enough to have seen the head of every such box, up to the
    end of the file; one head in a hole (which reads as zeros), and nothing is sure.
    """
    end = 0
    for box in _boxes(file, size):
        if (
            box.start != end
            or box.purpose
            or not _is_present(box.start, min(_HEAD, size - box.start), present)
        ):
            return False
        end = box.end
    return end >= size > 0


def _is_present(start: int, count: int, present: Sequence[tuple[int, int]]) -> bool:
    return any(first <= start and start + count <= last for first, last in present)


def split(file: BinaryIO, size: int) -> tuple[BinaryIO, list[BinaryIO]] | None:
    """The initialization segment and the signed media segments of one file; None where it has none."""
    boxes = list(_boxes(file, size))
    marks = [n for n, box in enumerate(boxes) if box.purpose == b"merkle"]
    if not marks or not any(box.kind == b"moov" for box in boxes[: marks[0]]):
        return None
    starts = [_head_of_segment(boxes, n) for n in marks]
    last = len(boxes)
    while last > marks[-1] and boxes[last - 1].kind in _NOT_HASHED:
        last -= 1
    ends = [*starts[1:], last]
    parts = [(boxes[a].start, boxes[b - 1].end) for a, b in zip(starts, ends, strict=True)]
    windows = [cast(BinaryIO, Window(file, start, end)) for start, end in [(0, parts[0][0]), *parts]]
    return windows[0], windows[1:]


def _head_of_segment(boxes: list[_Box], mark: int) -> int:
    first = mark
    while first > 0 and boxes[first - 1].kind in _SEGMENT_HEADS:
        first -= 1
    return first


def _boxes(file: BinaryIO, size: int) -> Iterator[_Box]:
    """Top-level boxes (ISO/IEC 14496-12, 4.2), up to the first that is malformed."""
    at = 0
    for _ in range(MAX_BOXES):
        file.seek(at)
        head = file.read(_HEAD + 4 + 16)
        if len(head) < _HEADER:
            return
        length, kind, start = int.from_bytes(head[:4], "big"), head[4:8], _HEADER
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < start:
            return
        purpose = b""
        if kind == b"uuid" and head[start : start + 16] == C2PA_BOX:
            purpose = head[start + 20 :].split(b"\0", 1)[0]  # after version and flags
        yield _Box(kind, at, min(at + length, size), purpose)
        at += length
        if at >= size:
            return
