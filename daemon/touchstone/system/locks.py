"""A lock between processes, held by the kernel: it is gone when its holder is, however that ended."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .paths import PRIVATE_FILE, make_private_dir

POLL_S = 0.05


class LockTimeout(TimeoutError):
    """Another process held the lock for longer than we were ready to wait; the text names the lock."""


@contextmanager
def file_lock(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock `path` (a file made on first use and left in place), waiting at most `wait_s` seconds.

    Raises:
        LockTimeout: it was not free in time.
    """
    make_private_dir(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        deadline = time.monotonic() + wait_s
        while not _try_lock(descriptor):
            if time.monotonic() >= deadline:
                raise LockTimeout(f"{path} is held by another process for more than {wait_s:g} s")
            time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)  # lets go of the lock


def is_held(path: Path) -> bool:
    """Whether some process holds the lock `path` now. Looking takes it for a moment if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
