"""What a person may hand to `touchstone scan`: paths, folders, patterns, URLs, a list on standard input."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from ..messages import say
from ..wire import AnySource, FileSource, UrlSource

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


def sources(inputs: Sequence[str], fragments: Sequence[str], stdin: TextIO) -> Iterator[AnySource]:
    """Each input as a source, in the order given; folders and patterns are expanded in sorted order.

    A path that does not exist still becomes a source: the scan answers `unreadable` with the reason, so
    one bad path in a list of thousands costs that line only.

    Raises:
        BadInput: a folder or pattern without a single video, or fragments with more than one input.
    """
    if fragments and (len(inputs) != 1 or inputs[0] == "-"):
        raise BadInput(say("cli.scan.fragments_need_one_input"))
    for item in inputs:
        if item == "-":
            yield from (_source(line.strip(), ()) for line in stdin if line.strip())
        else:
            yield from _expand(item, fragments)


def _expand(item: str, fragments: Sequence[str]) -> Iterator[AnySource]:
    if is_url(item):
        yield UrlSource(url=item)
        return
    path = Path(item)
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.suffix.casefold() in MEDIA_SUFFIXES and p.is_file())
        if not files:
            raise BadInput(say("cli.scan.empty_folder", path=item))
        yield from (FileSource(path=str(p.absolute())) for p in files)
    elif not path.exists() and glob.has_magic(item):
        matches = sorted(glob.glob(item, recursive=True))  # noqa: PTH207 - patterns may be absolute
        if not matches:
            raise BadInput(say("cli.scan.empty_pattern", pattern=item))
        yield from (FileSource(path=str(Path(m).absolute())) for m in matches if Path(m).is_file())
    else:
        yield _source(item, fragments)


def _source(item: str, fragments: Sequence[str]) -> AnySource:
    if is_url(item):
        return UrlSource(url=item)
    # Absolute, because the daemon does not share our working directory.
    return FileSource(path=str(Path(item).absolute()), fragments=[str(Path(f).absolute()) for f in fragments])


def is_url(item: str) -> bool:
    """Whether an input is meant as an address rather than as a path."""
    return item.partition("://")[0].casefold() in ("http", "https") and "://" in item


def is_single(items: Sequence[str]) -> bool:
    """Whether the inputs name exactly one thing, whatever is in it: `--json` then prints one object."""
    if len(items) != 1 or items[0] == "-":
        return False
    if is_url(items[0]):
        return True
    path = Path(items[0])
    return not path.is_dir() and (path.exists() or not glob.has_magic(items[0]))
