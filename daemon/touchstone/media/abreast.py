"""Runs several iterators at once, each in one thread, and gives what they yield as it comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

_T = TypeVar("_T")
_Stream = Callable[[], Iterator[_T]]


class Crew:
    """Some threads, and how many of them each of those at work may have.

    Args:
        size: how many there are; at least one.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._busy = 0
        self._counting = threading.Lock()

    def share(self) -> int:
        """Of those that are at work now, each may keep so many threads busy."""
        return max(1, self.size // max(1, self._busy))

    def begin(self) -> None:
        """One more is at work."""
        with self._counting:
            self._busy += 1

    def end(self) -> None:
        """One of them is not any more."""
        with self._counting:
            self._busy -= 1


def abreast(streams: Sequence[_Stream[_T]], crew: Crew) -> Iterator[_T]:
    """What all streams yield; of each in its order, of different ones as it comes.

    As many streams as the crew is strong begin at once, the others in their order whenever one has ended.
    What a stream raises is raised here, after what was yielded before. Where the system lets this process
    have no thread, they run one after the other. Closing this ends the streams at what they yield next.
    """
    waiting: queue.SimpleQueue[_Stream[_T]] = queue.SimpleQueue()
    for stream in streams:
        waiting.put(stream)
    told: queue.SimpleQueue[tuple[_T | None, BaseException | None, bool]] = queue.SimpleQueue()
    stop = threading.Event()

    def work() -> None:
        problem: BaseException | None = None
        try:
            while not stop.is_set():
                for message in waiting.get_nowait()():
                    told.put((message, None, False))
                    if stop.is_set():
                        break
        except queue.Empty:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where the messages are read
            problem = error
        crew.end()
        told.put((None, problem, True))

    going = 0
    for number in range(min(crew.size, len(streams))):
        # Daemons: a process that has to end does not wait for them.
        thread = threading.Thread(target=work, name=f"examiners-{number}", daemon=True)
        crew.begin()
        try:
            thread.start()
        except RuntimeError:  # the system lets this process have no more
            crew.end()
            break
        going += 1
    if not going:
        for stream in streams:
            yield from stream()
        return
    try:
        while going:
            message, problem, over = told.get()
            going -= over
            if problem is not None:
                raise problem
            if message is not None:
                yield message
    finally:
        stop.set()
        while going:
            going -= told.get()[2]
