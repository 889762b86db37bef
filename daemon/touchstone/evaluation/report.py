"""A whole report: the tables of all conditions, as JSON and as a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..messages import say
from .conditions import Condition
from .corpus import LABELS, Clip
from .run import Looked
from .table import table_of

SCHEMA = "touchstone.report/1"


def report_of(
    looked: Sequence[Looked],
    conditions: Sequence[Condition],
    examiner: str,
    *,
    left_out: Sequence[Clip],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """The report as JSON values.

    Args:
        looked: what was said of every clip that counts.
        conditions: in order.
        examiner: whose scores.
        left_out: clips of groups that the model was trained on.
        about: model, corpus, command and date.
    """
    clips = {look.clip.name: look.clip for look in looked}
    return {
        "schema": SCHEMA,
        **about,
        "examiner": examiner,
        "clips": {label: sum(clip.label == label for clip in clips.values()) for label in LABELS},
        "sources": {
            label: len({clip.source for clip in clips.values() if clip.label == label}) for label in LABELS
        },
        "trained_on": {
            label: len({clip.group for clip in left_out if clip.label == label}) for label in LABELS
        },
        "conditions": [
            table_of(condition, [look for look in looked if look.condition == condition.name], examiner)
            for condition in conditions
        ],
        "problems": [
            {"clip": look.clip.name, "condition": look.condition, "reason": look.problem}
            for look in looked
            if look.problem
        ],
    }


def markdown(report: Mapping[str, Any]) -> str:
    """The report for people who read text."""
    lines = [
        f"# {say('evaluate.report.title', examiner=report['examiner'], corpus=report['corpus'])}",
        "",
        about(report),
        "",
        f"## {say('evaluate.report.conditions')}",
        "",
        *_rows(
            say("evaluate.report.condition_columns").split("|"),
            [_condition_row(table) for table in report["conditions"]],
        ),
        "",
        say("evaluate.report.how_to_read"),
    ]
    for key, heading in (("by_family", "families"), ("by_generator", "generators")):
        lines += ["", f"## {say(f'evaluate.report.{heading}')}", "", *_grouped(report, key)]
    lines += ["", f"## {say('evaluate.report.sources')}", "", *_flagged(report)]
    lines += ["", f"## {say('evaluate.report.outcomes')}", "", *_outcomes(report)]
    lines += ["", f"## {say('evaluate.report.examiners')}", "", *_spoke(report)]
    lines += ["", f"## {say('evaluate.report.skipped')}", "", *_skipped(report)]
    return "\n".join(lines) + "\n"


def about(report: Mapping[str, Any]) -> str:
    """What was evaluated, on what and how, in a sentence or two."""
    clips, sources = report["clips"], report["sources"]
    model = report.get("model")
    return " ".join(
        [
            say("evaluate.report.model", **model) if model else say("evaluate.report.no_model"),
            say(
                "evaluate.report.clips",
                generated=clips["generated"],
                generators=sources["generated"],
                real=clips["real"],
                real_sources=sources["real"],
                cgi=clips["cgi"],
                cgi_sources=sources["cgi"],
            ),
            say("evaluate.report.trained_on", groups=sum(report["trained_on"].values())),
            say("evaluate.report.made", date=report["made_at"], command=report["made_by"]),
        ]
    )


def percent(share: Mapping[str, Any] | None) -> str:
    """A share with its bounds: `12 % (5 to 22)`."""
    if share is None or share["value"] is None:
        return "-"
    return f"{100 * share['value']:.1f} % ({100 * share['low']:.1f} to {100 * share['high']:.1f})"


def number(value: float | None, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def _condition_row(table: Mapping[str, Any]) -> list[str]:
    scored = sum(table["scored"].values())
    every = sum(table["clips"].values())
    interval = table["auc_interval"]
    between = f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    recalls = [
        percent(recall["recall"]) + ("" if recall["supported"] else " *") for recall in table["recall"]
    ]
    shown = table["recall"][1]
    floor = table["floor"]
    return [
        table["title"],
        number(table["auc"]) + between,
        *recalls,
        percent(table["leave_one_source_out"]["clips"]),
        percent(shown["false_cgi_clips"]),
        number(table["calibration"]["error"]) if table["calibration"] else "-",
        f"{number(floor['median'])} ({number(floor['by_chance'])}) / "
        f"{number(floor['largest_two']['auc'] if floor['largest_two'] else None)}",
        f"{scored} / {every}",
        number(table["ms"], 0),
    ]


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(column.strip() for column in columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def _grouped(report: Mapping[str, Any], key: str) -> list[str]:
    names = sorted({row["name"] for table in report["conditions"] for row in table[key]})
    if not names:
        return [say("evaluate.report.none")]
    rows = []
    for name in names:
        found = [next((r for r in table[key] if r["name"] == name), None) for table in report["conditions"]]
        clips = max((row["clips"] for row in found if row), default=0)
        cells = [
            f"{number(row['auc'], 2)} / {100 * (row['recall']['value'] or 0):.0f} %" if row else "-"
            for row in found
        ]
        rows.append([name, str(clips), *cells])
    titles = [table["title"] for table in report["conditions"]]
    columns = [say("evaluate.report.column_group"), say("evaluate.report.column_clips"), *titles]
    return [say("evaluate.report.group_cells"), "", *_rows(columns, rows)]


def _flagged(report: Mapping[str, Any]) -> list[str]:
    rows = [
        [table["title"], row["label"], row["name"], f"{row['flagged']} / {row['clips']}"]
        for table in report["conditions"]
        for row in table["by_source"][:10]
    ]
    if not rows:
        return [say("evaluate.report.none")]
    return _rows(say("evaluate.report.flagged_columns").split("|"), rows)


def _outcomes(report: Mapping[str, Any]) -> list[str]:
    outcomes = sorted(
        {name for table in report["conditions"] for counts in table["outcomes"].values() for name in counts}
    )
    rows = [
        [table["title"], label, *(str(table["outcomes"][label].get(name, 0)) for name in outcomes)]
        for table in report["conditions"]
        for label in LABELS
        if table["clips"][label]
    ]
    columns = [say("evaluate.report.column_condition"), say("evaluate.report.column_class")]
    return _rows([*columns, *(say(f"evaluate.outcome.{name}") for name in outcomes)], rows)


def _spoke(report: Mapping[str, Any]) -> list[str]:
    rows = [
        [table["title"], name, *(percent(table["spoke"][label].get(name)) for label in LABELS)]
        for table in report["conditions"]
        for name in sorted({name for label in LABELS for name in table["spoke"][label]})
    ]
    if not rows:
        return [say("evaluate.report.none")]
    columns = [say("evaluate.report.column_condition"), say("evaluate.report.column_examiner")]
    return _rows([*columns, *(say(f"evaluate.class.{label}") for label in LABELS)], rows)


def _skipped(report: Mapping[str, Any]) -> list[str]:
    rows = [
        [table["title"], str(count), reason]
        for table in report["conditions"]
        for reason, count in table["skipped"].items()
    ]
    if not rows:
        return [say("evaluate.report.none")]
    return _rows(say("evaluate.report.skipped_columns").split("|"), rows)
