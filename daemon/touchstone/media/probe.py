"""Which reader reads a file: decided by its first bytes, never by its name."""

from __future__ import annotations

from typing import BinaryIO

from .container import Container, NotMedia


def read_container(file: BinaryIO, size: int) -> Container:
    """Read a container's headers and tags.

    Raises:
        NotMedia: the bytes are no video or image that Touchstone reads.
    """
    head = file.read(64)
    file.seek(0)
    if head[4:8] == b"ftyp":
        return Container(format="mp4", mime="video/mp4")
    raise NotMedia("no known video or image format")
