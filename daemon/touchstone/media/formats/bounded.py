"""Reading hostile bytes within fixed limits.

A `Reading` is one pass over one file. It is the only way a reader gets at bytes and the only place where
tags are kept, so the limits below hold for every format, whatever sizes and counts a file claims.
"""

from __future__ import annotations

import math
from typing import BinaryIO

from ...messages import say
from ..container import Container, Tag

# Limits for one file. The largest honest metadata that the corpus and its sources know are ComfyUI graphs
# and XMP packets of a few megabytes; sample tables are read only at their start.
MAX_READ = 64 * 2**20  # bytes read in all
MAX_STEPS = 100_000  # boxes, elements, chunks and samples looked at in all: under a second in CPython
MAX_VALUE = 4 * 2**20  # bytes of one tag's value
MAX_VALUES = 16 * 2**20  # bytes of all tag values together
MAX_TAGS = 4096
MAX_KEY = 512  # characters of a tag's key
MAX_PROBLEMS = 20


class Malformed(Exception):
    """The bytes break their format's rules; what was read before that stays. The text says what is wrong."""


class TooMuch(Malformed):
    """A limit of this module was reached."""


class Reading:
    """One bounded pass over one file.

    Args:
        file: seekable; its position is moved.
        size: number of bytes in `file`.
        container: what is being filled.
        codec: of the stream that a lone media segment belongs to, where that is known.
    """

    def __init__(self, file: BinaryIO, size: int, container: Container, codec: str | None = None) -> None:
        self.codec = codec
        self._file = file
        self.size = size
        self.container = container
        self._left = MAX_READ
        self._steps = MAX_STEPS
        self._value_bytes = MAX_VALUES

    def bytes_at(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end of the file.

        Raises:
            TooMuch: the file made its reader ask for more than `MAX_READ` bytes in all.
        """
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        if length > self._left:
            raise TooMuch(say("container.problem.too_much"))
        self._left -= length
        self._file.seek(offset)
        return self._file.read(length)

    def step(self) -> None:
        """Count one box, element, chunk or sample.

        Raises:
            TooMuch: there are more than `MAX_STEPS`.
        """
        self._steps -= 1
        if self._steps < 0:
            raise TooMuch(say("container.problem.too_many_parts"))

    def tag(self, place: str, key: str, value: str | bytes) -> None:
        """Keep one tag, unless it is empty or a limit is reached, which is noted as a problem."""
        if not value:
            return
        size = len(value)
        if size > MAX_VALUE or size > self._value_bytes or len(self.container.tags) >= MAX_TAGS:
            self.problem("tag_too_large", place=place, key=key[:80])
            return
        self._value_bytes -= size
        self.container.tags.append(Tag(place, key[:MAX_KEY], value))

    def text_tag(self, place: str, key: str, raw: bytes) -> None:
        """Keep bytes whose format says they are text (UTF-8, in practice sometimes not) as a tag."""
        self.tag(place, key, text_of(raw))

    def problem(self, name: str, /, **names: str) -> None:
        """Note what could not be read: message `container.problem.<name>`."""
        self.note(say(f"container.problem.{name}", **names))

    def note(self, text: str) -> None:
        """Note what could not be read, in words, once."""
        problems = self.container.problems
        if text not in problems and len(problems) < MAX_PROBLEMS:
            problems.append(text)


def text_of(raw: bytes) -> str:
    """Text without trailing NULs: UTF-8, UTF-16 by its byte-order mark, else Latin-1, which never fails."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, errors="replace").rstrip("\0")
    raw = raw.rstrip(b"\0")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def take(data: bytes, at: int, length: int) -> bytes:
    """Exactly `length` bytes of `data` from `at`.

    Raises:
        Malformed: there are fewer.
    """
    if at < 0 or length < 0 or at + length > len(data):
        raise Malformed(say("container.problem.cut"))
    return data[at : at + length]


def unsigned(data: bytes, at: int, length: int) -> int:
    """The big-endian unsigned number of `length` bytes at `at`; raises `Malformed` if it is cut off."""
    return int.from_bytes(take(data, at, length), "big")


def unsigned_le(data: bytes, at: int, length: int) -> int:
    """The little-endian unsigned number of `length` bytes at `at`; raises `Malformed` if it is cut off."""
    return int.from_bytes(take(data, at, length), "little")


def ratio(numerator: float, denominator: float) -> float | None:
    """A positive finite quotient, or None where the numbers of a file give no such thing."""
    if not (math.isfinite(numerator) and math.isfinite(denominator)) or denominator <= 0 or numerator <= 0:
        return None
    quotient = numerator / denominator
    return quotient if math.isfinite(quotient) and quotient > 0 else None


def seconds(value: float | None) -> float | None:
    """A duration that a clip can have, in seconds; None for nonsense (over ten years)."""
    return round(value, 6) if value is not None and 0 < value < 3.2e8 else None


def frame_rate(value: float | None) -> float | None:
    """A frame rate that a clip can have, in frames a second; None for nonsense.

    1000 is what containers with millisecond clocks give for "unknown".
    """
    return round(value, 3) if value is not None and 0 < value < 1000 else None
