"""Runs two independent pieces of work at once, where a second thread is allowed.

A network holds no lock of Python's while it runs, so two of them keep two cores busy. Threads are started
when they are needed and not before: a worker has to hold a single one until it is confined.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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
