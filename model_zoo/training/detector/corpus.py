"""The corpus as training sees it: clips, what they are, and which of them may never be parted.

Clips are split by origin, not one by one. Generators that share a decoder or a lineage are one family; clips
of one repository share a camera or an uploader. A fold holds whole families and whole sources, so that every
score in the table is of a generator and of a source that its model has never met.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDS = 5
SEED = "touchstone-detector-1"

GENERATED, REAL, CGI = "generated", "real", "cgi"


@dataclass(frozen=True)
class Clip:
    """One row of the manifest.

    Attributes:
        file: below the corpus's folder.
        label: `generated`, `real` or `cgi`.
        group: the generator, or the source of a real or drawn clip.
        families: generators that share a decoder; for others the group alone.
    """

    file: str
    label: str
    group: str
    families: frozenset[str]
    sha256: str

    @property
    def generated(self) -> bool:
        return self.label == GENERATED

    @property
    def name(self) -> str:
        """A name for its files in the cache: the start of its checksum."""
        return self.sha256[:20]


def read_manifest(corpus: Path) -> list[Clip]:
    """The clips that training uses, in the manifest's order.

    Raises:
        FileNotFoundError: there is no `manifest.csv` in `corpus`.
    """
    path = corpus / "manifest.csv"
    if not path.is_file():
        raise FileNotFoundError(f"no manifest.csv in {corpus}; give the folder that holds the corpus")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Clip(row["file"], row["label"], row["group"], _families(row), row["sha256"])
        for row in rows
        if row["label"] in (GENERATED, REAL, CGI)
    ]


def _families(row: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name in row["family"].split(";") if name) or frozenset({row["group"]})


def components(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """Clips by what has to stay together: groups, joined wherever they share a family.

    A component is named after the first of its families in the alphabet.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    kept = list(clips)
    for clip in kept:
        first, *others = sorted([*clip.families, clip.group])
        for other in others:
            low, high = sorted((root(first), root(other)))
            parent[high] = low
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in kept:
        found[root(clip.group)].append(clip)
    return dict(found)


def folds(clips: Sequence[Clip], count: int = FOLDS, seed: str = SEED) -> dict[str, int]:
    """The fold of each group, whole components together, about equally many clips of each label in each.

    Components are dealt from large to small, each to the fold that has least of it so far; what is equal is
    decided by a hash of its name, so that the split depends on the names and the seed and on nothing else.
    """
    fold_of: dict[str, int] = {}
    loads = {label: [0] * count for label in (GENERATED, REAL, CGI)}
    named = components(clips)

    def order(name: str) -> tuple[int, str]:
        return -len(named[name]), hashlib.sha256(f"{seed}/{name}".encode()).hexdigest()

    for name in sorted(named, key=order):
        members = named[name]
        main = GENERATED if any(clip.generated for clip in members) else REAL
        if all(clip.label == CGI for clip in members):
            main = CGI
        fold = min(range(count), key=lambda number: (loads[main][number], number))
        for clip in members:
            loads[clip.label][fold] += 1
            fold_of[clip.group] = fold
    return fold_of


def write_folds(clips: Sequence[Clip], path: Path) -> dict[str, int]:
    """Write the split to `path` and give it; a file that is there already has to say the same.

    Raises:
        ValueError: the file holds another split: of another corpus, or of another version of this program.
    """
    found = folds(clips)
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != found:
            raise ValueError(f"{path} holds another split than this corpus gives; move it away to start anew")
        return found
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return found
