"""From what was said of every clip to the numbers of a report: plain JSON values, see docs/detector.md."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import median
from typing import Any

import numpy as np

from ..calibration import Traits
from ..calibration.fit import Scored
from . import measures
from .conditions import Condition
from .corpus import CGI, GENERATED, LABELS, REAL, Clip
from .measures import Scores, Share, share
from .run import Looked

RATES = (0.05, 0.01, 0.001)
"""Rates of false alarms at which recall is told."""
SHOWN = 0.01
"""The rate at which single generators and sources are told."""
_DEALT = 20
LEAST_OF_A_PAIR = 5
"""Clips of a real source before it is held against another one."""


@dataclass(frozen=True)
class Point:
    """A clip and its score under one condition."""

    clip: Clip
    score: float


def score_of(said: Mapping[str, Any], examiner: str) -> float | None:
    """What an examiner's evidence comes to; None where it did not run.

    The detector's own score; of others the sum of likelihood ratios, and 1 for evidence of AI without any.
    """
    if examiner not in said.get("checked", ()):
        return None
    mine = [evidence for evidence in said.get("evidence", ()) if evidence["examiner"] == examiner]
    scores = [evidence["details"]["score"] for evidence in mine if "score" in evidence["details"]]
    if scores:
        return float(scores[0])
    return float(sum(_weight(evidence) for evidence in mine))


def _weight(evidence: Mapping[str, Any]) -> float:
    if evidence["log10_lr"] is not None:
        return float(evidence["log10_lr"])
    return 1.0 if evidence["supports"] in ("ai", "edited") else 0.0


def scored_clips(looked: Sequence[Looked]) -> Iterator[Scored]:
    """What a calibration is fitted to: the detector's measurements of every clip that it scored."""
    for look in looked:
        for evidence in look.said.get("evidence", ()):
            details = evidence["details"]
            if evidence["examiner"] != "detector" or "score" not in details:
                continue
            clip = look.clip
            yield Scored(
                label=clip.label,
                group=clip.group if clip.label == GENERATED else clip.source,
                score=details["score"],
                detail=details["detail"],
                unusual=details["unusual"],
                patches=len(details["patches"]),
                traits=Traits(details["short_side"], details["bits_per_pixel"], look.said.get("codec")),
                views=details["views"],
            )


def table_of(condition: Condition, looked: Sequence[Looked], examiner: str) -> dict[str, Any]:
    """All numbers of one condition.

    Args:
        looked: what was said of every clip under it.
        examiner: whose scores.
    """
    points: dict[str, list[Point]] = {label: [] for label in LABELS}
    for look in looked:
        score = score_of(look.said, examiner)
        if score is not None and math.isfinite(score):
            points[look.clip.label].append(Point(look.clip, score))
    real, ai, cgi = (_scores(points[label]) for label in (REAL, GENERATED, CGI))
    sources = [point.clip.source for point in points[REAL]]
    generators = [point.clip.group for point in points[GENERATED]]
    families = [point.clip.family for point in points[GENERATED]]
    told: dict[str, Any] = {
        "name": condition.name,
        "title": condition.title,
        "clips": {label: sum(look.clip.label == label for look in looked) for label in LABELS},
        "scored": {label: len(points[label]) for label in LABELS},
        "real_sources": len(set(sources)),
        "generators": len(set(generators)),
        "auc": measures.auc(real, ai),
        "auc_interval": measures.auc_interval(real, ai, sources, generators),
        "auc_cgi": measures.auc(cgi, ai),
        "recall": [_recall(rate, points, real, ai, cgi) for rate in RATES],
        "leave_one_source_out": _left_out(points[REAL]),
        "floor": _floor(points[REAL]),
        "by_generator": _by(points[GENERATED], real, lambda clip: clip.group),
        "by_family": _by(points[GENERATED], real, lambda clip: clip.family),
        "by_source": _by_source(points[REAL] + points[CGI], real),
        "spoke": {label: _spoke(looked, label) for label in LABELS},
        "outcomes": {label: _outcomes(looked, label, examiner) for label in LABELS},
        "skipped": _skipped(looked, examiner),
        "ms": median(times) if (times := _times(looked, examiner)) else None,
        "histogram": _histogram(points),
        "roc_band": measures.recall_band(real, ai, sources, generators),
        "roc": _thinned(measures.curve(real, ai)) if len(real) and len(ai) else [],
    }
    told |= _calibrated(real, ai, sources, families)
    return told


