"""Which reader reads a file: decided by its first bytes, never by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from ..messages import say
from .container import Container, NotMedia
from .formats.bounded import Malformed, Reading
from .formats.isobmff import FIRST_BOXES, read_isobmff
from .formats.lookalikes import what_else

HEAD = 4096


def read_container(file: BinaryIO, size: int) -> Container:
    """Read a container's headers and tags, within the limits of `formats.bounded`.

    Args:
        file: seekable; its position is moved.
        size: number of bytes in `file`.

    Raises:
        NotMedia: the bytes are no video or image that Touchstone reads.
    """
    container = Container(format="", mime="")
    reading = Reading(file, size, container)
    head = reading.bytes_at(0, HEAD)
    reader = _reader(head)
    if reader is None:
        raise NotMedia(say(f"container.not_media.{what_else(head)}"))
    try:
        reader(reading)
    except Malformed as problem:
        reading.note(str(problem))
    except OSError as problem:
        reading.problem("io", reason=problem.strerror or str(problem))
    return container


def _reader(head: bytes) -> Callable[[Reading], None] | None:
    if head[4:8] in FIRST_BOXES:
        return read_isobmff
    return None
