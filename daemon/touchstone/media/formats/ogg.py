"""Ogg (RFC 3533) with Theora (Theora specification, clauses 6.2 and 6.3): size, rate, duration, comments."""

from __future__ import annotations

from ...messages import say
from ..container import NotMedia
from .bounded import (
    MAX_VALUE,
    Malformed,
    Reading,
    frame_rate,
    ratio,
    seconds,
    take,
    text_of,
    unsigned,
    unsigned_le,
)

SIGNATURE = b"OggS"
THEORA, THEORA_COMMENT = b"\x80theora", b"\x81theora"
MAX_HEADER_PAGES = 400  # the headers of all streams; a page holds up to 64 KB
MAX_COMMENTS = 1024
TAIL = 128 * 1024  # bytes at the end in which the last pages are looked for
FIRST_OF_STREAM = 0x02


def read_ogg(reading: Reading) -> None:
    """Read the header packets of the first Theora stream.

    Raises:
        NotMedia: none of its streams is video.
    """
    container = reading.container
    container.format, container.mime = "ogg", "video/ogg"
    at, serial, packet = 0, b"", b""
    first = True
    for _ in range(MAX_HEADER_PAGES):
        reading.step()
        head = reading.bytes_at(at, 27)
        if head[:4] != SIGNATURE or len(head) < 27:
            break
        lacing = reading.bytes_at(at + 27, head[26])
        start, size = at + 27 + len(lacing), sum(lacing)
        own = head[14:18]
        if head[5] & FIRST_OF_STREAM:
            payload = reading.bytes_at(start, min(size, 64))
            if payload.startswith(THEORA) and not serial:
                serial = own
                _read_identification(reading, payload)
        elif not serial:
            break
        elif own == serial:
            # The comment packet begins on the stream's second page and may go on over others.
            packet += reading.bytes_at(start, size)
            first = False
            if any(length < 255 for length in lacing) or len(packet) > MAX_VALUE:
                break
        at = start + size
    if not serial:
        raise NotMedia(say("container.not_media.audio", format="Ogg"))
    if not first and packet.startswith(THEORA_COMMENT):
        try:
            _read_comments(reading, packet)
        except Malformed as problem:
            reading.note(str(problem))
    _read_duration(reading, serial)


def _read_identification(reading: Reading, packet: bytes) -> None:
    container = reading.container
    container.codec = "theora"
    container.width, container.height = unsigned(packet, 14, 3), unsigned(packet, 17, 3)
    container.fps = frame_rate(ratio(unsigned(packet, 22, 4), unsigned(packet, 26, 4)))


def _read_comments(reading: Reading, packet: bytes) -> None:
    at = 7
    vendor = unsigned_le(packet, at, 4)
    reading.text_tag("ogg:comment", "vendor", take(packet, at + 4, vendor))
    at += 4 + vendor
    for _ in range(min(unsigned_le(packet, at, 4), MAX_COMMENTS)):
        size = unsigned_le(packet, at + 4, 4)
        key, _, value = text_of(take(packet, at + 8, size)).partition("=")
        reading.tag("ogg:comment", key, value)
        at += 4 + size


def _read_duration(reading: Reading, serial: bytes) -> None:
    """From the last page's granule position: keyframe number, shifted, plus frames since."""
    container = reading.container
    first = reading.bytes_at(0, 4096)
    at = first.find(THEORA)
    shift = (unsigned(first, at + 40, 2) >> 5) & 31 if at >= 0 and at + 42 <= len(first) else 0
    tail = reading.bytes_at(max(reading.size - TAIL, 0), TAIL)
    at = tail.rfind(SIGNATURE)
    while at >= 0:
        granule = unsigned_le(tail, at + 6, 8) if at + 18 <= len(tail) else 2**64 - 1
        if tail[at + 14 : at + 18] == serial and granule not in (0, 2**64 - 1) and container.fps:
            frames = (granule >> shift) + (granule & ((1 << shift) - 1))
            container.duration_s = seconds(frames / container.fps)
            return
        at = tail.rfind(SIGNATURE, 0, at)
