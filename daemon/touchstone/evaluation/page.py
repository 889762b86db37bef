"""The report as one self-contained page: no scripts, no fonts, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from ..messages import say
from . import plots
from .corpus import LABELS
from .report import about, number, percent


def page(report: Mapping[str, Any]) -> str:
    """The page's HTML."""
    title = say("evaluate.report.title", examiner=report["examiner"], corpus=report["corpus"])
    tables = report["conditions"]
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(about(report))}</p>",
        f"<h2>{escape(say('evaluate.report.conditions'))}</h2>",
        _summary(tables),
        f"<p class=note>{escape(say('evaluate.report.how_to_read'))}</p>",
        f"<div class=plots>{roc(tables)}{reliability(tables)}{coverage(tables)}</div>",
        recalls(tables),
        f"<h2>{escape(say('evaluate.report.scores'))}</h2>",
        f"<div class=plots>{''.join(_scores(table) for table in tables)}</div>",
        f"<h2>{escape(say('evaluate.report.generators'))}</h2>",
        *(_generators(table) for table in tables),
        f"<h2>{escape(say('evaluate.report.sources'))}</h2>",
        _flagged(tables),
    ]
    return whole(title, parts)


def whole(title: str, parts: Sequence[str]) -> str:
    """A page of parts, in light or dark as the reader's system is."""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style>'
        f"<main>{''.join(parts)}</main></html>\n"
    )


def _summary(tables: Sequence[Mapping[str, Any]]) -> str:
    columns = [say(f"evaluate.page.{key}") for key in ("condition", "auc", "at5", "at1", "at01", "cgi", "ms")]
    rows = [
        [
            table["title"],
            number(table["auc"]),
            *(
                percent(recall["recall"]) + ("" if recall["supported"] else " *")
                for recall in table["recall"]
            ),
            percent(table["recall"][1]["false_cgi_clips"]),
            number(table["ms"], 0),
        ]
        for table in tables
    ]
    return grid(columns, rows)


def grid(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def roc(tables: Sequence[Mapping[str, Any]]) -> str:
    """Recall against false alarms, a line for each condition."""
    across = plots.Axis(0.001, 1, [0.001, 0.01, 0.1, 1], say("evaluate.page.false_alarms"), logarithmic=True)
    up = plots.Axis(0, 1, [0, 0.25, 0.5, 0.75, 1], say("evaluate.page.recall"))
    drawn = [
        plots.Line(table["title"], table["roc"], colour % 8)
        for colour, table in enumerate(tables)
        if table["roc"]
    ]
    return plots.lines(say("evaluate.page.roc"), across, up, drawn)


def reliability(tables: Sequence[Mapping[str, Any]]) -> str:
    """Shares found against probabilities told, out of fold."""
    across = plots.Axis(0, 1, [0, 0.25, 0.5, 0.75, 1], say("evaluate.page.told"))
    up = plots.Axis(0, 1, [0, 0.25, 0.5, 0.75, 1], say("evaluate.page.found"))
    drawn = [
        plots.Line(
            table["title"],
            [(mean, found) for mean, found, _ in table["calibration"]["bins"]],
            colour % 8,
            dots=True,
        )
        for colour, table in enumerate(tables)
        if table["calibration"]
    ]
    return plots.lines(say("evaluate.page.reliability"), across, up, drawn, diagonal=True)


def coverage(tables: Sequence[Mapping[str, Any]]) -> str:
    """Risk against the share of clips decided on."""
    across = plots.Axis(0, 1, [0, 0.25, 0.5, 0.75, 1], say("evaluate.page.covered"))
    up = plots.Axis(0, 0.5, [0, 0.1, 0.2, 0.3, 0.4, 0.5], say("evaluate.page.risk"))
    drawn = [
        plots.Line(table["title"], table["coverage_risk"], colour % 8)
        for colour, table in enumerate(tables)
        if table["coverage_risk"]
    ]
    return plots.lines(say("evaluate.page.coverage"), across, up, drawn)


def recalls(tables: Sequence[Mapping[str, Any]]) -> str:
    """Recall at 1 % false alarms with its bounds, a bar for each condition."""
    drawn = [
        plots.Bar(
            table["title"],
            recall["value"],
            recall["low"],
            recall["high"],
            f"{recall['count']} / {recall['of']}",
        )
        for table in tables
        if (recall := table["recall"][1]["recall"])["of"]
    ]
    return plots.bars(say("evaluate.page.recalls"), drawn) if drawn else ""


def _scores(table: Mapping[str, Any]) -> str:
    histogram = table["histogram"]
    drawn = [
        (say(f"evaluate.class.{label}"), histogram[label], colour)
        for colour, label in enumerate(LABELS)
        if sum(histogram[label])
    ]
    return plots.histogram(table["title"], say("evaluate.page.score"), histogram["edges"], drawn)


def _generators(table: Mapping[str, Any]) -> str:
    rows = sorted(table["by_generator"], key=lambda row: -(row["auc"] or 0))
    drawn = [
        plots.Bar(
            row["name"],
            row["recall"]["value"] or 0,
            row["recall"]["low"],
            row["recall"]["high"],
            f"AUC {number(row['auc'], 2)}",
        )
        for row in rows
    ]
    if not drawn:
        return ""
    title = say("evaluate.page.by_generator", condition=table["title"])
    return f"<details><summary>{escape(title)}</summary>{plots.bars(title, drawn)}</details>"


def _flagged(tables: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [table["title"], row["label"], row["name"], f"{row['flagged']} / {row['clips']}"]
        for table in tables
        for row in table["by_source"][:10]
    ]
    if not rows:
        return f"<p>{escape(say('evaluate.report.none'))}</p>"
    return grid(say("evaluate.report.flagged_columns").split("|"), rows)