def _scores(points: Sequence[Point]) -> Scores:
    return np.array([point.score for point in points], np.float64)


def _told(counted: Share) -> dict[str, Any]:
    return asdict(counted) | {"value": counted.value}


def _recall(
    rate: float, points: Mapping[str, Sequence[Point]], real: Scores, ai: Scores, cgi: Scores
) -> dict[str, Any]:
    threshold = measures.threshold_at(real, rate)
    flagged = {point.clip.source for point in points[REAL] if point.score > threshold}
    of_cgi = {point.clip.source for point in points[CGI]}
    flagged_cgi = {point.clip.source for point in points[CGI] if point.score > threshold}
    return {
        "rate": rate,
        "threshold": threshold if math.isfinite(threshold) else None,
        "recall": _told(share(int((ai > threshold).sum()), len(ai))),
        "false_clips": _told(share(int((real > threshold).sum()), len(real))),
        "false_sources": _told(share(len(flagged), len({point.clip.source for point in points[REAL]}))),
        "false_cgi_clips": _told(share(int((cgi > threshold).sum()), len(cgi))),
        "false_cgi_sources": _told(share(len(flagged_cgi), len(of_cgi))),
        # Fewer real clips than one in `rate` say nothing about this rate but that none was flagged.
        "supported": len(real) * rate >= 1,
    }


def _left_out(points: Sequence[Point]) -> dict[str, Any]:
    """Each real source under the threshold that the others give, at SHOWN."""
    scores, sources = _scores(points), [point.clip.source for point in points]
    names = np.array(sources)
    flagged_clips, flagged_sources = 0, 0
    for source in dict.fromkeys(sources):
        threshold = measures.threshold_at(scores[names != source], SHOWN)
        flagged = int((scores[names == source] > threshold).sum())
        flagged_clips += flagged
        flagged_sources += flagged > 0
    return {
        "rate": SHOWN,
        "clips": _told(share(flagged_clips, len(points))),
        "sources": _told(share(flagged_sources, len(set(sources)))),
    }


def _floor(points: Sequence[Point]) -> dict[str, Any]:
    """How well the score tells real groups from each other, which it should not at all."""
    groups: dict[str, list[float]] = {}
    for point in points:
        groups.setdefault(point.clip.group, []).append(point.score)
    large = {name: np.array(values) for name, values in groups.items() if len(values) >= LEAST_OF_A_PAIR}
    pairs = []
    for one, other in combinations(sorted(large), 2):
        found = measures.auc(large[one], large[other]) or 0.0
        pairs.append({"groups": [one, other], "auc": max(found, 1 - found)})
    pairs.sort(key=lambda pair: -float(str(pair["auc"])))
    two = sorted(large, key=lambda name: -len(large[name]))[:2]
    largest = next((pair for pair in pairs if set(pair["groups"]) == set(two)), None)  # type: ignore[call-overload]
    return {
        "pairs": len(pairs),
        "median": median([float(str(pair["auc"])) for pair in pairs]) if pairs else None,
        "by_chance": _by_chance(list(large.values())),
        "worst": pairs[:3],
        "largest_two": largest,
    }


def _by_chance(groups: Sequence[Scores]) -> float | None:
    """The same median with the clips dealt to the groups at random: small groups differ by chance alone."""
    if len(groups) < 2:
        return None
    random = np.random.default_rng(0)
    ends = np.cumsum([len(group) for group in groups])[:-1]
    found = []
    for _ in range(_DEALT):
        dealt = np.split(random.permutation(np.concatenate(groups)), ends)
        aucs = [measures.auc(one, other) or 0.0 for one, other in combinations(dealt, 2)]
        found.append(median(max(value, 1 - value) for value in aucs))
    return median(found)


