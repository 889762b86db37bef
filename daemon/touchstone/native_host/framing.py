"""Frames on the two pipes to the browser: a 4-byte length in native byte order, then UTF-8 JSON.

Standard library only: this is on the way to the host's first message. Limits and their sources are in
docs/native-messaging.md, "Framing".
"""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from .problems import Code, NativeError

LENGTH = struct.Struct("=I")
MAX_FROM_BROWSER = 1 << 20
# Chromium refuses to send more than 64 MiB, so what looks like a longer length is not one.
MAX_SKIPPED = 64 << 20
# 1,048,604 bytes killed the port in Chromium and in Firefox; the rest is margin.
MAX_TO_BROWSER = 1_000_000
# A piece is escaped once more inside its part: of JSON text in ASCII at most every character doubles.
PIECE = 400_000
_SKIP_STEP = 1 << 16


def read_message(stream: BinaryIO) -> dict[str, Any] | None:
    """The next message, or None at the end of the stream.

    Raises:
        NativeError: what came is not a message. If it is not fatal the stream stands at the next message.
    """
    head = _read_up_to(stream, LENGTH.size)
    if not head:
        return None
    if len(head) < LENGTH.size:
        raise NativeError(Code.MESSAGE_TRUNCATED, missing=LENGTH.size - len(head))
    (size,) = LENGTH.unpack(head)
    if size > MAX_FROM_BROWSER:
        _skip(stream, size)
        raise NativeError(Code.MESSAGE_TOO_LARGE, size=size, limit=MAX_FROM_BROWSER)
    body = _read_up_to(stream, size)
    if len(body) < size:
        raise NativeError(Code.MESSAGE_TRUNCATED, missing=size - len(body))
    return _parse(body)


def _skip(stream: BinaryIO, size: int) -> None:
    if size > MAX_SKIPPED:
        raise NativeError(Code.MESSAGE_TOO_LARGE, {"fatal": True}, size=size, limit=MAX_FROM_BROWSER)
    left = size
    while left:
        skipped = len(_read_up_to(stream, min(left, _SKIP_STEP)))
        if not skipped:
            raise NativeError(Code.MESSAGE_TRUNCATED, missing=left)
        left -= skipped


def _read_up_to(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, or fewer at the end of the stream: a pipe may hand out less than it is asked for."""
    pieces: list[bytes] = []
    left = size
    while left and (piece := stream.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise NativeError(Code.NOT_UTF8, reason=problem) from problem
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as problem:  # deep nesting ends in RecursionError
        raise NativeError(Code.NOT_JSON, reason=problem) from problem
    if not isinstance(message, dict):
        raise NativeError(Code.NOT_JSON, reason=type(message).__name__)
    return message


class FrameWriter:
    """Writes messages to the browser, whole or in parts; safe to call from several threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._parted = 0

    def write(self, message: Mapping[str, Any]) -> None:
        """Send one message; what is too large for the browser goes out in parts.

        Raises:
            OSError: the browser has closed the port.
        """
        text = json.dumps(message, separators=(",", ":"))  # ASCII, so a character is a byte
        with self._lock:
            if len(text) <= MAX_TO_BROWSER:
                self._write_frame(text)
            else:
                self._parted += 1
                for part in _parts(text, f"p{self._parted}"):
                    self._write_frame(json.dumps(part, separators=(",", ":")))
            self._stream.flush()

    def _write_frame(self, text: str) -> None:
        body = text.encode("ascii")
        self._stream.write(LENGTH.pack(len(body)) + body)


def _parts(text: str, part_id: str) -> Iterator[dict[str, Any]]:
    pieces = range(0, len(text), PIECE)
    for seq, start in enumerate(pieces):
        yield {
            "type": "part",
            "part_id": part_id,
            "seq": seq,
            "last": seq == len(pieces) - 1,
            "data": text[start : start + PIECE],
        }
