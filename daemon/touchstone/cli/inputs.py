"""What a person may hand to `touchstone scan`: paths, folders, patterns, URLs, a list on standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..messages import say
from ..system.terminal import plain

if TYPE_CHECKING:
    from ..verdict import SourceKind
    from ..wire import AnySource

MEDIA_SUFFIXES = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".3gp",
        ".mkv",
        ".webm",
        ".avi",
        ".flv",
        ".ts",
        ".mts",
        ".m2ts",
        ".mpg",
        ".mpeg",
        ".ogv",
        ".wmv",
        ".png",
        ".apng",
        ".jpg",
        ".jpeg",
        ".webp",
        ".gif",
        ".avif",
        ".heic",
        ".heif",
        ".tif",
        ".tiff",
    ]
)
"""Which files of a *folder* are taken. A file that is named outright is always scanned."""


class BadInput(ValueError):
    """An input that names nothing that could be scanned. The text names it and the remedy."""


@dataclass(frozen=True)
class Unscannable:
    """An input that no source can be made of. It costs its own line and no other: an `unreadable` scan.

    Attributes:
        kind: what it was meant as.
        name: as it was given, in printable characters.
        reason: why, and what to do about it.
    """

    kind: SourceKind
    name: str
    reason: str


def sources(
    inputs: Sequence[str], fragments: Sequence[str], stdin: TextIO
) -> Iterator[AnySource | Unscannable]:
    """Each input as a source, in the order given; folders and patterns are expanded in sorted order.

    A path that does not exist still becomes a source: the scan answers `unreadable` with the reason, so
    one bad path in a list of thousands costs that line only.

    Raises:
        BadInput: an empty argument, a folder or pattern without a single video, or fragments with more than
            one input.
    """
    if fragments and (len(inputs) != 1 or inputs[0] == "-"):
        raise BadInput(say("cli.scan.fragments_need_one_input"))
    for item in inputs:
        if item == "-":
            yield from (_source(_listed(line), ()) for line in stdin if line.strip())
        else:
            yield from _expand(item, fragments)


def _listed(line: str) -> str:
    """What a line of a list names: a list may be indented, but a name may begin or end with a space too."""
    name = line.rstrip("\r\n")
    return name if os.path.exists(name) else name.strip()  # noqa: PTH110 - see _expand


def _expand(item: str, fragments: Sequence[str]) -> Iterator[AnySource | Unscannable]:
    if not item:  # Path("") would be the working directory: a script's unset variable would scan all of it
        raise BadInput(say("cli.scan.empty_argument"))
    if is_url(item):
        yield _source(item, ())
        return
    path = Path(item)
    # os.path answers False where Path raises: a name that is too long, one with a NUL in it.
    if os.path.isdir(item):  # noqa: PTH112
        files = sorted(p for p in path.rglob("*") if p.suffix.casefold() in MEDIA_SUFFIXES and p.is_file())
        if not files:
            raise BadInput(say("cli.scan.empty_folder", path=item))
        yield from (_source(str(p), ()) for p in files)
    elif not os.path.exists(item) and glob.has_magic(item):  # noqa: PTH110
        matches = sorted(glob.glob(item, recursive=True))  # noqa: PTH207 - patterns may be absolute
        if not matches:
            raise BadInput(say("cli.scan.empty_pattern", pattern=item))
        yield from (_source(m, ()) for m in matches if Path(m).is_file())
    else:
        yield _source(item, fragments)


def _source(item: str, fragments: Sequence[str]) -> AnySource | Unscannable:
    # Only here: `--help` loads this module with every command, and what checks sources takes longer than all.
    from pydantic import ValidationError

    from ..verdict import SourceKind
    from ..wire import FileSource, UrlSource

    kind = SourceKind.URL if is_url(item) else SourceKind.FILE
    try:
        if kind is SourceKind.URL:
            return UrlSource(url=item)
        # Absolute, because the daemon does not share our working directory.
        parts = [str(Path(f).absolute()) for f in fragments]
        return FileSource(path=str(Path(item).absolute()), fragments=parts)
    except ValidationError:
        pieces = (item, *fragments)
        not_unicode = any(piece != piece.encode("utf-8", "replace").decode() for piece in pieces)
        reason = say(f"cli.scan.{'not_unicode' if not_unicode else 'too_long'}")
        return Unscannable(kind, plain(item), reason)


def is_url(item: str) -> bool:
    """Whether an input is meant as an address rather than as a path."""
    return item.partition("://")[0].casefold() in ("http", "https") and "://" in item


def is_single(items: Sequence[str]) -> bool:
    """Whether the inputs name exactly one thing, whatever is in it: `--json` then prints one object."""
    if len(items) != 1 or items[0] == "-":
        return False
    if is_url(items[0]):
        return True
    if os.path.isdir(items[0]):  # noqa: PTH112 - see _expand
        return False
    return os.path.exists(items[0]) or not glob.has_magic(items[0])  # noqa: PTH110
