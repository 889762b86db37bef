"""The tables of a calibration's report, for the page and for the console alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...evaluation.report import number
from ...messages import say


@dataclass(frozen=True)
class Sheet:
    """One table. `name`: for programs; `notes`: sentences below it."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def sheets(report: Mapping[str, Any]) -> list[Sheet]:
    """All tables of a report, in order."""
    return [_marks(report), _false_alarms(report), _detector(report), _verdicts(report)]


def about(report: Mapping[str, Any]) -> list[str]:
    """What a calibration was made from and what it changes, in sentences."""
    data = report["data"]
    told = [
        say(
            "calibrate.report.data",
            real=data["real"]["clips"],
            real_sources=data["real"]["sources"],
            cgi=data["cgi"]["clips"],
            cgi_sources=data["cgi"]["sources"],
            generated=data["generated"]["clips"],
            generators=data["generated"]["sources"],
            marked=data["marked"]["clips"],
            marked_sources=data["marked"]["sources"],
        ),
        say(
            "calibrate.report.made_clips",
            rendered=data["rendered"],
            reconstructed=data["reconstructed"],
            made=data["made"],
            conditions="; ".join(data["conditions"]),
        ),
    ]
    if data["trained_on"]:
        told.append(say("calibrate.report.trained_on", groups=data["trained_on"]))
    if not data["complete"]:
        told.append(say("calibrate.report.incomplete"))
    changes = "; ".join(report["changes"])
    told.append(
        say("calibrate.report.changes", what=changes) if changes else say("calibrate.report.no_changes")
    )
    told.append(say("calibrate.report.made", date=report["made_at"], command=report["made_by"]))
    return told


def problem_rows(report: Mapping[str, Any]) -> list[list[str]]:
    """A line for each clip that could not be looked at."""
    return [[row["clip"], row["condition"], row["reason"]] for row in report["problems"]]


def _columns(name: str) -> list[str]:
    return [column.strip() for column in say(f"calibrate.report.{name}_columns").split("|")]


def outcome(name: str) -> str:
    """How a claim fared, in words."""
    return say(f"calibrate.outcome.{name}")


def counted(share: Mapping[str, Any]) -> str:
    """A count with its exact range: `1 of 59 (0.0 to 9.1 %)`."""
    if not share["of"]:
        return "-"
    low, high = 100 * share["low"], 100 * share["high"]
    return say(
        "calibrate.report.counted", count=share["count"], of=share["of"], low=f"{low:.1f}", high=f"{high:.1f}"
    )


def share_text(value: float) -> str:
    """A share in percent, with as many digits as a small one needs."""
    return f"{100 * value:.3g} %"


def _marks(report: Mapping[str, Any]) -> Sheet:
    rows = []
    for mark in report["marks"]:
        everything = mark["conditions"][0]
        rows.append(
            [
                f"{mark['examiner']}: {mark['name']}",
                counted(everything["false"]),
                share_text(mark["claim"]["false_at_most"]),
                counted(everything["read"]),
                share_text(mark["claim"]["read_at_least"]),
                say(f"calibrate.word.{mark['outcome']}"),
                number(mark["log10_lr"], 2),
            ]
        )
    return Sheet(
        "marks",
        say("calibrate.report.marks"),
        _columns("mark"),
        rows,
        (say("calibrate.report.marks_note"),),
    )


def _false_alarms(report: Mapping[str, Any]) -> Sheet:
    rows = [
        [
            row["title"],
            f"{row['examiner']}: {row['name']}",
            counted(row["false"]),
            counted(row["read"]),
        ]
        for row in report["false_alarms"]
    ]
    return Sheet(
        "false_alarms",
        say("calibrate.report.false_alarms"),
        _columns("false_alarm"),
        rows,
        (say("calibrate.report.false_alarms_note"),),
    )


def _detector(report: Mapping[str, Any]) -> Sheet:
    detector = report["detector"]
    rows = [
        [
            row["name"],
            str(row["sources"]),
            str(row["generators"]),
            number(row.get("above"), 2),
            share_text(row["false_at_most"]) if "false_at_most" in row else "-",
            share_text(row["recall_at_least"]) if "recall_at_least" in row else "-",
            number(row.get("log10_lr"), 2),
            number(row["below"], 2),
            number(row["temperature"], 2),
        ]
        for row in detector["fitted"]
    ]
    notes = [detector["reason"], say("calibrate.report.detector_note")]
    return Sheet("detector", say("calibrate.report.detector"), _columns("detector"), rows, notes)


def _verdicts(report: Mapping[str, Any]) -> Sheet:
    labels = sorted({label for row in report["verdicts"] for label in row["labels"]})
    rows = [
        [
            row["title"],
            say(f"evaluate.class.{row['class']}"),
            *(str(row["labels"].get(label, 0)) for label in labels),
        ]
        for row in report["verdicts"]
    ]
    return Sheet(
        "verdicts",
        say("calibrate.report.verdicts"),
        [*_columns("verdict"), *labels],
        rows,
        (say("calibrate.report.verdicts_note"),),
    )
