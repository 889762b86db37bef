"""From what was said to a calibration: counts of sources, thresholds, temperatures, bands."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...evaluation import measures
from ...evaluation.corpus import CGI, GENERATED, LABELS, REAL
from ...evaluation.run import Looked
from ...evaluation.table import scored_clips
from ...messages import say
from ...verdict import Evidence, Supports
from ...zoo.bounds import lower_bound, upper_bound
from ...zoo.evaluation import CONFIDENCE, LEAST_GENERATORS, LEAST_RATIO, LEAST_SOURCES, Subject
from .. import Calibration, Condition, Traits, Where, bounds, why_no_vote
from ..fit import BINS, CannotFit, Scored, fit, passes
from ..in_force import mark_name
from ..local import Data, OfClass
from ..marks import Claim, Mark, MarkCounts
from .made import GENERATOR, WORLD
from .run import Measured

MISSED = 0.10
"""Share of generators (upper bound) that may lie under the band's lower end."""


@dataclass(frozen=True)
class OfDetector:
    """What its scores are worth here, whether that refutes what was shipped, and why it counts or not."""

    calibration: Calibration | None
    refutes: bool
    reason: str


def of_detector(
    looked: Sequence[Looked],
    model: Subject,
    shipped: Calibration | None,
    *,
    made_at: str,
    made_by: str,
    conditions: Sequence[str],
    met: Sequence[str],
) -> OfDetector:
    """Fit the detector's calibration to clips that it has not met."""
    clips = list(scored_clips(looked))
    try:
        fitted = fit(
            clips,
            model,
            corpus=say("calibrate.corpus"),
            made_at=made_at,
            made_by=made_by,
            trained_on=met,
            encodings=conditions,
        )
    except CannotFit:
        return OfDetector(None, False, say("calibrate.detector.one_class"))
    fitted = fitted.model_copy(
        update={"conditions": tuple(with_band(condition, clips, fitted) for condition in fitted.conditions)}
    )
    refutes = shipped is not None and refuted(shipped, clips)
    everything = fitted.conditions[0]
    if everything.sources < LEAST_SOURCES or everything.generators < LEAST_GENERATORS:
        key = "refuted_few" if refutes else "too_few"
        reason = say(
            f"calibrate.detector.{key}",
            sources=everything.sources,
            least=LEAST_SOURCES,
            generators=everything.generators,
            least_generators=LEAST_GENERATORS,
        )
    else:
        weak = why_no_vote(everything)
        reason = say("calibrate.detector.weak", reason=weak) if weak else say("calibrate.detector.counts")
    return OfDetector(fitted, refutes, reason)


def refuted(shipped: Calibration, clips: Sequence[Scored]) -> bool:
    """Whether more sources without AI exceed a shipped threshold that counts than its bound allows."""
    everything = shipped.conditions[0]
    if why_no_vote(everything):
        return False
    others = [clip for clip in clips if not clip.generated]
    sources = len({clip.group for clip in others})
    for step in everything.steps:
        false, _, ratio = bounds(everything, step)
        if ratio < LEAST_RATIO or not sources:
            continue
        flagged = {clip.group for clip in others if clip.score > step.above and passes(clip, shipped.gates)}
        if flagged and lower_bound(len(flagged), sources, CONFIDENCE) > false:
            return True
    return False


def with_band(condition: Condition, clips: Sequence[Scored], calibration: Calibration) -> Condition:
    """A condition with its inconclusive band and its temperature."""
    inside = [
        clip for clip in clips if condition.where.holds(clip.traits) and passes(clip, calibration.gates)
    ]
    update: dict[str, float | None] = {"below": band_from(inside)}
    real = np.array([clip.score for clip in inside if not clip.generated], np.float64)
    ai = np.array([clip.score for clip in inside if clip.generated], np.float64)
    if len(real) and len(ai):
        platt = measures.fit_platt(real, ai)
        if platt.slope > 0:
            update |= {"temperature": round(1 / platt.slope, 4), "shift": round(platt.offset, 4)}
    return condition.model_copy(update=update)


def band_from(clips: Sequence[Scored]) -> float | None:
    """The highest score under which at most MISSED of generators lie with their median clip, by exact bound.

    None where there are too few generators for such a bound: fewer than 29.
    """
    scores: dict[str, list[float]] = {}
    for clip in clips:
        if clip.generated:
            scores.setdefault(clip.group, []).append(clip.score)
    medians = sorted(float(np.median(values)) for values in scores.values())
    found = None
    for under, median in enumerate(medians):  # `under` of them lie below this one
        if upper_bound(under, len(medians), CONFIDENCE) > MISSED:
            break
        found = median
    return None if found is None else round(found, 4)


