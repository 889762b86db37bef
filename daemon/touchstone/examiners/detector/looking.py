"""One look at a clip: which patches there are, what the network says of them, and of other views of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ...media.frames import Run
from ...messages import say
from . import measures
from .model import DetectorModel, Judgement
from .patches import FRAMES, SIDE, Batch, Place, cut
from .views import recompressed, rescaled

PER_RUN = 4
"""Patches of a run at most. What the model was trained with; see CONTRACT.md."""

MOST = 16
"""Patches of a clip: as many of each run, so that a long clip costs no more than a short one."""

VIEWS = ("rescaled", "recompressed")

VIEWED = 8
"""Patches that are looked at in other views: they only have to confirm what all of them said."""

STILL = 0.02
"""Mean difference between frames, in code values, up to which pictures are the same: what rounding leaves."""


@dataclass(frozen=True)
class Patch:
    """A patch and what the network said of it. Seconds of the clip; fractions of the picture as shown."""

    start_s: float
    end_s: float
    x: float
    y: float
    w: float
    h: float
    logit: float


@dataclass(frozen=True)
class Look:
    """What a look at a clip gave.

    Attributes:
        score: of the clip, a logit, higher for AI.
        patches: what it was made from, in order of time.
        detail, motion: see measures.
        unusual: see Judgement.unusual.
        views: score of each other view; a view that could not be made is missing.
    """

    score: float
    patches: tuple[Patch, ...]
    detail: float
    motion: float
    unusual: float
    views: Mapping[str, float]

    @property
    def spread(self) -> float:
        """Standard deviation between the runs' trimmed means, in logits: how much the clip disagrees with
        itself. 0 with a single run."""
        return float(np.std([logit for _, _, logit in self.runs]))

    @property
    def runs(self) -> list[tuple[float, float, float]]:
        """Start, end and trimmed mean of the patches' logits for each run, in order of time."""
        together: dict[tuple[float, float], list[float]] = {}
        for patch in self.patches:
            together.setdefault((patch.start_s, patch.end_s), []).append(patch.logit)
        return [(start, end, trimmed_mean(logits)) for (start, end), logits in together.items()]


@dataclass(frozen=True)
class Nothing:
    """Why there is nothing to look at, in words."""

    reason: str


@dataclass
class _Cut:
    """Patches of all runs of a clip."""

    batches: list[Batch]
    places: list[tuple[Run, list[Place]]]
    runs: int = 0
    short: int = 0
    small: int = 0

    @property
    def count(self) -> int:
        return sum(len(batch) for batch in self.batches)


def always(score: float) -> bool:
    """Whether to look at other views of a clip with this score: whatever it is."""
    return True


def look(
    model: DetectorModel, runs: Iterable[Run], views_of: Callable[[float], bool] = always
) -> Look | Nothing:
    """Look at a clip, or say why that cannot be done.

    Args:
        runs: of consecutive frames, in order of time.
        views_of: told the score, whether it is worth looking at other views as well; they cost as much again.
    """
    found = _cut(runs)
    if not found.count:
        return _why_nothing(found)
    batch = np.concatenate(found.batches)
    said = model.judge(batch)
    if not np.isfinite(said.score) or not np.isfinite(said.logits).all():
        return Nothing(say("detector.skip.not_finite"))
    return Look(
        score=said.score,
        patches=tuple(_patches(found, said)),
        detail=measures.detail(batch),
        motion=measures.motion(batch),
        unusual=said.unusual,
        views=_views(model, found, batch) if views_of(said.score) else {},
    )


def _cut(runs: Iterable[Run]) -> _Cut:
    found = _Cut([], [])
    for run in runs:
        found.runs += 1
        found.short += len(run.frames) < FRAMES
        found.small += min(run.frames[0].width, run.frames[0].height) < SIDE
        batch, places = cut(run, PER_RUN)
        if len(batch):
            found.batches.append(batch)
            found.places.append((run, places))
    return _as_many_of_each(found)


def _as_many_of_each(found: _Cut) -> _Cut:
    """At most MOST patches; those of each run stay spread over its levels of texture."""
    share = MOST // max(len(found.batches), 1)
    if share >= PER_RUN:
        return found
    for number, (run, places) in enumerate(found.places[:MOST]):
        count = min(max(share, 1), len(places))
        kept = [index * len(places) // count for index in range(count)]
        found.batches[number] = found.batches[number][kept]
        found.places[number] = (run, [places[index] for index in kept])
    del found.batches[MOST:], found.places[MOST:]
    return found


def _why_nothing(found: _Cut) -> Nothing:
    if found.runs and found.small == found.runs:
        return Nothing(say("detector.skip.small", pixels=SIDE))
    if found.runs and found.short == found.runs:
        return Nothing(say("detector.skip.short", frames=FRAMES))
    return Nothing(say("detector.skip.flat"))


def _patches(found: _Cut, said: Judgement) -> Iterable[Patch]:
    logits = iter(said.logits)
    for run, places in found.places:
        first = run.frames[0]
        width, height = first.width, first.height
        for place in places:
            x, y, w, h = first.upright_box(place.x / width, place.y / height, SIDE / width, SIDE / height)
            yield Patch(
                start_s=run.start_s,
                end_s=max(run.end_s, run.frames[-1].time_s),
                x=x,
                y=y,
                w=w,
                h=h,
                logit=float(next(logits)),
            )


def _views(model: DetectorModel, found: _Cut, batch: Batch) -> dict[str, float]:
    """Scores of other views, of the best textured patches of each run."""
    each = max(1, VIEWED // len(found.places))
    starts = np.cumsum([0, *(len(places) for _, places in found.places)])
    chosen = [
        start + index
        for start, (_, places) in zip(starts, found.places, strict=False)
        for index in range(min(each, len(places)))
    ]
    views = {"recompressed": recompressed(batch[chosen[:VIEWED]])}
    smaller = [rescaled(run, places[:each]) for run, places in found.places]
    views["rescaled"] = np.concatenate(smaller)[:VIEWED]
    scores = {name: model.judge(views[name]).score for name in VIEWS if len(views[name])}
    return {name: score for name, score in scores.items() if np.isfinite(score)}


def trimmed_mean(values: list[float]) -> float:
    """The mean without the largest and the smallest quarter, so that one patch cannot decide."""
    ordered = sorted(values)
    dropped = len(ordered) // 4
    kept = ordered[dropped : len(ordered) - dropped]
    return float(np.mean(kept))
