"""Writes what an evaluation found: report, scores, and what a detector's scores are worth from now on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..calibration import as_json, bounds, why_no_vote
from ..calibration.fit import CannotFit, fit
from ..messages import say
from ..zoo import evaluation as counts
from ..zoo.evaluation import Evaluation
from .conditions import Condition
from .corpus import GENERATED
from .page import page
from .report import markdown
from .run import Looked
from .subjects import Subject
from .table import score_of, scored_clips
from .vidaudit import text_of

STEPS = 3
"""Thresholds in the counts of an imported detector; each costs certainty of all."""


def write_report(folder: Path, report: Mapping[str, Any]) -> None:
    """The report as JSON, Markdown and a page.

    Raises:
        OSError: a file cannot be written.
    """
    put(folder / "report.json", json.dumps(report, indent=1, allow_nan=False) + "\n")
    put(folder / "report.md", markdown(report))
    put(folder / "report.html", page(report))


def write_scores(
    folder: Path, looked: Sequence[Looked], conditions: Sequence[Condition], examiner: str
) -> None:
    """Scores in VidAudit's form, a file for each condition."""
    folder.mkdir(exist_ok=True)
    for condition in conditions:
        scores = [
            (look.clip, score)
            for look in looked
            if look.condition == condition.name and (score := score_of(look.said, examiner)) is not None
        ]
        put(folder / f"{condition.name}.csv", text_of(scores))


def write_calibration(
    folder: Path,
    subject: Subject,
    looked: Sequence[Looked],
    conditions: Sequence[Condition],
    about: Mapping[str, Any],
    trained_on: Sequence[str],
) -> str:
    """The calibration that the scores of a detector of ours support; what it lets count, in words."""
    try:
        calibration = fit(
            list(scored_clips(looked)),
            counts.Subject(**subject.model),
            corpus=about["corpus"],
            made_at=about["made_at"],
            made_by=about["made_by"],
            trained_on=trained_on,
            encodings=[condition.title for condition in conditions],
        )
    except CannotFit:
        return say("evaluate.one_class")
    put(folder / "calibration.json", as_json(calibration))
    everything = calibration.conditions[0]
    if reason := why_no_vote(everything):
        return say("evaluate.calibration_weak", reason=reason)
    step = max(everything.steps, key=lambda step: bounds(everything, step)[2])
    false, recall, ratio = bounds(everything, step)
    return say(
        "evaluate.calibration_counts",
        above=f"{step.above:.2f}",
        ratio=f"{math.log10(ratio):.2f}",
        false=f"{100 * false:.1f}",
        recall=f"{100 * recall:.0f}",
    )


def write_counts(
    folder: Path,
    subject: Subject,
    looked: Sequence[Looked],
    conditions: Sequence[Condition],
    about: Mapping[str, Any],
) -> str:
    """The counts that say whether an imported detector may vote, in the report's folder and beside its file.

    Returns:
        Whether it may, in words.
    """
    points = [
        (look.clip, score) for look in looked if (score := score_of(look.said, subject.examiner)) is not None
    ]
    # Rendered clips count with the real ones: neither may be called AI-made.
    real = [(clip.source, score) for clip, score in points if clip.label != GENERATED]
    ai = [(clip.group, score) for clip, score in points if clip.label == GENERATED]
    if not real or not ai:
        return say("evaluate.one_class")
    highest: dict[str, float] = {}
    for source, score in real:
        highest[source] = max(score, highest.get(source, -np.inf))
    ordered = sorted(highest.values(), reverse=True)
    thresholds = sorted({ordered[min(place, len(ordered) - 1)] for place in (0, 1, 3)[:STEPS]})
    evaluation = Evaluation(
        model=counts.Subject(**subject.model),
        corpus=counts.Corpus(
            name=about["corpus"],
            real_clips=len(real),
            real_sources=len(highest),
            ai_clips=len(ai),
            generators=len({generator for generator, _ in ai}),
        ),
        conditions=tuple(condition.title for condition in conditions),
        made_at=about["made_at"],
        made_by=about["made_by"],
        steps=counts.steps_of(real, ai, thresholds),
    )
    text = counts.as_json(evaluation) + "\n"
    put(folder / counts.FILE, text)
    if subject.folder is not None:
        put(subject.folder / counts.FILE, text)
    return say("evaluate.counts_written", name=subject.model["name"])


def put(path: Path, text: str) -> None:
    """Write a file in one step: what was there stays whole until the new one is."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
