"""The report of a calibration as JSON values; page.py and tables.py only show them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ...evaluation.conditions import Condition
from ...evaluation.corpus import GENERATED, LABELS
from ...evaluation.measures import share
from ...evaluation.report import report_of as evaluation_of
from ...evaluation.run import Looked
from ...verdict import Evidence, weigh
from ...zoo.evaluation import LEAST_RATIO
from .. import Calibration, bounds, why_no_vote
from .. import Condition as Counted
from ..local import LocalCalibration
from ..making.fitting import mark_counts
from ..making.whole import Finished
from ..marks import Claim, Judged, Mark, MarkCounts, judged

SCHEMA = "touchstone.calibration-report/1"
DETECTOR = "detector"


def report_of(finished: Finished) -> dict[str, Any]:
    """Everything that was measured, and what follows from it."""
    local, measured, conditions = finished.calibration, finished.measured, finished.conditions
    scored = [*measured.detector, *measured.pairs]
    looked = [*measured.marks, *scored, *measured.marked]
    return {
        "schema": SCHEMA,
        **head(local),
        "detector": {
            "counts": local.detector_counts,
            "refutes": local.detector_refutes,
            "reason": local.detector_reason,
            "fitted": fitted(local.detector) if local.detector else [],
            "conditions": _tables(scored, conditions, finished),
        },
        "marks": [mark_row(mark) for mark in local.marks],
        "false_alarms": false_alarms(finished),
        "verdicts": verdicts(finished),
        "problems": [
            {"clip": look.clip.name, "condition": look.condition, "reason": look.problem}
            for look in looked
            if look.problem
        ],
    }


def head(local: LocalCalibration) -> dict[str, Any]:
    """What a calibration is, without its counts."""
    return {
        "id": local.id,
        "made_at": local.made_at,
        "made_by": local.made_by,
        "touchstone": local.touchstone,
        "models": [model.model_dump(mode="json") for model in local.models],
        "data": local.data.model_dump(mode="json"),
        "changes": local.changes,
    }


def _tables(
    scored: Sequence[Looked], conditions: Sequence[Condition], finished: Finished
) -> list[dict[str, Any]]:
    if not any(look.said for look in scored):
        return []
    about: Mapping[str, Any] = {"model": None, "corpus": ""}
    tables: list[dict[str, Any]] = evaluation_of(
        scored, conditions, DETECTOR, left_out=finished.met, about=about
    )["conditions"]
    return tables


def fitted(calibration: Calibration) -> list[dict[str, Any]]:
    """A row for each condition of the detector: what its best threshold supports, band and temperature."""
    return [_fitted_row(condition) for condition in calibration.conditions]


def _fitted_row(condition: Counted) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": condition.name,
        "sources": condition.sources,
        "generators": condition.generators,
        "clips": condition.clips,
        "below": condition.below,
        "temperature": condition.temperature,
        "shift": condition.shift,
        "reason": why_no_vote(condition) or None,
    }
    if not condition.steps:
        return row
    step = max(condition.steps, key=lambda one: bounds(condition, one)[2])
    false, recall, ratio = bounds(condition, step)
    return row | {
        "above": step.above,
        "false_sources": step.false_sources,
        "false_at_most": false,
        "recall_at_least": recall,
        "log10_lr": math.log10(ratio) if ratio >= LEAST_RATIO else None,
    }


def mark_row(mark: Mark) -> dict[str, Any]:
    """A mark: what was claimed of it, what footage says, and its counts by kind of clip."""
    everything = judged(mark.claim, mark.conditions[0])
    return {
        "examiner": mark.examiner,
        "name": mark.name,
        **judged_row(mark.claim, everything),
        "conditions": [_counts_row(mark.claim, counts) for counts in mark.conditions],
    }


def judged_row(claim: Claim, found: Judged) -> dict[str, Any]:
    """What holds of a mark, beside what was claimed. `log10_lr`: of the weakest reading that is told."""
    return {
        "claim": claim.model_dump(mode="json"),
        "outcome": found.outcome.value,
        "read_at_least": found.read_at_least,
        "false_at_most": found.false_at_most,
        "log10_lr": round(found.log10_lr(None), 2),
    }


def _counts_row(claim: Claim, counts: MarkCounts) -> dict[str, Any]:
    return {
        "name": counts.name,
        "outcome": judged(claim, counts).outcome.value,
        "false": _told(counts.flagged, counts.sources),
        "read": _told(counts.read, counts.marked),
    }


def _told(count: int, of: int) -> dict[str, Any]:
    found = share(count, of)
    return {"count": count, "of": of, "value": found.value, "low": found.low, "high": found.high}


def false_alarms(finished: Finished) -> list[dict[str, Any]]:
    """For each mark and encoding, of how many sources without AI it was read in any clip all the same, and
    in how many marked ones; for the detector, of how many sources a score exceeds its best threshold."""
    rows = []
    for condition in finished.conditions:
        plain = [look for look in finished.measured.marks if look.condition == condition.name]
        copies = [look for look in finished.measured.marked if look.condition == condition.name]
        for mark in finished.calibration.marks:
            whole = mark.conditions[0]
            positives = copies if whole.marked else ()
            counts = mark_counts(whole.name, whole.where, plain, positives, mark.examiner, mark.name)
            rows.append(
                {
                    "condition": condition.name,
                    "title": condition.title,
                    "examiner": mark.examiner,
                    "name": mark.name,
                    "false": _told(counts.flagged, counts.sources),
                    "read": _told(counts.read, counts.marked),
                }
            )
        rows += _of_detector(condition, finished)
    return rows


def _of_detector(condition: Condition, finished: Finished) -> list[dict[str, Any]]:
    from ...calibration.fit import passes
    from ...evaluation.table import scored_clips

    calibration = finished.calibration.detector
    if calibration is None or not calibration.conditions[0].steps:
        return []
    everything = calibration.conditions[0]
    step = max(everything.steps, key=lambda one: bounds(everything, one)[2])
    scored = [*finished.measured.detector, *finished.measured.pairs]
    clips = list(scored_clips([look for look in scored if look.condition == condition.name]))
    flagged = {c.group for c in clips if c.score > step.above and passes(c, calibration.gates)}
    sources = {clip.group for clip in clips if not clip.generated}
    generators = {clip.group for clip in clips if clip.generated}
    return [
        {
            "condition": condition.name,
            "title": condition.title,
            "examiner": DETECTOR,
            "name": f"> {step.above:g}",
            "false": _told(len(flagged & sources), len(sources)),
            "read": _told(len(flagged & generators), len(generators)),
        }
    ]


def verdicts(finished: Finished) -> list[dict[str, Any]]:
    """For each encoding and class, how many clips get which label from the marks and labels in them."""
    rows = []
    for condition in finished.conditions:
        for label in LABELS:
            counts: dict[str, int] = {}
            for look in finished.measured.marks:
                if look.condition == condition.name and look.clip.label == label and look.said:
                    named = _label_of(look)
                    counts[named] = counts.get(named, 0) + 1
            if counts:
                rows.append(
                    {
                        "condition": condition.name,
                        "title": condition.title,
                        "class": label,
                        "clips": sum(counts.values()),
                        "labels": dict(sorted(counts.items())),
                        "wrong": 0 if label == GENERATED else counts.get("ai_generated", 0),
                    }
                )
    return rows


def _label_of(look: Looked) -> str:
    evidence = [Evidence.model_validate(values) for values in look.said["evidence"]]
    return weigh(evidence, look.said["checked"], look.said["skipped"]).label.value
