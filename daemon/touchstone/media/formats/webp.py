"""WebP (RFC 9649): size, animation, Exif and XMP."""

from __future__ import annotations

from ...messages import say
from ..container import NotMedia
from .bounded import MAX_VALUE, Reading, frame_rate, ratio, seconds, take, unsigned_le
from .exif import tag_exif
from .riff import Chunk, chunks
from .xmp import tag_xmp


def read_webp(reading: Reading) -> None:
    """Read every chunk's header.

    Raises:
        NotMedia: the file ends before its first chunk.
    """
    container = reading.container
    container.format, container.mime, container.codec = "webp", "image/webp", "webp"
    frames, span, any_chunk = 0, 0, False
    for chunk in chunks(reading, 12, reading.size):
        any_chunk = True
        match chunk.id:
            case b"VP8X":
                payload = take(reading.bytes_at(chunk.start, 10), 0, 10)
                container.width = unsigned_le(payload, 4, 3) + 1
                container.height = unsigned_le(payload, 7, 3) + 1
            case b"VP8 " | b"VP8L" if container.width is None:
                _read_size(reading, chunk)
            case b"ANMF":
                frames += 1
                span += unsigned_le(reading.bytes_at(chunk.start, 16), 12, 3)
            case b"EXIF" if chunk.size <= MAX_VALUE:
                tag_exif(reading, reading.bytes_at(chunk.start, chunk.size))
            case b"XMP " if chunk.size <= MAX_VALUE:
                tag_xmp(reading, reading.bytes_at(chunk.start, chunk.size))
            case _:
                pass
    if not any_chunk:
        raise NotMedia(say("container.not_media.headers_missing", format="WebP"))
    if frames > 1:
        container.duration_s, container.fps = seconds(span / 1000), frame_rate(ratio(frames * 1000, span))


def _read_size(reading: Reading, chunk: Chunk) -> None:
    """The size in a bare bitstream: RFC 6386 clause 9.1 (VP8), RFC 9649 clause 3.4 (VP8L)."""
    payload = reading.bytes_at(chunk.start, 10)
    container = reading.container
    if chunk.id == b"VP8L" and payload[:1] == b"\x2f":
        bits = unsigned_le(payload, 1, 4)
        container.width, container.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk.id == b"VP8 " and payload[3:6] == b"\x9d\x01\x2a":
        container.width, container.height = (
            unsigned_le(payload, 6, 2) & 0x3FFF,
            unsigned_le(payload, 8, 2) & 0x3FFF,
        )
