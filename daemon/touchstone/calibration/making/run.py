"""Looks at everything that a calibration is made from, batch by batch, in confined workers.

Four batches: marks and labels over all clips; the detector over all clips, each by a model that has not met
it; watermarks over marked copies; the detector over pairs, real and reconstructed. What was said is kept in
one file, so that a run that was ended goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...evaluation.conditions import Condition
from ...evaluation.corpus import GENERATED, Clip
from ...evaluation.run import RESULTS, Examined, Kept, Looked, look_at_all
from .footage import by_camera, first_of_sources
from .plan import Deadlines, Plan
from .treatments import CROPPED, DECODER, MARKED
from .worker import named

MARKS = ("content_credentials", "labels", "watermarks", "visible_marks")
"""Examiners that bring no learned score."""

_REGISTRY = "touchstone.calibration.making.worker:build"
_SHARES = (0.5, 0.75, 0.85, 1.0)
"""Of the time, up to the end of each batch. Marks are the slowest to look for."""


@dataclass(frozen=True)
class Batch:
    """Clips that are looked at alike. `treatments`: each clip once for each; empty text for none."""

    clips: Sequence[Clip]
    examined: Examined
    treatments: Sequence[str] = ("",)


@dataclass(frozen=True)
class Batches:
    """All of a run. `detector` and `pairs` have one for each model that has not met its clips."""

    marks: Batch
    detector: Sequence[Batch]
    marked: Batch
    pairs: Sequence[Batch]

    def in_order(self) -> list[tuple[Batch, float]]:
        """Each batch and the share of the time by which it has to end."""
        several = ((self.marks,), self.detector, (self.marked,), self.pairs)
        return [(batch, share) for batches, share in zip(several, _SHARES, strict=True) for batch in batches]

    def size(self, conditions: int) -> int:
        """Clips times treatments times conditions."""
        return sum(len(b.clips) * len(b.treatments) * conditions for b, _ in self.in_order())


@dataclass(frozen=True)
class Measured:
    """What was said, by batch. In `pairs`, clips are what their treatment made of them."""

    marks: Sequence[Looked]
    detector: Sequence[Looked]
    marked: Sequence[Looked]
    pairs: Sequence[Looked]
    complete: bool


def batches_of(
    clips: Sequence[Clip],
    marks: Examined,
    detectors: Sequence[tuple[Examined, Sequence[Clip]]],
    decoders: Sequence[str],
    plan: Plan,
) -> Batches:
    """The batches of a run.

    Args:
        clips: all of them.
        marks: by what marks are looked for.
        detectors: which clips each detector has not met.
        decoders: names of the autoencoders.
        plan: how much.
    """
    scored = [clip for _, several in detectors for clip in several]
    chosen = {clip.name for clip in first_of_sources(scored, plan.pairs)} if decoders else set()
    treatments = [CROPPED, *(f"{DECODER}:{name}" for name in decoders)]
    copies = replace(marks, names=["watermarks"])
    return Batches(
        marks=Batch(clips, marks),
        detector=[Batch(several, examined) for examined, several in detectors if several],
        marked=Batch(first_of_sources(clips, plan.marked), copies, [MARKED]),
        pairs=[
            Batch(pairs, examined, treatments)
            for examined, several in detectors
            if (pairs := [clip for clip in several if clip.name in chosen])
        ],
    )


async def measure(
    batches: Batches,
    conditions: Sequence[Condition],
    work: Path,
    deadlines: Deadlines,
    *,
    jobs: int,
    environment: Mapping[str, str],
    on_progress: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Look at everything, as far as there is time and as far as that was not done before.

    Raises:
        CannotKeep: what was said cannot be written, or read back.
    """
    looked: dict[int, list[Looked]] = {}
    for batch, share in batches.in_order():
        if not batch.clips:
            continue
        asked = [named(condition, treatment) for treatment in batch.treatments for condition in conditions]
        with Kept(work / RESULTS, batch.examined.key, resume=True) as kept:
            looked[id(batch)] = await look_at_all(
                batch.clips,
                asked,
                batch.examined,
                kept,
                jobs=jobs,
                environment=environment,
                on_progress=on_progress,
                registry=_REGISTRY,
                enough=deadlines.until(share),
            )
    return Measured(
        marks=by_camera(looked.get(id(batches.marks), [])),
        detector=by_camera(look for batch in batches.detector for look in looked.get(id(batch), [])),
        marked=by_camera(_untreated(look) for look in looked.get(id(batches.marked), [])),
        pairs=[_as_made(look) for batch in batches.pairs for look in by_camera(looked.get(id(batch), []))],
        complete=not deadlines.cut_short,
    )


def _untreated(look: Looked) -> Looked:
    """The same under the bare name of its condition."""
    return replace(look, condition=look.condition.rpartition("/")[2])


def _as_made(look: Looked) -> Looked:
    """A look at a treated clip as one at the clip that the treatment made of it."""
    treatment, _, condition = look.condition.rpartition("/")
    kind, _, which = treatment.partition(":")
    if kind != DECODER:
        return replace(look, condition=condition)
    name = f"autoencoder {which}"
    clip = replace(look.clip, label=GENERATED, group=name, family=name, source=name)
    return replace(look, clip=clip, condition=condition)
