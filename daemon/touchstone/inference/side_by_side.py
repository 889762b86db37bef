"""Runs independent pieces of work at once, where more than one thread is allowed.

A network holds no lock of Python's while it runs, so two of them keep two cores busy. Threads are started
when they are needed and not before: a worker has to hold a single one until it is confined.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

_A = TypeVar("_A")
_B = TypeVar("_B")


def both(first: Callable[[], _A], second: Callable[[], _B], *, threads: int = 2) -> tuple[_A, _B]:
    """What `first` and `second` return; `second` runs in a thread of its own.

    With `threads` below two, and where no thread can be started, they run one after the other. What either
    raises is raised here, once both have ended; where both do, that of the first.
    """
    if threads < 2:
        return first(), second()
    answers: list[_B] = []
    problems: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(second())
        except BaseException as problem:  # noqa: BLE001 - raised again by whoever waits
            problems.append(problem)

    thread = threading.Thread(target=run, name="side-by-side")
    try:
        thread.start()
    except RuntimeError:  # the system lets this process have no more
        return first(), second()
    try:
        one = first()
    finally:
        thread.join()
    if problems:
        raise problems[0]
    return one, answers[0]


def each(work: Sequence[Callable[[], _A]], *, threads: int) -> list[_A]:
    """What each piece of work returns, in their order; the first half runs beside the second. See `both`."""
    if threads < 2 or len(work) < 2:
        return [one() for one in work]
    half = len(work) // 2
    first, second = both(
        lambda: each(work[:half], threads=threads // 2),
        lambda: each(work[half:], threads=threads - threads // 2),
        threads=threads,
    )
    return first + second
