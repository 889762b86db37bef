"""What fetched bytes are, from their beginning. Pure.

Only decides how to go on fetching: what a file really holds is for the container readers to say, in a
worker. The type that the server declares is not asked, since it is wrong too often.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """How to go on fetching."""

    BOXES = "boxes"  # ISO base media: MP4, MOV, AVIF, HEIC
    RIFF = "riff"  # AVI, WebP
    HLS = "hls"
    DASH = "dash"
    WEB_PAGE = "web_page"
    TEXT = "text"
    OTHER = "other"  # other containers, images, or no media at all


# Boxes that begin files: ISO/IEC 14496-12 section 4.3; QuickTime File Format (files without ftyp).
_FIRST_BOXES = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pnot", b"sidx"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_XML_PROLOGUE = re.compile(rb"(?:\s|<\?[^>]{0,512}\?>|<!--.{0,4096}?-->)*", re.DOTALL)
_DASH_ROOT = re.compile(rb"<(?:[A-Za-z_][\w.-]{0,32}:)?MPD[\s>/]")
_WEB_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body|script)[\s>]", re.IGNORECASE)


def sniff(head: bytes) -> Kind:
    """The kind of a file whose first bytes are `head`; a kilobyte is enough."""
    if head[4:8] in _FIRST_BOXES:
        return Kind.BOXES
    if head[:4] == b"RIFF":
        return Kind.RIFF
    text = head[:8192].removeprefix(_BYTE_ORDER_MARK)
    # RFC 8216 section 4.3.1.1: the tag must be the first line.
    if text.lstrip(b" \t\r\n").startswith(b"#EXTM3U"):
        return Kind.HLS
    prologue = _XML_PROLOGUE.match(text)
    body = text[prologue.end() :] if prologue else text
    if _DASH_ROOT.match(body):
        return Kind.DASH
    if _WEB_PAGE.match(body):
        return Kind.WEB_PAGE
    return Kind.TEXT if _is_text(text[:1024]) else Kind.OTHER


def _is_text(start: bytes) -> bool:
    """No byte that text does not have (WHATWG MIME Sniffing Standard: binary data bytes), and valid UTF-8."""
    if any(byte < 0x09 or 0x0E <= byte < 0x1B or 0x1C <= byte < 0x20 or byte == 0x0B for byte in start):
        return False
    try:
        start[: len(start) - 3 if len(start) >= 1024 else None].decode("utf-8")
    except UnicodeDecodeError as problem:
        return len(start) >= 1024 and problem.start >= len(start) - 7  # a letter cut in half at the end
    return bool(start)
