"""How the daemon and a worker talk: messages (framing.py) over a socket pair, with open files beside them.

A worker can never pass a descriptor back: the daemon reads without asking for any.
"""

from __future__ import annotations

import array
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from .framing import HEAD_BYTES, MAX_ANSWER, MAX_REQUEST, LinkBroken, LinkSlow, framed, read_message

__all__ = ["MAX_ANSWER", "MAX_FILES", "MAX_REQUEST", "Link", "LinkBroken", "LinkSlow"]

MAX_FILES = 200
"""Descriptors beside one message; the kernel's own limit is 253 (SCM_MAX_FD)."""


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
        head, body = framed(message)
        try:
            with self._sending:
                if files:
                    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
                    self._end.sendmsg([head], [rights])
                    self._end.sendall(body)
                else:
                    self._end.sendall(head + body)
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
        return read_message(self._read, self._largest)

    def receive_with_files(self) -> tuple[dict[str, Any], list[int]]:
        """The next message and the descriptors that came with it, which are the caller's to close."""
        files = array.array("i")
        room = socket.CMSG_SPACE(MAX_FILES * files.itemsize)
        try:
            head, beside, flags, _ = self._end.recvmsg(HEAD_BYTES, room)
        except OSError as error:
            raise LinkBroken(f"cannot receive: {error.strerror}") from error
        for level, kind, data in beside:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                files.frombytes(data[: len(data) - len(data) % files.itemsize])
        if not head:
            raise LinkBroken("the other side has gone")
        if flags & socket.MSG_CTRUNC:
            raise LinkBroken("more files than this process may have open")
        return read_message(self._read, self._largest, head), files.tolist()

    def _read(self, most: int) -> bytes:
        # Left alone without a deadline: a confined worker never has one, and may not change its socket.
        if self._deadline is not None:
            # A timeout of 0 would make the socket non-blocking, which fails in another way.
            self._end.settimeout(max(self._deadline - time.monotonic(), 0.001))
        return self._end.recv(most)