def of_marks(
    plain: Sequence[Looked], copies: Sequence[Looked], claims: Mapping[tuple[str, str], Claim]
) -> tuple[Mark, ...]:
    """Counts of every mark that the program makes a claim of.

    Args:
        plain: looks at clips as they are, and encoded again.
        copies: looks at copies that carry our own watermark.
        claims: by examiner and name of the mark.
    """
    marks = []
    for (examiner, name), claim in claims.items():
        positives = copies if (examiner, name) == ("watermarks", "touchstone") else ()
        counted = [
            mark_counts(title, where, plain, positives, examiner, name)
            for title, where in BINS
            if where == Where()
            or sum(where.holds(traits_of(look)) for look in plain if look.clip.label != GENERATED)
            >= LEAST_SOURCES
        ]
        if counted[0].sources or counted[0].marked:
            marks.append(Mark(examiner=examiner, name=name, claim=claim, conditions=tuple(counted)))
    return tuple(marks)


def mark_counts(
    title: str,
    where: Where,
    plain: Sequence[Looked],
    copies: Sequence[Looked],
    examiner: str,
    name: str,
) -> MarkCounts:
    """Counts of one mark in clips of one kind; a source is flagged if any clip is, in any encoding."""
    others: dict[str, bool] = {}
    for look in plain:
        if look.clip.label != GENERATED and _ran(look, examiner) and where.holds(traits_of(look)):
            others[look.clip.source] = others.get(look.clip.source, False) or read_in(look, examiner, name)
    marked: dict[str, list[bool]] = {}
    for look in copies:
        if _ran(look, examiner) and where.holds(traits_of(look)):
            marked.setdefault(look.clip.source, []).append(read_in(look, examiner, name))
    shares = sum(sum(found) / len(found) for found in marked.values())
    return MarkCounts(
        name=title,
        where=where,
        sources=len(others),
        flagged=sum(others.values()),
        marked=len(marked),
        read=int(shares + 1e-9),
    )


def _ran(look: Looked, examiner: str) -> bool:
    return examiner in look.said.get("checked", ())


def read_in(look: Looked, examiner: str, name: str) -> bool:
    """Whether a mark was read in a clip and speaks for AI."""
    for values in look.said.get("evidence", ()):
        if values["examiner"] == examiner:
            evidence = Evidence.model_validate(values)
            if evidence.supports is Supports.AI and mark_name(evidence) == name:
                return True
    return False


def traits_of(look: Looked) -> Traits:
    """The traits of a clip as it was looked at."""
    said = look.said
    return Traits.of(
        said.get("width"),
        said.get("height"),
        said.get("fps"),
        said.get("duration_s"),
        said.get("bytes"),
        said.get("codec"),
    )


def summary(measured: Measured, conditions: Sequence[str], met: Sequence[str]) -> Data:
    """What a calibration was made from."""
    looked = [*measured.marks, *measured.detector, *measured.pairs]
    clips = {(look.clip.label, look.clip.name, look.clip.group): look for look in looked if look.said}
    by_label = {label: [look.clip for look in clips.values() if look.clip.label == label] for label in LABELS}
    of = {
        label: OfClass(
            clips=len(several), sources=len({c.group if label == GENERATED else c.source for c in several})
        )
        for label, several in by_label.items()
    }
    copies = {look.clip.name: look.clip.source for look in measured.marked if look.said}
    names = sorted({f"{look.clip.label}/{look.clip.name}/{look.condition}" for look in looked if look.said})
    return Data(
        real=of[REAL],
        cgi=of[CGI],
        generated=of[GENERATED],
        marked=OfClass(clips=len(copies), sources=len(set(copies.values()))),
        rendered=sum(clip.group == WORLD for clip in by_label[CGI]),
        reconstructed=sum(clip.group.startswith("autoencoder ") for clip in by_label[GENERATED]),
        made=sum(clip.group == GENERATOR for clip in by_label[GENERATED]),
        trained_on=len(set(met)),
        unreadable=len({look.clip.name for look in looked if look.problem}),
        conditions=tuple(conditions),
        clips_sha256=hashlib.sha256("\n".join(names).encode()).hexdigest(),
        complete=measured.complete,
    )