def _by(points: Sequence[Point], real: Scores, key: Any) -> list[dict[str, Any]]:
    threshold = measures.threshold_at(real, SHOWN)
    groups: dict[str, list[float]] = {}
    for point in points:
        groups.setdefault(key(point.clip), []).append(point.score)
    return [
        {
            "name": name,
            "clips": len(values),
            "auc": measures.auc(real, np.array(values)),
            "recall": _told(share(sum(value > threshold for value in values), len(values))),
        }
        for name, values in sorted(groups.items())
    ]


def _by_source(points: Sequence[Point], real: Scores) -> list[dict[str, Any]]:
    """Sources of which any clip is flagged, the most flagged first."""
    threshold = measures.threshold_at(real, SHOWN)
    groups: dict[tuple[str, str], list[float]] = {}
    for point in points:
        groups.setdefault((point.clip.label, point.clip.source), []).append(point.score)
    told = [
        {
            "name": name,
            "label": label,
            "clips": len(values),
            "flagged": sum(value > threshold for value in values),
        }
        for (label, name), values in groups.items()
    ]
    return sorted(
        (row for row in told if row["flagged"]), key=lambda row: (-int(str(row["flagged"])), str(row["name"]))
    )


def _spoke(looked: Sequence[Looked], label: str) -> dict[str, Any]:
    """For each examiner, of how many clips of a class that it could look at it said that AI made them."""
    ran: dict[str, list[bool]] = {}
    for look in looked:
        if look.clip.label == label:
            for name in look.said.get("checked", ()):
                said = [e for e in look.said["evidence"] if e["examiner"] == name]
                ran.setdefault(name, []).append(any(e["supports"] in ("ai", "edited") for e in said))
    return {name: _told(share(sum(spoke), len(spoke))) for name, spoke in sorted(ran.items())}


def _outcomes(looked: Sequence[Looked], label: str, examiner: str) -> dict[str, int]:
    """How often an examiner's score counted, and what kept it from that."""
    counts: dict[str, int] = {}
    for look in looked:
        if look.clip.label != label:
            continue
        mine = [e for e in look.said.get("evidence", ()) if e["examiner"] == examiner]
        outcome = mine[0]["details"].get("outcome") if mine else None
        if outcome is None:
            outcome = "ran" if examiner in look.said.get("checked", ()) else "skipped"
        counts[outcome] = counts.get(outcome, 0) + 1
    return dict(sorted(counts.items()))


def _skipped(looked: Sequence[Looked], examiner: str) -> dict[str, int]:
    """Why clips have no score, in words, and how many."""
    counts: dict[str, int] = {}
    for look in looked:
        reason = look.problem or look.said.get("skipped", {}).get(examiner)
        if reason:
            counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _times(looked: Sequence[Looked], examiner: str) -> list[float]:
    return [
        float(evidence["took_ms"])
        for look in looked
        for evidence in look.said.get("evidence", ())
        if evidence["examiner"] == examiner
    ]


def _histogram(points: Mapping[str, Sequence[Point]]) -> dict[str, Any]:
    everything = _scores([point for several in points.values() for point in several])
    if not len(everything):
        return {"edges": [], **{label: [] for label in LABELS}}
    edges = np.linspace(float(everything.min()), float(everything.max()) + 1e-9, 31)
    counts = {label: np.histogram(_scores(several), edges)[0].tolist() for label, several in points.items()}
    return {"edges": [round(float(edge), 4) for edge in edges], **counts}


def _thinned(curve: Sequence[tuple[float, float]], most: int = 200) -> list[tuple[float, float]]:
    step = max(1, len(curve) // most)
    kept = [*curve[::step], curve[-1]]
    return [(round(false, 5), round(hit, 5)) for false, hit in kept]


def _calibrated(real: Scores, ai: Scores, sources: Sequence[str], families: Sequence[str]) -> dict[str, Any]:
    probabilities = measures.out_of_fold(real, ai, sources, families) if len(real) and len(ai) else None
    if probabilities is None:
        return {"calibration": None, "coverage_risk": []}
    found = measures.reliability(*probabilities)
    return {
        "calibration": {"error": found.error, "brier": found.brier, "bins": found.bins},
        "coverage_risk": measures.coverage_and_risk(*probabilities),
    }
