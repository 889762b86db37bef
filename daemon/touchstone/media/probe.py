"""Which reader reads a file: decided by its first bytes, never by its name."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import BinaryIO

from .container import Container, NotMedia
from .formats import flv, gif, jpeg, matroska, mpeg, ogg, png, tiff
from .formats.avi import read_avi
from .formats.bounded import Malformed, Reading
from .formats.isobmff import FIRST_BOXES, read_isobmff
from .formats.lookalikes import refusal
from .formats.webp import read_webp

HEAD = 4096

Reader = Callable[[Reading], None]

# Readers by the first bytes of what they read.
SIGNATURES: tuple[tuple[bytes, Reader], ...] = (
    (matroska.SIGNATURE, matroska.read_matroska),
    (flv.SIGNATURE, flv.read_flv),
    (png.SIGNATURE, png.read_png),
    (jpeg.SIGNATURE, jpeg.read_jpeg),
    (b"GIF87a", gif.read_gif),
    (b"GIF89a", gif.read_gif),
    (ogg.SIGNATURE, ogg.read_ogg),
    (mpeg.PACK_START, mpeg.read_program),
    (mpeg.SEQUENCE_START, mpeg.read_program),
    *((signature, tiff.read_tiff) for signature in tiff.SIGNATURES),
)


def read_container(file: BinaryIO, size: int, codec: str | None = None) -> Container:
    """Read a container's headers and tags, within the limits of `formats.bounded`.

    Whatever the bytes are, this ends soon, with a container whose `problems` say what could not be read, or
    with the one exception below.

    Args:
        file: seekable; its position is moved.
        size: number of bytes in `file`.
        codec: for a media segment, the codec that its initialisation segment names.

    Raises:
        NotMedia: the bytes are no video or image that Touchstone reads.
    """
    container = Container(format="", mime="")
    reading = Reading(file, size, container, codec)
    head = reading.bytes_at(0, HEAD)
    reader = _reader(head)
    if reader is None:
        raise NotMedia(refusal(head))
    try:
        reader(reading)
    except Malformed as problem:
        reading.note(str(problem))
    except OSError as problem:
        reading.problem("io", reason=problem.strerror or str(problem))
    except (LookupError, ValueError, ArithmeticError, struct.error):
        # A reader that trusted its bytes: a mistake of ours, which costs the rest of this file's headers and
        # nothing else. The tests with broken files fail on this message.
        reading.problem("unexpected")
    return container


def _reader(head: bytes) -> Reader | None:
    if head[4:8] in FIRST_BOXES:
        return read_isobmff
    if head[:4] == b"RIFF":
        return {b"AVI ": read_avi, b"WEBP": read_webp}.get(head[8:12])
    for signature, reader in SIGNATURES:
        if head.startswith(signature):
            return reader
    if mpeg.packet_size(head):
        return mpeg.read_transport
    return mpeg.read_bare if mpeg.bare_codec(head) else None
