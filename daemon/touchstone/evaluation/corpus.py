"""Which clips there are, and what is known of them: a manifest, or two folders.

A manifest is a table `manifest.csv` in the corpus's folder, one clip a line, with a header. Columns that are
read (others are ignored):

    file     path of the clip, from the folder of the manifest
    label    real, cgi or generated
    group    the generator, or the source of a real or rendered clip: one camera, one uploader, one maker
    family   optional: generators that share a decoder or a lineage; several are joined by `;`
    source   optional: where one group has clips of independent origin, what tells these apart

Without a manifest, clips lie in folders `real/`, `generated/` and (if any) `cgi/`; the folder below one of
these is the group, and a clip right in it is a group of its own.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..messages import say

REAL, CGI, GENERATED = "real", "cgi", "generated"
LABELS = (REAL, CGI, GENERATED)
MANIFEST = "manifest.csv"
_NEEDED = ("file", "label", "group")
_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".flv", ".ts", ".mts", ".mpg", ".mpeg", ".ogv", ".gif")
)


class BadCorpus(ValueError):
    """A folder holds no clips that can be evaluated. The text names it, the line and the remedy."""


@dataclass(frozen=True)
class Clip:
    """One clip.

    Attributes:
        path: of the file.
        name: its path from the corpus's folder.
        label: one of LABELS.
        group: generator, or source.
        family: of the generator; the group where none is named.
        source: what is independent of what: clips of one source count as one for false alarms.
    """

    path: Path
    name: str
    label: str
    group: str
    family: str
    source: str


def read_corpus(folder: Path, independent: Collection[str] = ()) -> list[Clip]:
    """The clips of a corpus, in the order of its manifest, or by name.

    Args:
        folder: of the corpus.
        independent: groups of which every clip is a source of its own.

    Raises:
        BadCorpus: there is no manifest and no folders, or a line of the manifest says something that makes no
            sense.
    """
    if not folder.is_dir():
        raise BadCorpus(say("evaluate.corpus.no_folder", folder=folder))
    manifest = folder / MANIFEST
    clips = list(_listed(folder, manifest) if manifest.is_file() else _found(folder))
    if not clips:
        raise BadCorpus(say("evaluate.corpus.empty", folder=folder))
    unknown = set(independent) - {clip.group for clip in clips}
    if unknown:
        raise BadCorpus(say("evaluate.corpus.no_group", groups=", ".join(sorted(unknown)), folder=folder))
    return [
        Clip(clip.path, clip.name, clip.label, clip.group, clip.family, clip.name)
        if clip.group in independent
        else clip
        for clip in clips
    ]


def _listed(folder: Path, manifest: Path) -> Iterator[Clip]:
    with manifest.open(newline="", encoding="utf-8-sig") as text:
        rows = csv.DictReader(text)
        missing = [column for column in _NEEDED if column not in (rows.fieldnames or ())]
        if missing:
            raise BadCorpus(say("evaluate.corpus.no_column", file=manifest, columns=", ".join(missing)))
        try:
            for line, row in enumerate(rows, 2):
                yield _clip(folder, manifest, line, row)
        except (csv.Error, UnicodeDecodeError) as problem:
            raise BadCorpus(say("evaluate.corpus.not_csv", file=manifest, reason=problem)) from problem


def _clip(folder: Path, manifest: Path, line: int, row: dict[str, str | None]) -> Clip:
    name, label, group = ((row[column] or "").strip() for column in _NEEDED)
    if label not in LABELS:
        raise BadCorpus(say("evaluate.corpus.bad_label", file=manifest, line=line, label=label))
    if not name or not group:
        raise BadCorpus(say("evaluate.corpus.bad_line", file=manifest, line=line))
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadCorpus(say("evaluate.corpus.outside", file=manifest, line=line, name=name))
    if not path.is_file():
        raise BadCorpus(say("evaluate.corpus.no_file", file=manifest, line=line, name=name))
    family = (row.get("family") or "").strip() or group
    source = (row.get("source") or "").strip()
    return Clip(path, name, label, group, family, f"{group}/{source}" if source else group)


def is_video(path: Path) -> bool:
    """Whether a file is named like a video."""
    return path.suffix.casefold() in _SUFFIXES


def _found(folder: Path) -> Iterator[Clip]:
    present = [label for label in LABELS if (folder / label).is_dir()]
    if not present:
        raise BadCorpus(say("evaluate.corpus.no_manifest", folder=folder, manifest=MANIFEST))
    for label in present:
        for path in sorted((folder / label).rglob("*")):
            if is_video(path) and path.is_file():
                parts = path.relative_to(folder / label).parts
                group = parts[0] if len(parts) > 1 else path.stem
                yield Clip(path, path.relative_to(folder).as_posix(), label, group, group, group)
