"""What a file is when it is no video: so that the refusal can say so."""

from __future__ import annotations

import re

from ...messages import say

# First bytes by message `container.not_media.<name>`.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a\x07", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ\0", "archive"),
    (b"\x28\xb5\x2f\xfd", "archive"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"WEBVTT", "subtitles"),
)

# Beginnings of texts, tried in this order on the text without byte-order mark, leading blanks and comments.
TEXTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"#EXTM3U"), "hls"),
    (re.compile(r"ffconcat version"), "ffconcat"),
    (re.compile(r"<(\w{1,20}:)?MPD[\s>]"), "dash"),
    (re.compile(r"<(!doctype\s+html|html|head|body|script)\b", re.I), "html"),
    (re.compile(r"<(\?xml|svg|!doctype|smil|\w)", re.I), "xml"),
    (re.compile(r"[\[{]\s*[\"\[{\]}]"), "json"),
    (re.compile(r"\d{1,9}\s*\r?\n\d\d:\d\d:\d\d[,.]\d+ -->"), "subtitles"),
)


# Sound without a picture: offset and bytes by the name that people know it under.
SOUND: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", "WAV"),
    (0, b"ID3", "MP3"),
    (0, b"\xff\xfb", "MP3"),
    (0, b"fLaC", "FLAC"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"#!AMR", "AMR"),
)


def refusal(head: bytes) -> str:
    """Why a file that no reader takes is no video, by its first bytes: a sentence that names what it is."""
    for at, signature, name in SOUND:
        if head[at : at + len(signature)] == signature:
            return say("container.not_media.audio", format=name)
    return say(f"container.not_media.{_kind(head)}")


def _kind(head: bytes) -> str:
    if not head:
        return "empty"
    if not head.strip(b"\0"):
        return "zeros"
    for signature, name in SIGNATURES:
        if head.startswith(signature):
            return name
    text = _text(head)
    if text is None:
        return "unknown"
    text = _without_prolog(text.lstrip("\ufeff \t\r\n"))
    return next((name for pattern, name in TEXTS if pattern.match(text)), "text")


def _text(head: bytes) -> str | None:
    """The bytes as text, if that is what they are."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.start < len(head) - 3:  # not just a character cut at the end of what was read
            return None
        text = head[: problem.start].decode("utf-8")
    control = sum(c < " " and c not in "\t\r\n\f\x1b" for c in text)
    return text if control == 0 else None


def _without_prolog(text: str) -> str:
    """The text behind an XML declaration and comments, if something is behind them."""
    for opening, closing in (("<?xml", "?>"), *(("<!--", "-->"),) * 20):
        if text.startswith(opening) and closing in text:
            text = text[text.index(closing) + len(closing) :].lstrip() or text
    return text
