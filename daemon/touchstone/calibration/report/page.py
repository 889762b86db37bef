"""The report of a calibration as one self-contained page: no scripts, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ...evaluation import plots
from ...evaluation.page import coverage, grid, reliability, whole
from ...evaluation.report import number
from ...messages import say
from .tables import Sheet, about, problem_rows, sheets

_EVERY_QUARTER = (0, 0.25, 0.5, 0.75, 1)


def page(report: Mapping[str, Any]) -> str:
    """The page's HTML."""
    title = say("calibrate.report.title", id=report["id"])
    detector = report["detector"]
    parts = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(text)}</p>" for text in about(report))]
    for sheet in sheets(report):
        parts.append(_sheet(sheet))
        if sheet.name == "false_alarms":
            parts.append(_alarms(report["false_alarms"]))
        if sheet.name == "detector":
            parts.append(_curves(detector["conditions"]))
    if report["problems"]:
        heading, columns = say("calibrate.report.problems"), say("calibrate.report.problem_columns")
        parts.append(f"<h2>{escape(heading)}</h2>{grid(columns.split('|'), problem_rows(report))}")
    return whole(title, parts)


def _sheet(sheet: Sheet) -> str:
    heading = f"<h2>{escape(sheet.title)}</h2>"
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in sheet.notes)
    return heading + (grid(sheet.columns, sheet.rows) if sheet.rows else "") + notes


def _alarms(rows: Sequence[Mapping[str, Any]]) -> str:
    """A bar for each examiner and encoding: false alarms of sources with exact bounds."""
    figures = []
    for examiner, name in dict.fromkeys((row["examiner"], row["name"]) for row in rows):
        drawn = [
            plots.Bar(
                row["title"],
                row["false"]["value"] or 0.0,
                row["false"]["low"],
                row["false"]["high"],
                f"{row['false']['count']} / {row['false']['of']}",
            )
            for row in rows
            if (row["examiner"], row["name"]) == (examiner, name) and row["false"]["of"]
        ]
        if drawn:
            title = say("calibrate.report.alarms_of", examiner=examiner, name=name)
            figures.append(plots.bars(title, drawn, colour=2))
    return f"<div class=plots>{''.join(figures)}</div>"


def _curves(tables: Sequence[Mapping[str, Any]]) -> str:
    if not any(table["roc"] for table in tables):
        return f"<p class=note>{escape(say('calibrate.report.no_curves'))}</p>"
    drawn = [reliability(tables), coverage(tables)] if any(t["calibration"] for t in tables) else []
    missing = "" if drawn else f"<p class=note>{escape(say('calibrate.report.no_folds'))}</p>"
    drawn += [_roc(table, colour % 8) for colour, table in enumerate(tables) if table["roc"]]
    return f"{missing}<div class=plots>{''.join(drawn)}</div>"


def _roc(table: Mapping[str, Any], colour: int) -> str:
    """Recall against false alarms with its band, linear on both sides."""
    across = plots.Axis(0, 1, _EVERY_QUARTER, say("evaluate.page.false_alarms"))
    up = plots.Axis(0, 1, _EVERY_QUARTER, say("evaluate.page.recall"))
    bands = [plots.Band(table["roc_band"], colour)] if table["roc_band"] else []
    banded = "with_band" if bands else "without_band"
    name = say(f"calibrate.report.{banded}", auc=number(table["auc"]))
    title = say("calibrate.report.roc", condition=table["title"])
    line = plots.Line(name, table["roc"], colour)
    return plots.lines(title, across, up, [line], diagonal=True, bands=bands)
