"""Holds `touchstone scan` against a folder of marked files whose marks are known, and writes docs/marks.md.

The folder has an `expected.csv`: for a file and an examiner, what that examiner's evidence must say. Each row
becomes a line of the table, with what was found. Exits 1 when a row disagrees and marks_disputed.toml does
not say why the row is wrong.

usage: marks_table.py --corpus DIR [--examiner NAME ...] [--write FILE]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Expected = dict[str, str]  # one row of expected.csv

EXAMINERS = ("content_credentials", "labels", "visible_marks", "watermarks")
DISPUTED = tomllib.loads(Path(__file__).with_name("marks_disputed.toml").read_text(encoding="utf-8"))
BATCH = 40  # paths on one command line

HEADER = """# Marks: what is found in files whose marks are known

Made by `make check-marks`, which scans a corpus of signed, labelled and tampered files with a fresh home and
without a daemon, so by what Touchstone itself pins and nothing that was fetched. The corpus may not be
redistributed and is not part of this repository; the names say what kind of file each is. "Expected" and
"found" read: what the evidence supports, and whether a trusted signature verifies it.

What marks survive (re-encoding, scaling, cropping, mirroring, other speeds, platforms) and how often they are
read where they are not stands in [visible-marks.md](visible-marks.md) and
[watermarks-measured.md](watermarks-measured.md).

| file | examiner | expected | found | agree |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """One row of expected.csv, and what the scan of its file says."""

    expected: Expected
    scan: dict[str, Any]

    @property
    def evidence(self) -> list[dict[str, Any]]:
        return [e for e in self.scan["evidence"] if e["examiner"] == self.expected["examiner"]]

    @property
    def agrees(self) -> bool:
        wanted = self.expected
        if wanted["supports"] == "neither":
            if any(e["supports"] != "neither" for e in self.evidence):
                return False
            return wanted["tampered"] != "yes" or any(e["details"].get("tampered") for e in self.evidence)
        return any(self._is_hit(e) for e in self.evidence)

    def _is_hit(self, evidence: dict[str, Any]) -> bool:
        wanted = self.expected
        generator = self.scan["verdict"]["generator"] or ""
        said = f"{evidence['finding']} {generator} {json.dumps(evidence['details'], ensure_ascii=False)}"
        return (
            evidence["supports"] == wanted["supports"]
            and wanted["verified"] in ("-", "yes" if evidence["verified"] else "no")
            and wanted["names"].casefold() in said.casefold()
        )

    @property
    def dispute(self) -> str | None:
        """Why the row itself is wrong, if it is."""
        entries = DISPUTED.get(self.expected["file"], [])
        return next((e["why"] for e in entries if e["examiner"] == self.expected["examiner"]), None)

    def line(self) -> str:
        wanted = self.expected
        expected = wanted["supports"]
        if wanted["verified"] == "yes":
            expected += ", verified"
        if wanted["names"]:
            expected += f", names {wanted['names']}"
        if wanted["tampered"] == "yes":
            expected += ", tampered"
        found = "; ".join(
            f"{e['supports']}{', verified' if e['verified'] else ''}: {e['finding']}" for e in self.evidence
        )
        cells = (
            f"`{wanted['file']}`",
            wanted["examiner"],
            expected,
            found or "nothing",
            "yes" if self.agrees else "NO",
        )
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def scans(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Scan files as a new user without network trust would: in a home of its own, in one process."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "TOUCHSTONE_HOME": home}
        for start in range(0, len(files), BATCH):
            batch = [str(f) for f in files[start : start + BATCH]]
            touchstone = str(Path(sys.executable).with_name("touchstone"))
            run = subprocess.run(
                [touchstone, "scan", "--no-daemon", "--jsonl", *batch],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=False,
            )
            lines = run.stdout.splitlines()
            if run.returncode not in (0, 3) or len(lines) != len(batch):
                sys.exit(f"scanning {len(batch)} files ended with {run.returncode} and {len(lines)} scans")
            yield from map(json.loads, lines)


def silent_rows(corpus: Path, examiners: Sequence[str], rows: Sequence[Expected]) -> list[Expected]:
    """Rows for every other file of the corpus: nothing may be said of it by these examiners."""
    known = {(row["file"], row["examiner"]) for row in rows}
    with (corpus / "manifest.csv").open(newline="", encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    blank = {"supports": "neither", "verified": "-", "names": "", "tampered": "no", "note": ""}
    return [
        {"file": name, "examiner": examiner, **blank}
        for name in dict.fromkeys(names)
        for examiner in examiners
        # Trust lists and the pieces of a DASH stream are no files that one would scan alone.
        if (name, examiner) not in known and not name.startswith(("trust/", "c2pa_dash/"))
    ]


def page(rows: Sequence[Row], expected: int) -> str:
    """The table of the first `expected` rows, and of any other that disagrees."""
    shown = [row for at, row in enumerate(rows) if at < expected or not row.agrees]
    agree = sum(row.agrees for row in rows)
    closing = (
        f"\n{agree} of {len(rows)} agree. The {len(rows) - len(shown)} that the table leaves out are pairs of"
        " a file and an examiner that must find nothing there that supports AI, editing or a camera, and"
        " does not.\n"
    )
    disputed = "".join(
        f"\nDisputed, `{row.expected['file']}`, {row.expected['examiner']}: {row.dispute}\n"
        for row in shown
        if row.dispute and not row.agrees
    )
    return HEADER + "".join(row.line() + "\n" for row in shown) + closing + disputed


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True, help="folder with the files and expected.csv")
    ask.add_argument("--examiner", nargs="+", default=list(EXAMINERS), choices=EXAMINERS)
    ask.add_argument("--write", type=Path, help="write the table to this file")
    args = ask.parse_args()
    table = args.corpus / "expected.csv"
    if not table.is_file():
        sys.exit(f"{table} is not there; give --corpus the folder of marked files that has it")
    with table.open(newline="", encoding="utf-8") as file:
        expected = [row for row in csv.DictReader(file) if row["examiner"] in args.examiner]
    expected = [row for row in expected if (args.corpus / row["file"]).is_file()]
    silent = silent_rows(args.corpus, args.examiner, expected)
    wanted = [*expected, *(row for row in silent if (args.corpus / row["file"]).is_file())]
    names = list(dict.fromkeys(row["file"] for row in wanted))
    found = dict(zip(names, scans([args.corpus / name for name in names]), strict=True))
    rows = [Row(row, found[row["file"]]) for row in wanted]
    for row in rows:
        if not row.agrees:
            print(row.line())
            if row.dispute:
                print(f"  disputed: {row.dispute}")
    if args.write:
        args.write.write_text(page(rows, len(expected)), encoding="utf-8")
    agree = sum(row.agrees for row in rows)
    print(f"{agree} of {len(rows)} agree")
    return 0 if all(row.agrees or row.dispute for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
