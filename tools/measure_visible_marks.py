#!/usr/bin/env python3
"""Measures how often visible marks are read where they are, and where they are not.

usage: python tools/measure_visible_marks.py [--corpus ../shared/corpus] [--state FILE] [--jobs N] [--write]

Every clip of the corpus is examined twice: as a clip, and its middle look as a single picture. What a run has
done is kept in the state file, so that one that was ended goes on; it begins anew when the examiner changed.

- Read rate: clips that carry a mark for which there is a rule, and how many of them are reported with it.
- False readings: clips without a mark (of generated ones those that carry one are left out), and how many of
  them are reported with any. All rules are one family: any of them firing would be as wrong.

With --write: counts, exact 95 % bounds (Clopper-Pearson) and the log10 likelihood ratio they allow go into
examiners/visible_marks/measured.toml, the tables into docs/visible-marks.md.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from rich.progress import track

from clopper_pearson import clopper_pearson
from pages import put_section
from touchstone.examiners import visible_marks
from touchstone.examiners.visible_marks import VisibleMarks
from touchstone.examiners.visible_marks.looks import looks
from touchstone.examiners.visible_marks.rules import rules
from touchstone.media.container import CannotDecode, NotMedia
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames
from touchstone.verdict import Evidence, Supports

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(visible_marks.__file__).parent
PAGE = ROOT / "docs" / "visible-marks.md"

# Which rule reads the mark of a group of generated clips, and that of a row of expected.csv.
RULE_OF_GROUP = {
    "atomovideo": "atomovideo",
    "make_a_video": "meta_ai",
    "moonvalley_early": "moonvalley",
    "morph_studio": "morph",
    "pyoco": "pyoco",
}
RULE_OF_NAME = {
    "Sora": "sora", "Luma": "luma", "Pika": "pika", "Kling": "kling", "Doubao": "doubao", "Jimeng": "jimeng",
}  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """A file of the corpus: `mark` is the rule that should read it, "" none, "?" one that no rule knows."""

    file: str
    label: str
    group: str
    mark: str


@dataclass(frozen=True)
class Outcome:
    """What was reported of a clip, as rule names: as a clip, and of one picture of it."""

    clip: list[str]
    picture: list[str]
    looks: int


def corpus_clips(corpus: Path) -> Iterator[Clip]:
    """Everything that can be measured on."""
    with (corpus / "manifest.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            marked = row["visible_mark"] == "1"
            mark = RULE_OF_GROUP.get(row["group"], "?") if marked else ""
            yield Clip(row["file"], row["label"], row["group"], mark)
    with (corpus / "marks" / "expected.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            if row["examiner"] == "visible_marks":
                rule = RULE_OF_NAME[row["names"]]
                yield Clip(f"marks/{row['file']}", "marks", rule, rule)


def examined(path: Path) -> Outcome | None:
    """What is reported of a file; None, with a line on stderr, where no frame can be had."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            seen = looks(SampledFrames(read_container(file, size), [(file, size)], Sampling()))
    except (CannotDecode, NotMedia) as reason:
        print(f"{path}: {reason}", file=sys.stderr)
        return None
    middle = seen[len(seen) // 2 : len(seen) // 2 + 1]
    return Outcome(_rules(examiner().find(seen)), _rules(examiner().find(middle)), len(seen))


def _rules(evidence: Iterator[Evidence]) -> list[str]:
    return sorted(e.details["rule"] for e in evidence if e.supports is not Supports.NEITHER)


def fingerprint() -> str:
    """Changes with what decides what is found: all of the examiner but how it is reported and weighed."""
    wording = ("__init__.py", "report.py", "measured.py", "measured.toml")
    parts = sorted(p for p in PACKAGE.iterdir() if p.suffix in (".py", ".toml") and p.name not in wording)
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:16]


def measure(corpus: Path, state: Path, jobs: int) -> dict[Clip, Outcome]:
    """Examine every clip that the state file does not know yet."""
    edition = fingerprint()
    known = finished(state, edition)
    clips = list(corpus_clips(corpus))
    left = [clip.file for clip in clips if clip.file not in known]
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.open("a", encoding="utf-8") as file, ProcessPoolExecutor(jobs) as pool:
        examinations = pool.map(examined, [corpus / name for name in left])
        for name, outcome in track(zip(left, examinations, strict=True), "clips", len(left)):
            if outcome is not None:
                known[name] = outcome
                file.write(json.dumps({"edition": edition, "file": name, **asdict(outcome)}) + "\n")
                file.flush()
    return {clip: known[clip.file] for clip in clips if clip.file in known}


def finished(state: Path, edition: str) -> dict[str, Outcome]:
    """What earlier runs of the same examiner found, by file."""
    if not state.exists():
        return {}
    rows = [json.loads(line) for line in state.read_text(encoding="utf-8").splitlines()]
    return {
        row["file"]: Outcome(row["clip"], row["picture"], row["looks"])
        for row in rows
        if row["edition"] == edition
    }


