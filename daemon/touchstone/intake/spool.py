"""Private temporary files for fetched bytes.

Each scan has a folder of its own (0700) that is removed when the scan ends. What a killed process left
behind is removed by the next one that runs.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

from ..messages import say
from . import IntakeError
from .ranges import Range, merge, missing

STALE_AFTER_S = 24 * 3600.0
"""Age of a folder that no scan can be using any more."""

_PREFIX = "fetch-"
_NO_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Spool:
    """Hands out folders for fetched files.

    Args:
        folder: where they are; made when it is first needed, for this user only.
        clock: seconds since the epoch.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._swept = False

    @asynccontextmanager
    async def workspace(self) -> AsyncIterator[Path]:
        """An empty folder of one scan's own, removed with everything in it when the context closes.

        Raises:
            IntakeError: `no_space` when the disk has no room for it.
        """
        try:
            folder = await asyncio.to_thread(self._make)
        except OSError as problem:
            raise _cannot_write(self._folder, problem) from problem
        try:
            yield folder
        finally:
            # Not awaited: a cancelled scan must leave nothing behind either.
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            self._sweep()
        return Path(mkdtemp(prefix=_PREFIX, dir=self._folder))  # 0700

    def _sweep(self) -> None:
        for left in self._folder.glob(f"{_PREFIX}*"):
            try:
                age = self._clock() - left.lstat().st_mtime
            except FileNotFoundError:
                continue  # another process was faster
            if age > STALE_AFTER_S:
                shutil.rmtree(left, ignore_errors=True)


class SparseFile:
    """A private file that is filled in pieces and knows which bytes it holds; holes read as zeros."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.present: tuple[Range, ...] = ()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as problem:
            raise _cannot_write(path.parent, problem) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    async def write(self, offset: int, data: bytes | bytearray) -> None:
        """Write `data` at `offset`.

        Raises:
            IntakeError: `no_space`.
        """
        await asyncio.to_thread(self._write, offset, memoryview(data))
        self.present = merge((*self.present, (offset, offset + len(data))))

    async def read(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`; shorter only at the end of what has been written."""
        return await asyncio.to_thread(self._read, offset, count)

    async def set_size(self, size: int) -> None:
        """Make the file as long as the one it stands for, without taking room for the holes."""
        await asyncio.to_thread(self._truncate, size)

    def missing(self, start: int, end: int) -> tuple[Range, ...]:
        """The parts of `(start, end)` that are not there yet."""
        return missing((start, end), self.present)

    def _write(self, offset: int, data: memoryview) -> None:
        try:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as problem:
            raise _cannot_write(self.path.parent, problem) from problem

    def _read(self, offset: int, count: int) -> bytes:
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        parts = []
        while count > 0 and (part := os.read(self._descriptor, count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _truncate(self, size: int) -> None:
        try:
            os.truncate(self._descriptor, size)
        except OSError as problem:
            raise _cannot_write(self.path.parent, problem) from problem


def _cannot_write(folder: Path, problem: OSError) -> IntakeError:
    key = "full" if problem.errno in _NO_SPACE else "cannot_write"
    return IntakeError(
        "no_space", say(f"intake.spool.{key}", folder=folder, why=problem.strerror or str(problem))
    )
