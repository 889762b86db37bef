"""PNG and APNG (W3C PNG third edition): size, animation and text chunks."""

from __future__ import annotations

import zlib

from .bounded import MAX_VALUE, Malformed, Reading, frame_rate, ratio, seconds, text_of, unsigned
from .exif import tag_exif
from .xmp import tag_xmp

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = "XML:com.adobe.xmp"
# ImageMagick keeps what other formats carry as hexadecimal text.
RAW_EXIF, RAW_XMP = ("Raw profile type exif", "Raw profile type APP1"), "Raw profile type xmp"


def read_png(reading: Reading) -> None:
    """Read every chunk's header, and the contents of those that say something about the picture."""
    container = reading.container
    container.format, container.mime, container.codec = "png", "image/png", "png"
    at, frames, span = len(SIGNATURE), 0, 0.0
    while at + 8 <= reading.size:
        reading.step()
        head = reading.bytes_at(at, 8)
        if len(head) < 8:
            break
        length, kind = unsigned(head, 0, 4), head[4:8]
        if at + 12 + length > reading.size:
            reading.problem("chunk_cut", chunk=text_of(kind))
        data = at + 8
        match kind:
            case b"IHDR":
                payload = reading.bytes_at(data, 8)
                container.width, container.height = unsigned(payload, 0, 4), unsigned(payload, 4, 4)
            case b"acTL":
                container.format, container.mime, container.codec = "apng", "image/apng", "apng"
            case b"fcTL":
                payload = reading.bytes_at(data, 26)
                frames += 1
                span += unsigned(payload, 20, 2) / (unsigned(payload, 22, 2) or 100)
            case b"tEXt" | b"zTXt" | b"iTXt" | b"comf":  # comf: a tEXt of ComfyUI's own, in animations
                _read_text(reading, kind, data, length)
            case b"eXIf" if length <= MAX_VALUE:
                tag_exif(reading, reading.bytes_at(data, length))
            case b"IEND":
                break
            case _:
                pass
        at += 12 + length
    if frames > 1:
        container.duration_s, container.fps = seconds(span), frame_rate(ratio(frames, span))


def _read_text(reading: Reading, kind: bytes, at: int, length: int) -> None:
    place = f"png:{kind.decode()}"
    if length > MAX_VALUE:
        reading.problem("tag_too_large", place=place, key="")
        return
    keyword, found, rest = reading.bytes_at(at, length).partition(b"\0")
    key = keyword.decode("latin-1")
    try:
        if not found:
            raise Malformed
        value = _text(kind, rest)
    except (Malformed, zlib.error):
        reading.problem("text_chunk_broken")
        return
    if key == XMP_KEYWORD:
        tag_xmp(reading, value)
    elif key in RAW_EXIF:
        profile = _raw_profile(value)
        if profile.startswith(b"Exif\0\0"):
            tag_exif(reading, profile)
    elif key == RAW_XMP:
        tag_xmp(reading, _raw_profile(value))
    else:
        reading.text_tag(place, key, value)


def _text(kind: bytes, rest: bytes) -> bytes:
    if kind in (b"tEXt", b"comf"):
        return rest
    if kind == b"zTXt":
        return _inflated(rest[1:])
    compressed, rest = rest[:1] == b"\1", rest[2:]
    parts = rest.split(b"\0", 2)  # language, translated keyword, text
    if len(parts) < 3:
        raise Malformed
    return _inflated(parts[2]) if compressed else parts[2]


def _inflated(data: bytes) -> bytes:
    """Inflated data; a text that would grow beyond the limit of a tag is refused before it has."""
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, MAX_VALUE)
    if inflater.unconsumed_tail:
        raise Malformed
    return text


def _raw_profile(text: bytes) -> bytes:
    """ImageMagick's form: a name, the length, then hexadecimal digits in lines."""
    parts = text.split(None, 2)
    try:
        return bytes.fromhex(parts[2].decode("ascii")) if len(parts) == 3 else b""
    except (ValueError, UnicodeDecodeError):
        return b""
