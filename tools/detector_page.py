#!/usr/bin/env python3
"""Puts what `touchstone evaluate` found into docs/detector.md: the tables of its report, and plots as SVG.

usage: python tools/detector_page.py REPORT_FOLDER

Nothing is measured here: the report names the command that made it.
"""

from __future__ import annotations

import argparse
import json
from importlib import resources
from pathlib import Path
from typing import Any

from pages import put_section
from touchstone import evaluation
from touchstone.evaluation import page, plots
from touchstone.evaluation.report import about, markdown

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "detector.md"
PLOTS = {
    "roc": "Recall against false alarms, a line for each condition",
    "recalls": "Recall at 1 % false alarms with exact bounds, a bar for each condition",
    "coverage": "Share decided wrongly against the share of clips decided on, surest first",
    "reliability": "Share that AI made against the probability told",
}


def section(report: dict[str, Any]) -> str:
    """The report's tables under headings of the third level, plots before them."""
    text = markdown(report).split("\n", 3)[3].replace("\n## ", "\n### ")
    shown = "\n\n".join(
        f"![{title}](detector/{name}.svg)"
        for name, title in PLOTS.items()
        if (PLACE / f"{name}.svg").exists()
    )
    worth = f"{report['worth']}.\n\n" if report.get("worth") else ""
    opening, _, tables = text.partition("\n### ")
    return f"{about(report)} {worth}{shown}\n\n### {tables}" if tables else opening


PLACE = ROOT / "docs" / "detector"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("report", type=Path, help="folder that `touchstone evaluate --out` wrote")
    folder: Path = ask.parse_args().report
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    style = resources.files(evaluation).joinpath("page.css").read_text(encoding="utf-8")
    PLACE.mkdir(exist_ok=True)
    for name in PLOTS:
        if figure := getattr(page, name)(report["conditions"]):
            text = plots.standalone(figure, style)
            (PLACE / f"{name}.svg").write_text(text, encoding="utf-8")
    put_section(PAGE, "measured", section(report))


if __name__ == "__main__":
    main()
