"""A calibration from beginning to end: choose clips, make others, look at all of them, fit, seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from ...evaluation.conditions import Condition, conditions_of
from ...evaluation.corpus import Clip, read_corpus
from ...evaluation.run import Examined, Looked
from ...evaluation.subjects import Subject as Detector
from ...messages import say
from ...zoo.evaluation import Subject
from ..local import LocalCalibration, sealed
from .claims import claims
from .fitting import of_detector, of_marks, summary
from .footage import own_clips, spread
from .made import Make, generated, rendered
from .plan import Deadlines, Plan
from .run import MARKS, Batches, Measured, batches_of, measure

_DRAWN_BY, _MADE_BY = 0.05, 0.2
"""Shares of the time by which clips have been drawn, and made by the generator."""


class Told(Protocol):
    """Is told how far a run is."""

    def stage(self, title: str, steps: int) -> AbstractContextManager[Callable[[int], None]]:
        """A stage of so many steps; inside it, call what it gives with how many more are done."""


@dataclass(frozen=True)
class Asked:
    """What a calibration is to be made from.

    Attributes:
        real: folder of the user's own clips, all known to be real.
        corpus: folder of clips whose origin is known; see evaluation.corpus.
        independent: groups of the corpus of which every clip is a source of its own.
        plan: how much.
        minutes: how long it may take; None for as long as it does.
        jobs: clips at once.
    """

    real: Path | None
    corpus: Path | None
    independent: Sequence[str]
    plan: Plan
    minutes: float | None = None
    jobs: int = 2


@dataclass(frozen=True)
class Tools:
    """What looks at clips and what makes them.

    Attributes:
        models: all that take part, for the file.
        marks: settings of the examiners of marks.
        detector: the one that scans use; None where there is none.
        autoencoders: see treatments.treatment_of.
        make: the generator; None leaves it out.
        names: examiners of marks.
    """

    models: Sequence[Subject]
    marks: Mapping[str, Any]
    detector: Detector | None
    autoencoders: Mapping[str, Any]
    make: Make | None
    names: Sequence[str] = MARKS


@dataclass(frozen=True)
class Facts:
    """What the file says of its making: date, command without folders, version of the program."""

    made_at: str
    made_by: str
    touchstone: str


@dataclass(frozen=True)
class Finished:
    """A calibration with all that was said.

    Attributes:
        calibration: sealed.
        measured: what was said.
        conditions: how clips were encoded again.
        met: clips that the detector was trained on.
    """

    calibration: LocalCalibration
    measured: Measured
    conditions: Sequence[Condition]
    met: Sequence[Clip] = field(default_factory=tuple)


def known_clips(asked: Asked) -> list[Clip]:
    """The clips that the user has, spread over their sources.

    Raises:
        BadCorpus: a folder is none, or has no clips.
    """
    own = own_clips(asked.real) if asked.real else []
    corpus = read_corpus(asked.corpus, asked.independent) if asked.corpus else []
    return spread([*own, *corpus], asked.plan.per_source, asked.plan.per_generator)


async def calibrated(
    asked: Asked,
    tools: Tools,
    work: Path,
    facts: Facts,
    *,
    environment: Mapping[str, str],
    told: Told,
) -> Finished:
    """Make a calibration.

    Args:
        work: folder for clips that are made and for what was said; what is there is gone on from.

    Raises:
        BadCorpus: a folder is none, or has no clips.
        CannotKeep: what was said cannot be written, or read back.
        NoRoom, OSError: made clips cannot be written.
        CannotWrite: one of the generator's cannot.
    """
    found = known_clips(asked)
    conditions = conditions_of(asked.plan.conditions)
    deadlines = Deadlines(asked.minutes)
    clips = [*found, *_made(asked.plan, tools, work, deadlines, told)]
    trained_on = _trained_on(tools.detector)
    met = [clip for clip in found if clip.group in trained_on]
    batches = _batches(clips, tools, asked.plan, trained_on)
    with told.stage(say("calibrate.stage.look"), batches.size(len(conditions))) as on_progress:
        measured = await measure(
            batches,
            conditions,
            work,
            deadlines,
            jobs=asked.jobs,
            environment=environment,
            on_progress=on_progress,
        )
    return Finished(_fitted(measured, conditions, tools, met, facts), measured, conditions, tuple(met))


def _made(plan: Plan, tools: Tools, work: Path, deadlines: Deadlines, told: Told) -> list[Clip]:
    clips: list[Clip] = []
    with told.stage(say("calibrate.stage.draw"), plan.rendered) as step:
        for clip in rendered(work, plan.rendered, deadlines.until(_DRAWN_BY)):
            clips.append(clip)
            step(1)
    if tools.make is not None:
        with told.stage(say("calibrate.stage.generate"), plan.generated) as step:
            for clip in generated(work, plan.generated, tools.make, deadlines.until(_MADE_BY)):
                clips.append(clip)
                step(1)
    return clips


def _trained_on(detector: Detector | None) -> frozenset[str]:
    calibration = detector.calibration if detector else None
    return frozenset(calibration.trained_on if calibration else ())


def _batches(clips: Sequence[Clip], tools: Tools, plan: Plan, trained_on: frozenset[str]) -> Batches:
    treatments = {"autoencoders": dict(tools.autoencoders)}
    marks = Examined(tools.names, tools.marks, treatments=treatments)
    scored: list[tuple[Examined, list[Clip]]] = []
    if tools.detector is not None:
        examined = Examined(
            [tools.detector.examiner], {tools.detector.examiner: dict(tools.detector.settings)}
        )
        new = [clip for clip in clips if clip.group not in trained_on]
        scored = [(replace(examined, treatments=treatments), new)]
    return batches_of(clips, marks, scored, list(tools.autoencoders), plan)


def _fitted(
    measured: Measured, conditions: Sequence[Condition], tools: Tools, met: Sequence[Clip], facts: Facts
) -> LocalCalibration:
    titles = [condition.title for condition in conditions]
    groups = sorted({clip.group for clip in met})
    looked: list[Looked] = [*measured.detector, *measured.pairs]
    of_scores = None
    if tools.detector is not None:
        of_scores = of_detector(
            looked,
            Subject.model_validate(tools.detector.model),
            tools.detector.calibration,
            made_at=facts.made_at,
            made_by=facts.made_by,
            conditions=titles,
            met=groups,
        )
    return sealed(
        LocalCalibration(
            made_at=facts.made_at,
            made_by=facts.made_by,
            touchstone=facts.touchstone,
            models=tuple(tools.models),
            data=summary(measured, titles, groups),
            detector=of_scores.calibration if of_scores else None,
            detector_refutes=bool(of_scores and of_scores.refutes),
            detector_reason=of_scores.reason if of_scores else say("calibrate.detector.none"),
            marks=of_marks(measured.marks, measured.marked, claims()),
        )
    )
