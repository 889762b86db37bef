"""Text that others wrote, made fit for a terminal: file names, metadata and addresses come from anywhere.

A terminal obeys what it prints. An escape sequence in a file name can rename the window, hide lines or fake
them, and a direction mark makes `gpj.exe` of `exe.jpg` (CWE-150; Unicode TR 36, 2.10).
"""

from __future__ import annotations

import io
import unicodedata
from typing import TextIO

# Control characters, halves of pairs (bytes of a name that are no UTF-8), line and paragraph separators.
_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Unicode Standard Annex 9, table 3: embeddings, overrides, isolates and the marks.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str, *, lines: bool = False) -> str:
    """The text with all that a terminal would obey written out as `\\u001b`, which is also JSON's way.

    Args:
        text: whatever it is; JSON stays the same JSON.
        lines: whether line breaks and tabs are ours and stay.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) or (lines and c in "\n\t") else f"\\u{ord(c):04x}" for c in text)


def _is_harmless(c: str) -> bool:
    return c.isprintable() or (unicodedata.category(c) not in _CATEGORIES and c not in _DIRECTIONS)


def never_fails(stream: TextIO | None) -> TextIO:
    """The stream, set to write out what its encoding has no character for, where it would raise an error.

    One that was closed before we began (Python has None for it) becomes one that nobody reads.
    """
    if stream is None:
        return io.StringIO()
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def any_name(stream: TextIO | None) -> TextIO:
    """The stream of names, set to take bytes that are no UTF-8 as Python's own file names do."""
    if stream is None:
        return io.StringIO()
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="surrogateescape")
    return stream


def has_unicode(stream: TextIO) -> bool:
    """Whether every character can be written to the stream. One in memory has no encoding, and takes all."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("_", "-").startswith("utf")