@cache
def examiner() -> VisibleMarks:
    """The examiner of this process."""
    return VisibleMarks()


@dataclass(frozen=True)
class Rates:
    """Counts of one way of looking, and what they allow to say."""

    read: int
    marked: int
    false: int
    unmarked: int

    @property
    def read_lower(self) -> float:
        return clopper_pearson(self.read, self.marked)[0]

    @property
    def false_upper(self) -> float:
        return clopper_pearson(self.false, self.unmarked)[1]

    @property
    def log10_lr(self) -> float:
        """Never more than the bounds say, and nothing where they allow the opposite."""
        return max(math.log10(self.read_lower / self.false_upper), 0.0) if self.read_lower > 0 else 0.0

    def toml(self, name: str, comment: str) -> str:
        return (
            f"\n[{name}] # {comment}\n"
            f"read = {self.read}\nmarked = {self.marked}\nread_rate_lower = {self.read_lower:.4f}\n"
            f"false = {self.false}\nunmarked = {self.unmarked}\nfalse_rate_upper = {self.false_upper:.5f}\n"
            f"log10_lr = {math.floor(self.log10_lr * 100) / 100:.2f}\n"
        )


def rates(outcomes: dict[Clip, Outcome], kind: str) -> Rates:
    """Counts over the corpus for `kind`: "clip" or "picture"."""
    read = marked = false = unmarked = 0
    for clip, outcome in outcomes.items():
        fired = getattr(outcome, kind)
        if clip.mark not in ("", "?"):
            if kind == "picture" and not _counts_in_a_picture(clip.mark):
                continue
            marked += 1
            read += clip.mark in fired
        elif clip.mark == "":
            unmarked += 1
            false += bool(fired)
    return Rates(read, marked, false, unmarked)


def _counts_in_a_picture(rule: str) -> bool:
    return next(r.single for r in rules() if r.id == rule)


def tables(outcomes: dict[Clip, Outcome]) -> str:
    """The page's section."""
    whole, single = rates(outcomes, "clip"), rates(outcomes, "picture")
    lines = [
        "| | read | of marked | at least | false | of unmarked | at most | log10 LR |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, rate in (("clips", whole), ("single pictures", single)):
        found = f"{rate.read} | {rate.marked} | {rate.read_lower:.3f}"
        false = f"{rate.false} | {rate.unmarked} | {rate.false_upper:.5f}"
        lines.append(f"| {name} | {found} | {false} | {math.floor(rate.log10_lr * 100) / 100:.2f} |")
    lines += ["", "| rule | marked clips | read |", "|---|---|---|"]
    marks = Counter(clip.mark for clip in outcomes if clip.mark not in ("", "?"))
    hits = Counter(clip.mark for clip, outcome in outcomes.items() if clip.mark in outcome.clip)
    lines += [f"| {rule} | {marks[rule]} | {hits[rule]} |" for rule in sorted(marks)]
    lines += ["", "| clips without a mark | clips | sources or generators | false |", "|---|---|---|---|"]
    for label in ("real", "cgi", "generated"):
        those = {
            clip: outcome for clip, outcome in outcomes.items() if clip.label == label and clip.mark == ""
        }
        wrong = sum(bool(outcome.clip) for outcome in those.values())
        lines.append(f"| {label} | {len(those)} | {len({clip.group for clip in those})} | {wrong} |")
    others = [clip for clip in outcomes if clip.mark == "?"]
    lines += [
        "",
        f"Not counted: {len(others)} clips with a mark that no rule knows, of "
        f"{', '.join(sorted({clip.group for clip in others}))}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, default=ROOT.parent / "shared" / "corpus")
    ask.add_argument("--state", type=Path, default=ROOT / "build" / "measure_visible_marks.jsonl")
    ask.add_argument("--jobs", type=int, default=2, help="clips examined at once (default: 2)")
    ask.add_argument("--write", action="store_true", help="write measured.toml and docs/visible-marks.md")
    args = ask.parse_args()
    started = time.monotonic()
    outcomes = measure(args.corpus, args.state, args.jobs)
    section = tables(outcomes)
    print(section)
    for clip, outcome in outcomes.items():
        if clip.mark not in outcome.clip and clip.mark not in ("", "?"):
            print(f"not read: {clip.file} ({clip.mark}), {outcome.looks} looks: {outcome.clip}")
        if clip.mark == "" and (outcome.clip or outcome.picture):
            print(f"FALSE: {clip.file}: clip {outcome.clip}, picture {outcome.picture}")
    if args.write:
        header = "# Written by tools/measure_visible_marks.py; docs/visible-marks.md has the tables.\n"
        (PACKAGE / "measured.toml").write_text(
            header
            + rates(outcomes, "clip").toml("clip", "several looks, some way apart")
            + rates(outcomes, "picture").toml("picture", "a single one, of rules that count there"),
            encoding="utf-8",
        )
        put_section(PAGE, "measured", section)
    print(f"{len(outcomes)} clips in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
