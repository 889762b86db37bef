"""How the daemon and a worker talk: length-prefixed JSON over a socket pair, with open files beside it.

A message is four bytes of length, big endian, and that many bytes of UTF-8 JSON: always an object. What comes
from a worker may be made up by an attacker, so sizes are checked before memory is taken, and a worker can
never pass a descriptor back: the daemon reads without asking for any.
"""

from __future__ import annotations

import array
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

# An escaped surrogate, which `encode` never writes and which would break whatever stores or prints the text.
_SURROGATE = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]")
FRAME = struct.Struct(">I")
"""What stands before each message: its length."""

MAX_REQUEST = 32 << 20
"""Bytes of one message to a worker; the largest carries the trust lists."""
MAX_ANSWER = 4 << 20
"""Bytes of one message from a worker."""
MAX_FILES = 200
"""Descriptors beside one message; the kernel's own limit is 253 (SCM_MAX_FD)."""


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


class LinkBroken(Exception):
    """The other side is gone or sent something that is no message. The text says which."""


class LinkSlow(LinkBroken):
    """The other side said nothing by the time it had to."""


class Link:
    """One end of the socket pair. Calls block; a closed or killed other side ends them with `LinkBroken`.

    Args:
        end: the socket.
        largest: bytes of the largest message to accept.
    """

    def __init__(self, end: socket.socket, *, largest: int) -> None:
        self._end = end
        self._largest = largest
        self._deadline: float | None = None
        self._sending = threading.Lock()  # examiners that run at once talk over one link

    def fileno(self) -> int:
        return self._end.fileno()

    def close(self) -> None:
        self._end.close()

    def send(self, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
        """Send one message and, with it, descriptors of open files.

        Raises:
            LinkBroken: the other side is gone.
        """
        body = encode(message)
        try:
            with self._sending:
                if files:
                    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
                    self._end.sendmsg([FRAME.pack(len(body))], [rights])
                    self._end.sendall(body)
                else:
                    self._end.sendall(FRAME.pack(len(body)) + body)
        except OSError as error:
            raise LinkBroken(f"cannot send: {error.strerror}") from error

    def receive(self, deadline: float | None = None) -> dict[str, Any]:
        """The next message.

        Args:
            deadline: when all of it has to be here, by `time.monotonic()`.

        Raises:
            LinkSlow: it was not.
            LinkBroken: the other side is gone, or what it sent is no message or too large.
        """
        self._deadline = deadline
        if deadline is None and self._end.gettimeout() is not None:
            self._end.settimeout(None)
        return self._body(self._exactly(FRAME.size))

    def receive_with_files(self) -> tuple[dict[str, Any], list[int]]:
        """The next message and the descriptors that came with it, which are the caller's to close."""
        files = array.array("i")
        room = socket.CMSG_SPACE(MAX_FILES * files.itemsize)
        try:
            head, beside, flags, _ = self._end.recvmsg(FRAME.size, room)
        except OSError as error:
            raise LinkBroken(f"cannot receive: {error.strerror}") from error
        for level, kind, data in beside:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files.frombytes(data[: len(data) - len(data) % files.itemsize])
        if not head:
            raise LinkBroken("the other side has gone")
        if flags & socket.MSG_CTRUNC:
            raise LinkBroken("more files than this process may have open")
        head += self._exactly(FRAME.size - len(head))
        return self._body(head), files.tolist()

    def _body(self, head: bytes) -> dict[str, Any]:
        (length,) = FRAME.unpack(head)
        if length > self._largest:
            raise LinkBroken(f"a message of {length} bytes, over the limit of {self._largest}")
        return decode(self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                self._set_timeout()
                part = self._end.recv(min(count - len(parts), 1 << 20))
            except TimeoutError as error:
                raise LinkSlow("no answer in time") from error
            except OSError as error:
                raise LinkBroken(f"cannot receive: {error.strerror}") from error
            if not part:
                raise LinkBroken("the other side has gone")
            parts += part
        return bytes(parts)

    def _set_timeout(self) -> None:
        # Left alone without a deadline: a confined worker never has one, and may not change its socket.
        if self._deadline is not None:
            # A timeout of 0 would make the socket non-blocking, which fails in another way.
            self._end.settimeout(max(self._deadline - time.monotonic(), 0.001))
