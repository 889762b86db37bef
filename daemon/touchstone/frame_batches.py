"""Batches of pictures as they travel and lie on disk: the same bytes from the browser to the worker.

A batch is four bytes of length, big endian, that many bytes of JSON (`wire.FrameBatch`), and then the samples
of its pictures, one after the other, plane by plane, without padding. A file holds batch after batch.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pydantic import ValidationError

from .messages import say
from .wire import FrameBatch, PictureFormat

LENGTH = struct.Struct(">I")
MAX_HEAD_BYTES = 1 << 14

MAX_PICTURE_PIXELS = 40_000_000
"""As many as are decoded of a file (media/decode.py)."""


class BadBatch(ValueError):
    """Bytes that are no batch. The text says what is wrong with them."""


@dataclass(frozen=True)
class PlaneLayout:
    """One plane of a picture.

    Attributes:
        across, down: how many pixels one sample stands for.
        samples: values a sample has: 2 where two chroma planes are interleaved, 4 for RGBA.
        bytes: of one value; 2 means little endian with the value in the low bits.
    """

    across: int = 1
    down: int = 1
    samples: int = 1
    bytes: int = 1

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """Rows and values in a row."""
        return -(-height // self.down), -(-width // self.across) * self.samples

    def size(self, width: int, height: int) -> int:
        """Length in bytes."""
        rows, columns = self.shape(width, height)
        return rows * columns * self.bytes


def _planar(across: int, down: int, bytes_: int = 1) -> tuple[PlaneLayout, ...]:
    chroma = PlaneLayout(across, down, bytes=bytes_)
    return PlaneLayout(bytes=bytes_), chroma, chroma


_PACKED = (PlaneLayout(samples=4),)
LAYOUTS: dict[PictureFormat, tuple[PlaneLayout, ...]] = {
    "I420": _planar(2, 2),
    "I422": _planar(2, 1),
    "I444": _planar(1, 1),
    "I420P10": _planar(2, 2, 2),
    "I422P10": _planar(2, 1, 2),
    "I444P10": _planar(1, 1, 2),
    "I420P12": _planar(2, 2, 2),
    "I422P12": _planar(2, 1, 2),
    "I444P12": _planar(1, 1, 2),
    "NV12": (PlaneLayout(), PlaneLayout(2, 2, samples=2)),
    "RGBA": _PACKED,
    "RGBX": _PACKED,
    "BGRA": _PACKED,
    "BGRX": _PACKED,
}
"""Planes of each format, as WebCodecs defines them (VideoPixelFormat)."""


def picture_bytes(batch: FrameBatch) -> int:
    """Length of one picture in bytes."""
    return sum(plane.size(batch.width, batch.height) for plane in LAYOUTS[batch.format])


def samples_bytes(batch: FrameBatch) -> int:
    """Length in bytes of what follows the head."""
    return len(batch.times_s) * picture_bytes(batch)


def encode_head(batch: FrameBatch) -> bytes:
    """Length and head of a batch; its samples follow."""
    head = batch.model_dump_json().encode()
    return LENGTH.pack(len(head)) + head


def parse_head(head: bytes) -> FrameBatch:
    """The head of a batch from its JSON.

    Raises:
        BadBatch: it is none, or its pictures are too large.
    """
    try:
        batch = FrameBatch.model_validate_json(head)
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in error["loc"])
        raise BadBatch(f"{where}: {error['msg']}" if where else error["msg"]) from problem
    if batch.width * batch.height > MAX_PICTURE_PIXELS:
        raise BadBatch(say("frames.too_large", width=batch.width, height=batch.height))
    return batch


def head_length(prefix: bytes) -> int:
    """Length of the head that the first four bytes announce.

    Raises:
        BadBatch: longer than any head.
    """
    (length,) = LENGTH.unpack(prefix)
    if not 0 < length <= MAX_HEAD_BYTES:
        raise BadBatch(say("frames.head_length", length=length, limit=MAX_HEAD_BYTES))
    return int(length)


def read_heads(file: BinaryIO, size: int) -> Iterator[tuple[FrameBatch, int, int]]:
    """The batches of a file: each head, where its batch begins, and where its samples do. Moves the position.

    Raises:
        BadBatch: the file is not batches from its start to its end, or their pictures differ in size.
    """
    at = 0
    first: FrameBatch | None = None
    while at < size:
        file.seek(at)
        prefix = file.read(LENGTH.size)
        if len(prefix) < LENGTH.size:
            raise BadBatch(say("frames.cut_off"))
        length = head_length(prefix)
        batch = parse_head(file.read(length))
        samples = at + LENGTH.size + length
        end = samples + samples_bytes(batch)
        if end > size:
            raise BadBatch(say("frames.cut_off"))
        first = first or batch
        if (batch.width, batch.height) != (first.width, first.height):
            raise BadBatch(say("frames.sizes_differ"))
        yield batch, at, samples
        at = end
    if first is None:
        raise BadBatch(say("frames.none"))
