#!/usr/bin/env python3
"""Changes every clip of the corpus that carries a visible mark, and looks whether the mark is still read.

usage: python tools/robustness_visible_marks.py [--corpus DIR] [--seconds 10] [--state FILE] [--write]

Conditions are those that invisible watermarks are measured under (measure_watermarks.py): H.264 at several
rates, smaller sizes, crop, letterbox, mirror, speed, and what a platform does. Each cell of the table is what
was read: looks with the mark of looks seen, or "no".

What a run has done is kept in the state file, so that one that was ended goes on.

With --write the table goes into docs/visible-marks.md.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from rich.progress import track

from measure_visible_marks import Clip, corpus_clips, examiner, fingerprint
from measure_watermarks import CONDITIONS, Condition, Pictures, encode
from pages import put_section
from touchstone.examiners.visible_marks.looks import looks
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "visible-marks.md"
RATE = 24  # frames a second that `encode` writes, which clips are brought to first


def pictures_of(path: Path, seconds: float) -> Pictures:
    """The first `seconds` of a clip at `RATE` frames a second, `(H, W, 3) uint8, RGB`."""
    kept: Pictures = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            time = float(frame.time or 0)
            if time > seconds:
                break
            while len(kept) / RATE <= time:
                kept.append(frame.to_ndarray(format="rgb24"))
    return kept


def changed(pictures: Pictures, condition: Condition) -> bytes:
    """The clip under a condition, as H.264 in MP4."""
    clip = encode(condition.change(pictures), condition.crf)
    if condition.twice:
        with av.open(io.BytesIO(clip)) as container:
            again = [np.asarray(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]
        clip = encode(again, condition.crf + 2)
    return clip


def cell(clip: bytes, rule: str) -> str:
    """What is read of `rule` in a clip."""
    file = io.BytesIO(clip)
    seen = looks(SampledFrames(read_container(file, len(clip)), [(file, len(clip))], Sampling()))
    for evidence in examiner().find(seen):
        if evidence.details["rule"] == rule:
            return f"{evidence.details['frames_with']} of {evidence.details['frames_seen']}"
    return "no"


def known_cells(state: Path) -> dict[tuple[str, str], str]:
    """What earlier runs of the same examiner found, by file and condition."""
    if not state.exists():
        return {}
    rows = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    edition = fingerprint()
    return {(row["file"], row["condition"]): row["found"] for row in rows if row["edition"] == edition}


def one_of_each(corpus: Path) -> Iterator[Clip]:
    """Every marked clip of the marks, and of each generated group the first."""
    groups: set[str] = set()
    for clip in corpus_clips(corpus):
        if clip.mark in ("", "?") or not clip.file.endswith((".mp4", ".webm", ".mov", ".mkv")):
            continue
        if clip.label == "marks" or clip.group not in groups:
            groups.add(clip.group)
            yield clip


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--seconds", type=float, default=10.0, help="of each clip, from its start (default: 10)")
    ask.add_argument("--state", type=Path, default=ROOT / "build" / "robustness_visible_marks.jsonl")
    ask.add_argument("--write", action="store_true", help="write the table into docs/visible-marks.md")
    args = ask.parse_args()
    clips = list(one_of_each(args.corpus))
    cells = known_cells(args.state)
    args.state.parent.mkdir(parents=True, exist_ok=True)
    with args.state.open("a", encoding="utf-8") as file:
        for clip in track(clips, "clips"):
            left = [condition for condition in CONDITIONS if (clip.file, condition.name) not in cells]
            pictures = pictures_of(args.corpus / clip.file, args.seconds) if left else []
            for condition in left:
                found = cell(changed(pictures, condition), clip.mark)
                cells[clip.file, condition.name] = found
                line = {
                    "edition": fingerprint(),
                    "file": clip.file,
                    "condition": condition.name,
                    "found": found,
                }
                file.write(json.dumps(line) + "\n")
                file.flush()
    head = "| condition | " + " | ".join(clip.mark for clip in clips) + " |"
    lines = [head, "|---" * (len(clips) + 1) + "|"]
    for condition in CONDITIONS:
        found_of = " | ".join(cells[clip.file, condition.name] for clip in clips)
        lines.append(f"| {condition.name} | {found_of} |")
    section = "\n".join(lines)
    print(section)
    if args.write:
        put_section(PAGE, "robustness", section)
    return 0


if __name__ == "__main__":
    sys.exit(main())
