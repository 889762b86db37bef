"""Taking in a model file of the user's own: checked in a confined process before anything here opens it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..messages import say
from ..system.paths import replace_file
from ..zoo.entry import MAX_FILE, Model, Variant
from ..zoo.pull import make_folder, storing
from ..zoo.registry import IMPORTED, Zoo, sha256_of

__all__ = ["Imported", "NotImported", "import_model"]

Check = Callable[[Path, Model], dict[str, Any]]
"""Looks at a file in a process of its own; see `checker.check_confined`. Raises `NotImported`."""

_CHUNK = 1 << 20


class NotImported(Exception):
    """A file may not be imported. The text names it and says why."""


@dataclass(frozen=True)
class Imported:
    """A model that was taken in: its entry with its file, where that is, and what the check found."""

    model: Model
    path: Path
    facts: dict[str, Any]


def import_model(
    zoo: Zoo, file: Path, card: Model, check: Check, *, reserved: Collection[str] = ()
) -> Imported:
    """Copy a file into the zoo, have the copy checked, and put it in place with its card.

    An earlier import of the same name and version is replaced.

    Args:
        file: the ONNX file.
        card: what it is; has no variants.
        check: looks at it.
        reserved: names besides those of the zoo that are taken: of models that come with the program.

    Raises:
        NotImported: the file cannot be read, or the check refused it.
        PullFailed: it cannot be stored.
    """
    if card.name in {*(model.name for model in zoo.shipped), *reserved}:
        raise NotImported(say("models.import.name_taken", name=card.name))
    try:
        size = file.stat().st_size
    except OSError as problem:
        raise NotImported(say("models.import.cannot_read", file=file, reason=problem.strerror)) from problem
    if not file.is_file() or not 0 < size <= MAX_FILE:
        key = "too_large" if size > MAX_FILE else "no_file"
        raise NotImported(say(f"models.import.{key}", file=file, mb=MAX_FILE >> 20, found=size >> 20))
    with storing(zoo.folder, size):
        folder = make_folder(zoo.folder, card)
        arriving = folder / f".{os.getpid()}.part"
        try:
            _copy(file, arriving)
            try:
                facts = check(arriving, card)
            except NotImported as reason:
                raise NotImported(say("models.import.refused", file=file, reason=reason)) from reason
            variant = Variant(file="model.onnx", sha256=sha256_of(arriving), size=arriving.stat().st_size)
            model = card.model_copy(update={"variants": (variant,)})
            path = folder / variant.file
            arriving.replace(path)
            entry = json.dumps(model.as_json(), indent=2, ensure_ascii=False)
            replace_file(folder / IMPORTED, entry.encode(), 0o600)
        finally:
            arriving.unlink(missing_ok=True)
            if not any(folder.iterdir()):
                folder.rmdir()
                if not any(folder.parent.iterdir()):
                    folder.parent.rmdir()
    return Imported(model, path, facts)


def _copy(file: Path, target: Path) -> None:
    """Copy at most `MAX_FILE` bytes: a file that grows meanwhile is cut, and the check then refuses it.

    Raises:
        NotImported: the file cannot be read.
        OSError: the target cannot be written.
    """
    try:
        source = file.open("rb")
    except OSError as problem:
        raise NotImported(say("models.import.cannot_read", file=file, reason=problem.strerror)) from problem
    with source, target.open("wb") as copy:
        left = MAX_FILE
        while left and (chunk := source.read(min(_CHUNK, left))):
            copy.write(chunk)
            left -= len(chunk)
