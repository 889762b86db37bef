"""What a daemon and a worker say to each other, as bytes, whatever carries them.

A message is four bytes of length, big endian, and that many bytes of UTF-8 JSON: always an object. What comes
from a worker may be made up by an attacker, so sizes are checked before memory is taken.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

# An escaped surrogate, which `framed` never writes and which would break whatever stores or prints the text.
_SURROGATE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")
_HEAD = struct.Struct(">I")
HEAD_BYTES = _HEAD.size
"""Of what stands before each message: its length."""

PIECE = 1 << 20
"""Bytes to read or write at a time."""
MAX_REQUEST = 32 << 20
"""Bytes of one message to a worker; the largest carries the trust lists."""
MAX_ANSWER = 4 << 20
"""Bytes of one message from a worker."""

Read = Callable[[int], bytes]
"""Waits for bytes of the other side and gives at most so many; none where it has gone."""


class LinkBroken(Exception):
    """The other side is gone or sent something that is no message. The text says which."""


class LinkSlow(LinkBroken):
    """The other side said nothing by the time it had to."""


def encode(message: Mapping[str, Any]) -> bytes:
    """A message's JSON. Text that is no valid Unicode (half of a surrogate pair) becomes question marks."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def decode(body: bytes) -> dict[str, Any]:
    """The message that the bytes are.

    Raises:
        LinkBroken: they are none.
    """
    if _SURROGATE.search(body):
        raise LinkBroken("a message with half a character in it")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LinkBroken("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise LinkBroken("a message that is not an object")
    return message


def framed(message: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """What stands before a message, and its JSON."""
    body = encode(message)
    return _HEAD.pack(len(body)), body


def read_message(read: Read, largest: int, begun: bytes = b"") -> dict[str, Any]:
    """The next message.

    Args:
        read: where its bytes are had.
        largest: bytes of the largest message to accept.
        begun: what was read of what stands before it.

    Raises:
        LinkSlow: `read` raised `TimeoutError`.
        LinkBroken: the other side is gone, or what it sent is no message or too large.
    """
    (length,) = _HEAD.unpack(begun + _exactly(HEAD_BYTES - len(begun), read))
    if length > largest:
        raise LinkBroken(f"a message of {length} bytes, over the limit of {largest}")
    return decode(_exactly(length, read))


def _exactly(count: int, read: Read) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        try:
            part = read(min(count - len(parts), PIECE))
        except TimeoutError as error:
            raise LinkSlow("no answer in time") from error
        except OSError as error:
            raise LinkBroken(f"cannot receive: {error.strerror}") from error
        if not part:
            raise LinkBroken("the other side has gone")
        parts += part
    return bytes(parts)
