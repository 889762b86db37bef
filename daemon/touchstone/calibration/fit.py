"""Fits a calibration: gates, thresholds and counts, from the scores of clips whose origin is known.

Every re-encoding of a clip is a clip of its own that belongs to the same source. A source counts as flagged
if any of its clips is, under any re-encoding: the bound that comes out holds for the worst of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..zoo.evaluation import Subject
from . import Calibration, Condition, Gates, Step, Traits, Where

THRESHOLDS = 3
"""How many thresholds a calibration has. Each costs certainty of all (Bonferroni)."""

ALLOWED = (0, 1, 3)
"""Sources that each threshold may flag, the highest threshold first."""

WORSE_THAN = 0.60
"""AUC up to which a score tells nothing: what two kinds of real footage are told apart by (science: 0.60)."""

LEAST_BELOW = 40
"""Clips of each class below a level of detail before anything is said of them."""

USUAL = 0.995
"""Share of clips without AI that have to be usual."""

BINS: Sequence[tuple[str, Where]] = (
    ("all", Where()),
    ("up to 360 lines", Where(short_side=(None, 361))),
    ("361 to 576 lines", Where(short_side=(361, 577))),
    ("577 to 900 lines", Where(short_side=(577, 901))),
    ("over 900 lines", Where(short_side=(901, None))),
    ("under 0.05 bits a pixel", Where(bits_per_pixel=(None, 0.05))),
    ("0.05 to 0.15 bits a pixel", Where(bits_per_pixel=(0.05, 0.15))),
    ("0.15 bits a pixel and more", Where(bits_per_pixel=(0.15, None))),
    ("H.264", Where(codec="h264")),
    ("other codecs", Where(codec="other")),
)


@dataclass(frozen=True)
class Scored:
    """One clip as it was scored.

    Attributes:
        label: `real`, `cgi` or `generated`.
        group: the generator; of others their source, as far as sources are independent.
        score, detail, motion, unusual, patches, views: what the examiner measured (details of its evidence).
        traits: what decides its condition.
    """

    label: str
    group: str
    score: float
    detail: float
    unusual: float
    patches: int
    traits: Traits
    views: Mapping[str, float] = field(default_factory=dict)

    @property
    def generated(self) -> bool:
        return self.label == "generated"


class CannotFit(ValueError):
    """There are no clips of both classes. The text says which are missing."""


def fit(
    clips: Sequence[Scored],
    model: Subject,
    *,
    corpus: str,
    made_at: str,
    made_by: str,
    trained_on: Sequence[str] = (),
    encodings: Sequence[str] = (),
    least_patches: int = 4,
) -> Calibration:
    """Fit a calibration to clips that the model was not trained on.

    Args:
        clips: of both classes.
        model: whose scores they are.
        corpus, made_at, made_by, trained_on, encodings: for the file; see Calibration.

    Raises:
        CannotFit: a class has no clip.
    """
    if not any(clip.generated for clip in clips) or all(clip.generated for clip in clips):
        raise CannotFit("a calibration needs scored clips that AI made, and others")
    gates = gates_of(clips, least_patches)
    passed = [clip for clip in clips if passes(clip, gates)]
    thresholds = thresholds_of(passed)
    conditions = [
        counted(name, where, clips, gates, thresholds)
        for name, where in BINS
        if where == Where() or sum(where.holds(clip.traits) for clip in clips) >= 2 * LEAST_BELOW
    ]
    return Calibration(
        model=model,
        corpus=corpus,
        trained_on=tuple(sorted(trained_on)),
        encodings=tuple(encodings),
        made_at=made_at,
        made_by=made_by,
        gates=gates,
        conditions=tuple(conditions),
    )


def gates_of(clips: Sequence[Scored], least_patches: int) -> Gates:
    """When scores do not count, from where they tell nothing and from what is usual."""
    others = [clip for clip in clips if not clip.generated]
    views = sorted({name for clip in others for name in clip.views})
    return Gates(
        least_patches=least_patches,
        least_detail=round(least_detail(clips), 4),
        most_unusual=round(float(np.quantile([clip.unusual for clip in others], USUAL)), 4),
        views={
            # A clip that is flagged has to look more like AI than an ordinary one in every view.
            name: round(float(np.median([c.views[name] for c in others if name in c.views])), 4)
            for name in views
        },
    )


def least_detail(clips: Sequence[Scored]) -> float:
    """The highest level of detail below which scores do not tell the classes apart; 0 where there is none."""
    found = 0.0
    for level in np.quantile([clip.detail for clip in clips], np.linspace(0.05, 0.6, 12)):
        below = [clip for clip in clips if clip.detail < level]
        ai = np.array([clip.score for clip in below if clip.generated])
        other = np.array([clip.score for clip in below if not clip.generated])
        if min(len(ai), len(other)) < LEAST_BELOW:
            continue
        if _auc(other, ai) <= WORSE_THAN:
            found = float(level)
    return found


def _auc(other: np.ndarray, ai: np.ndarray) -> float:
    ordered = np.sort(other)
    below = np.searchsorted(ordered, ai, "left") + np.searchsorted(ordered, ai, "right")
    return float(below.sum() / (2 * len(ai) * len(other)))


def passes(clip: Scored, gates: Gates) -> bool:
    """Whether a clip's score may count."""
    return (
        clip.patches >= gates.least_patches
        and clip.detail >= gates.least_detail
        and (gates.most_unusual is None or clip.unusual <= gates.most_unusual)
        and all(clip.views.get(name, -np.inf) > floor for name, floor in gates.views.items())
    )


def thresholds_of(passed: Sequence[Scored]) -> list[float]:
    """Thresholds that flag as many sources without AI as ALLOWED says, rising."""
    highest: dict[str, float] = {}
    for clip in passed:
        if not clip.generated:
            highest[clip.group] = max(clip.score, highest.get(clip.group, -np.inf))
    ordered = sorted(highest.values(), reverse=True)
    if not ordered:
        return [0.0]
    chosen = {ordered[min(allowed, len(ordered) - 1)] for allowed in ALLOWED[:THRESHOLDS]}
    return sorted(round(value + 0.00005, 4) for value in chosen)  # rounded up: the source itself stays below


def counted(
    name: str, where: Where, clips: Sequence[Scored], gates: Gates, thresholds: Sequence[float]
) -> Condition:
    """Counts of the clips that fall under a condition."""
    inside = [clip for clip in clips if where.holds(clip.traits)]
    return Condition(
        name=name,
        where=where,
        sources=len({clip.group for clip in inside if not clip.generated}),
        cgi_sources=len({clip.group for clip in inside if clip.label == "cgi"}),
        generators=len({clip.group for clip in inside if clip.generated}),
        clips=len(inside),
        steps=tuple(_step(above, inside, gates) for above in thresholds),
    )


def _step(above: float, clips: Sequence[Scored], gates: Gates) -> Step:
    flagged = [clip for clip in clips if clip.score > above and passes(clip, gates)]
    shares = [
        sum(clip.group == group for clip in flagged if clip.generated)
        / sum(clip.group == group for clip in clips if clip.generated)
        for group in sorted({clip.group for clip in clips if clip.generated})
    ]
    return Step(
        above=above,
        false_sources=len({clip.group for clip in flagged if not clip.generated}),
        false_cgi=len({clip.group for clip in flagged if clip.label == "cgi"}),
        generators_hit=int(sum(shares) + 1e-9),
    )
