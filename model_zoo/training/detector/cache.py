"""Makes the cache of patches, and reads it. Nothing of the corpus is ever kept in the repository.

usage: python -m detector.cache --corpus DIR --cache DIR [--conditions NAME ...]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .clips import make
from .conditions import DEGRADED, EVALUATED, RANDOM, deal, treatment
from .corpus import Clip, read_manifest, write_folds

ALL = (*EVALUATED, *RANDOM, *DEGRADED)


def fill(corpus: Path, cache: Path, conditions: Sequence[str] = ALL) -> None:
    """Treat every clip of the corpus that has not been yet. Goes on where it was ended."""
    clips = read_manifest(corpus)
    write_folds(clips, cache / "folds.json")
    dealt = deal(clips)
    started = time.monotonic()
    for number, clip in enumerate(clips):
        wanted = {
            name: (treatment(name, dealt[clip.name]), f"{name}/{clip.name}")
            for name in conditions
            if not (name in DEGRADED and clip.generated)
        }
        make(corpus / clip.file, cache / clip.name, wanted)
        if number % 20 == 0:
            print(f"{number}/{len(clips)} clips, {time.monotonic() - started:.0f} s", flush=True)


def read(cache: Path, clip: Clip, condition: str, *, mapped: bool = False) -> NDArray[np.uint8] | None:
    """The patches of a clip, `(N, 3, 192, 128)`; None if it has none in this condition.

    Args:
        mapped: leave them in the file, for who takes a few of them.
    """
    path = cache / clip.name / f"{condition}.npy"
    if not path.is_file():
        return None
    found: NDArray[np.uint8] = np.load(path, mmap_mode="r" if mapped else None)
    return found if len(found) else None


def measured(cache: Path, clip: Clip, condition: str) -> NDArray[np.float32] | None:
    """What was measured in a clip's patches, `(N, F)`, as `network.Front` puts it; None if it was not."""
    paths = [cache / clip.name / f"{condition}.{kind}.npy" for kind in ("stats", "deep")]
    if not all(path.is_file() for path in paths):
        return None
    return np.concatenate([np.load(path) for path in paths], 1)


def facts(cache: Path, clip: Clip, condition: str) -> Mapping[str, Any] | None:
    """What a classifier that sees no picture could know of a clip; None if it has no patches."""
    path = cache / clip.name / f"{condition}.json"
    if not path.is_file():
        return None
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found if found["patches"] else None


def excluded(cache: Path, clips: Sequence[Clip]) -> Iterator[tuple[Clip, str]]:
    """Clips that gave nothing, and why."""
    for clip in clips:
        path = cache / clip.name / "none.json"
        if path.is_file():
            yield clip, json.loads(path.read_text(encoding="utf-8"))["reason"]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument("--cache", type=Path, required=True)
    ask.add_argument("--conditions", nargs="+", choices=ALL, default=ALL, metavar="NAME")
    args = ask.parse_args()
    fill(args.corpus, args.cache, args.conditions)
    for clip, reason in excluded(args.cache, read_manifest(args.corpus)):
        print(f"left out {clip.file}: {reason}")


if __name__ == "__main__":
    main()
