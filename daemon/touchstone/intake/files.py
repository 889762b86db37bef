"""Files on this computer: what may be read, and what its SHA-256 is.

Nothing here follows what a file says; it only makes sure that there is an ordinary file with bytes in it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

from ..messages import say
from . import IntakeError

READ_SIZE = 1 << 20
"""Bytes per read while hashing: large enough that the interpreter's share of the time is small."""

_KINDS = (
    (stat.S_ISDIR, "folder"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISCHR, "device"),
    (stat.S_ISBLK, "device"),
)

# Opening a pipe for reading blocks until someone writes to it; with O_NONBLOCK it returns at once, and
# `fstat` then tells what was opened. Checking the path first and opening it after could be raced.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def check_file(path: Path) -> int:
    """Size in bytes of an ordinary, readable, non-empty file. Blocks on the disk only.

    Raises:
        IntakeError: `not_found`, `not_a_file`, `not_readable` or `empty`, naming the path.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise _why_not_opened(path, problem) from problem
    try:
        status = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise _not_a_file(path, status.st_mode)
    if status.st_size == 0:
        raise IntakeError("empty", say("intake.file.empty", path=path))
    return status.st_size


def sha256_of(path: Path, limit: int) -> str | None:
    """SHA-256 of a file as hex, or None when it is longer than `limit` bytes. Blocks; run it in a thread.

    Raises:
        IntakeError: `not_readable` when the disk fails under the read.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(READ_SIZE))
    seen = 0
    try:
        with path.open("rb", buffering=0) as file:
            while got := file.readinto(buffer):
                seen += got
                if seen > limit:  # it may have grown since its size was looked at
                    return None
                digest.update(buffer[:got])
    except OSError as problem:
        raise IntakeError(
            "not_readable", say("intake.file.not_readable", path=path, why=_words(problem))
        ) from problem
    return digest.hexdigest()


def _why_not_opened(path: Path, problem: OSError | ValueError) -> IntakeError:
    if isinstance(problem, ValueError):
        return IntakeError("not_found", say("intake.file.not_found", path=ascii(str(path))))
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        return IntakeError("not_found", say("intake.file.not_found", path=path))
    if isinstance(problem, IsADirectoryError):
        return IntakeError("not_a_file", say("intake.file.folder", path=path))
    if problem.errno == errno.ENXIO:  # a socket, or a device without its hardware
        return IntakeError("not_a_file", say("intake.file.socket", path=path))
    if isinstance(problem, PermissionError):
        if path.is_dir():  # Windows answers so for folders
            return IntakeError("not_a_file", say("intake.file.folder", path=path))
        return IntakeError("not_readable", say("intake.file.no_permission", path=path))
    return IntakeError("not_readable", say("intake.file.not_readable", path=path, why=_words(problem)))


def _not_a_file(path: Path, mode: int) -> IntakeError:
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "device")
    return IntakeError("not_a_file", say(f"intake.file.{kind}", path=path))


def _words(problem: OSError) -> str:
    return problem.strerror or str(problem)
