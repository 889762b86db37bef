"""GIF89a: size, frame delays, comments and the XMP application extension (XMP specification part 3)."""

from __future__ import annotations

from ...messages import say
from .bounded import MAX_VALUE, Malformed, Reading, frame_rate, ratio, seconds, take, unsigned_le
from .xmp import tag_xmp

XMP_APPLICATION = b"XMP DataXMP"
# The packet stands bare between the extension's header and this trailer of falling numbers.
XMP_TRAILER = b"\x01\xff\xfe\xfd"
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
CONTROL, COMMENT, APPLICATION = 0xF9, 0xFE, 0xFF
DEFAULT_DELAY = 10  # hundredths of a second: what browsers and FFmpeg make of 0 and 1


def read_gif(reading: Reading) -> None:
    """Hop over all blocks; picture data is never read, only its block lengths."""
    container = reading.container
    container.format, container.mime, container.codec = "gif", "image/gif", "gif"
    screen = take(reading.bytes_at(6, 7), 0, 7)
    container.width, container.height = unsigned_le(screen, 0, 2), unsigned_le(screen, 2, 2)
    at = 13 + _table(screen[4])
    frames, span, delay = 0, 0, DEFAULT_DELAY
    try:
        while at < reading.size:
            reading.step()
            head = reading.bytes_at(at, 10)
            if head[0] == EXTENSION and len(head) >= 6:
                if head[1] == CONTROL:
                    delay = unsigned_le(head, 4, 2)
                    delay = delay if delay > 1 else DEFAULT_DELAY
                at = _read_extension(reading, at, head[1])
            elif head[0] == IMAGE and len(head) == 10:
                frames += 1
                span += delay
                at = _skip(reading, at + 10 + _table(head[9]) + 1)
            else:
                if head[0] != TRAILER:
                    reading.problem("cut")
                break
    except Malformed as problem:
        # Longer than is looked at: a rate from the frames so far, but no duration.
        reading.note(str(problem))
        container.fps = frame_rate(ratio(frames * 100, span)) if frames > 1 else None
        return
    if frames > 1:
        container.duration_s, container.fps = seconds(span / 100), frame_rate(ratio(frames * 100, span))


def _table(flags: int) -> int:
    """Bytes of the colour table that follows."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _read_extension(reading: Reading, at: int, label: int) -> int:
    if label == COMMENT:
        text, end = _joined(reading, at + 2)
        reading.text_tag("gif:comment", "comment", text)
        return end
    if label == APPLICATION and reading.bytes_at(at + 3, 11) == XMP_APPLICATION:
        packet = reading.bytes_at(at + 14, MAX_VALUE)
        end = packet.find(XMP_TRAILER)
        if end >= 0:
            tag_xmp(reading, packet[:end])
            return at + 14 + end + 258
    return _skip(reading, at + 2)


def _skip(reading: Reading, at: int) -> int:
    """The offset behind a chain of sub-blocks."""
    while True:
        reading.step()
        size = reading.bytes_at(at, 1)
        if not size:
            raise Malformed(say("container.problem.cut"))
        at += 1 + size[0]
        if size[0] == 0:
            return at


def _joined(reading: Reading, at: int) -> tuple[bytes, int]:
    """The contents of a chain of sub-blocks, and the offset behind it."""
    parts, total = [], 0
    while size := reading.bytes_at(at, 1):
        reading.step()
        if size[0] == 0:
            break
        if total <= MAX_VALUE:
            parts.append(reading.bytes_at(at + 1, size[0]))
            total += size[0]
        at += 1 + size[0]
    return b"".join(parts), at + 1
