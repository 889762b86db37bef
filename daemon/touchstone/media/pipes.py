"""The link over two pipes, for systems where a socket can't carry open files beside a message.

Files travel as numbers in the message: whoever sends has made them valid in the receiver already.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from .framing import PIECE, LinkBroken, LinkSlow, framed, read_message

_FILES = "files_by_number"
_WAITING = 2  # messages that are read ahead of what is asked for: a worker that floods has to wait
_LOOK_UP_S = 0.2  # how often a reader that nobody listens to asks whether it may end


class PipeLink:
    """One end. Calls block; a closed or killed other side ends them with `LinkBroken`.

    Args:
        reading, writing: descriptors of the two pipes; they become the link's to close.
        largest: bytes of the largest message to accept.
        adopt: makes a descriptor of this process from a number that came with a message.
    """

    def __init__(
        self, reading: int, writing: int, *, largest: int, adopt: Callable[[int], int] = int
    ) -> None:
        self._reading, self._writing = reading, writing
        self._largest = largest
        self._adopt = adopt
        self._closed = threading.Event()
        self._arrived: queue.Queue[dict[str, Any] | LinkBroken] = queue.Queue(_WAITING)
        self._reader: threading.Thread | None = None
        self._sending = threading.Lock()  # examiners that run at once talk over one link

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._writing

    def close(self) -> None:
        """Give both ends up. May be called twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        os.close(self._writing)
        if self._reader is None:
            os.close(self._reading)  # else the thread that reads from it closes it

    def send(self, message: Mapping[str, Any], files: Sequence[int] = ()) -> None:
        """Send one message and, with it, files by the numbers that the other side knows them by.

        Raises:
            LinkBroken: the other side is gone.
        """
        left = memoryview(b"".join(framed({**message, _FILES: list(files)} if files else message)))
        try:
            with self._sending:
                while left:
                    left = left[os.write(self._writing, left[:PIECE]) :]
        except OSError as error:
            raise LinkBroken(f"cannot send: {error.strerror}") from error

    def receive(self, deadline: float | None = None) -> dict[str, Any]:
        """The next message; see `Link.receive`. The first call with a deadline starts a thread that reads.

        Raises:
            LinkSlow: it was not there by the deadline.
            LinkBroken: the other side is gone, or what it sent is no message or too large.
        """
        if deadline is None and self._reader is None:
            return self._message()
        if self._reader is None:
            # A pipe can't be waited for with a deadline everywhere, a queue can.
            self._reader = threading.Thread(target=self._read_on, name="worker-pipe", daemon=True)
            self._reader.start()
        try:
            wait_s = None if deadline is None else max(deadline - time.monotonic(), 0.001)
            arrived = self._arrived.get(timeout=wait_s)
        except queue.Empty as error:
            raise LinkSlow("no answer in time") from error
        if isinstance(arrived, LinkBroken):
            self._put(arrived)  # whoever asks again is told again
            raise arrived
        return arrived

    def receive_with_files(self) -> tuple[dict[str, Any], list[int]]:
        """The next message and descriptors of the files with it, which are the caller's to close."""
        message = self.receive()
        numbers = message.pop(_FILES, [])
        return message, [self._adopt(number) for number in numbers]

    def _read_on(self) -> None:
        try:
            while not self._closed.is_set():
                self._put(self._message())
        except LinkBroken as broken:
            self._put(broken)
        finally:
            os.close(self._reading)

    def _put(self, arrived: dict[str, Any] | LinkBroken) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._arrived.put(arrived, timeout=_LOOK_UP_S)
                return

    def _message(self) -> dict[str, Any]:
        return read_message(lambda most: os.read(self._reading, most), self._largest)


@contextmanager
def pipes_to_a_process(*, largest: int) -> Iterator[tuple[PipeLink, int, int]]:
    """A link to a process that is started meanwhile, and what that reads from and writes to.

    Those two are closed at the end; where starting it raises, the link is, too.

    Args:
        largest: bytes of the largest message to accept from it.
    """
    request, ask = os.pipe()
    read, answer = os.pipe()
    link = PipeLink(read, ask, largest=largest)
    try:
        yield link, request, answer
    except OSError:
        link.close()
        raise
    finally:
        os.close(request)
        os.close(answer)
