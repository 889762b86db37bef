"""What a detector's score is worth: likelihood ratios under named conditions, from counts in a file.

The file holds counts, never bounds. What the counts support is worked out here when it is read, so that no
file can claim a false-alarm rate that the number of independent sources does not carry. `fit.py` makes one
from the scores of an evaluation; docs/detector.md describes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..messages import say
from ..zoo.bounds import lower_bound, upper_bound
from ..zoo.evaluation import CONFIDENCE, LEAST_GENERATORS, LEAST_RATIO, LEAST_SOURCES, Subject

SCHEMA: Literal["touchstone.calibration/1"] = "touchstone.calibration/1"
MAX_FILE = 1 << 20
"""Bytes of a calibration file; one with ten conditions has 10 KiB."""


class BadCalibration(ValueError):
    """A file is no calibration. The text names the file, the field and what would be right."""


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Traits:
    """What of a clip decides which condition it falls under. None where it is not known.

    Attributes:
        short_side: pixels of the shorter side.
        bits_per_pixel: of the file, over all its frames.
        codec: as the container names it.
    """

    short_side: int
    bits_per_pixel: float | None = None
    codec: str | None = None

    @classmethod
    def of(
        cls,
        width: int | None,
        height: int | None,
        fps: float | None,
        duration_s: float | None,
        size: int | None,
        codec: str | None,
    ) -> Self:
        """Traits from what a container says, and the size of its file in bytes."""
        frames = (fps or 0) * (duration_s or 0)
        known = frames >= 1 and width and height and size
        bits = 8 * (size or 0) / (frames * (width or 1) * (height or 1)) if known else None
        return cls(min(width or 0, height or 0), bits, codec)


class Where(_Fields):
    """Which clips a condition is about: all that lie within every bound that is given, `[from, to)`.

    `codec` is a name, or `other` for all but H.264.
    """

    short_side: tuple[int | None, int | None] = (None, None)
    bits_per_pixel: tuple[float | None, float | None] = (None, None)
    codec: str | None = None

    def holds(self, traits: Traits) -> bool:
        """Whether a clip falls under it. One of which a needed trait is unknown does not."""
        if not _within(traits.short_side, self.short_side):
            return False
        if self.bits_per_pixel != (None, None) and (
            traits.bits_per_pixel is None or not _within(traits.bits_per_pixel, self.bits_per_pixel)
        ):
            return False
        if self.codec is None:
            return True
        if self.codec == "other":
            return traits.codec is not None and traits.codec != "h264"
        return traits.codec == self.codec


def _within(value: float, bounds: tuple[float | None, float | None]) -> bool:
    low, high = bounds
    return (low is None or value >= low) and (high is None or value < high)


class Step(_Fields):
    """What happened at one threshold, gates passed.

    Attributes:
        above: the score, a logit, that a clip has to exceed.
        false_sources: sources without AI of which any clip exceeded it, in any of the re-encodings.
        false_cgi: those of them that are rendered.
        generators_hit: sum over generators of the share of their clips that exceeded it, rounded down, so
            that a generator with many clips counts as much as one with few.
    """

    above: float
    false_sources: int = Field(ge=0)
    false_cgi: int = Field(default=0, ge=0)
    generators_hit: int = Field(ge=0)


class Condition(_Fields):
    """Counts of one kind of clip.

    Attributes:
        name: for people.
        where: which clips.
        sources: independent sources without AI: cameras and uploaders, and makers of rendered clips.
        cgi_sources: the latter.
        generators: generators of the others.
        clips: how many clips were scored, every re-encoding one of its own.
        steps: thresholds, rising.
        below: score under which few generators lie: only there is a clip told to be below all thresholds;
            from it up to the lowest threshold that counts lies the inconclusive band. None where there are
            too few generators to say.
        temperature, shift: what the score is divided by, and what is added then, to be the logit of a
            probability under even odds (Platt 1999). None where nothing was fitted.
    """

    name: str = Field(min_length=1, max_length=80)
    where: Where = Field(default_factory=Where)
    sources: int = Field(ge=0)
    cgi_sources: int = Field(default=0, ge=0)
    generators: int = Field(ge=0)
    clips: int = Field(default=0, ge=0)
    steps: tuple[Step, ...] = Field(max_length=100)
    below: float | None = None
    temperature: float | None = Field(default=None, gt=0)
    shift: float | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if after.above <= before.above:
                raise ValueError("steps: thresholds do not rise")
            if (
                after.false_sources > before.false_sources
                or after.false_cgi > before.false_cgi
                or after.generators_hit > before.generators_hit
            ):
                raise ValueError("steps: a higher threshold flags more than a lower one")
        for step in self.steps:
            if step.false_sources > self.sources or step.generators_hit > self.generators:
                raise ValueError("steps: more were flagged than there are")
            if step.false_cgi > min(self.cgi_sources, step.false_sources):
                raise ValueError("steps: more rendered sources were flagged than there are")
        return self


class Gates(_Fields):
    """When a score does not count, whatever it is.

    Attributes:
        least_patches: fewer patches than this say too little.
        least_detail: measured high-frequency energy (examiners/detector/measures.py) below which scores did
            not tell the classes apart.
        most_unusual: distance from what the model was trained on above which nothing is known.
        views: for each other view of the clip, the score that it has to exceed as well.
    """

    least_patches: int = Field(default=4, ge=1)
    least_detail: float = 0.0
    most_unusual: float | None = None
    views: Mapping[str, float] = Field(default_factory=dict)


class Calibration(_Fields):
    """One calibration file.

    Attributes:
        model: whose scores; the file counts for that file and no other.
        corpus: name of the clips.
        trained_on: groups of them that the model was trained on. Their clips are not counted, or only by the
            scores of models of the same recipe that had not met them.
        encodings: how clips were encoded again before they were scored.
        made_at: ISO 8601 date.
        made_by: the command.
        gates: see Gates.
        conditions: the first is about all clips.
    """

    schema_: Literal["touchstone.calibration/1"] = Field(alias="schema", default=SCHEMA)
    model: Subject
    corpus: str
    trained_on: tuple[str, ...] = ()
    encodings: tuple[str, ...] = ()
    made_at: str
    made_by: str
    gates: Gates = Field(default_factory=Gates)
    conditions: tuple[Condition, ...] = Field(min_length=1, max_length=100)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _has_all(self) -> Self:
        if self.conditions[0].where != Where():
            raise ValueError("conditions: the first has to be about all clips, without any bound")
        return self

    @property
    def id(self) -> str:
        """What a scan names it by."""
        return f"{self.model.name} {self.model.version} {self.model.variant}, {self.corpus}, {self.made_at}"


@dataclass(frozen=True)
class Worth:
    """What a score is worth.

    Attributes:
        log10_lr: measured log10 likelihood ratio, a lower bound; None where the score counts for nothing.
        condition: name of the condition that decided.
        above: the threshold that was exceeded; None where none was.
        false_alarms_at_most, recall_at_least: what the ratio is made of.
        reason: why no score would count, or why this one is left open, in words; empty where one would.
    """

    log10_lr: float | None
    condition: str
    above: float | None = None
    false_alarms_at_most: float | None = None
    recall_at_least: float | None = None
    reason: str = ""


def worth(calibration: Calibration, score: float, traits: Traits, *, cap: float) -> Worth:
    """What a score is worth under the condition that a clip falls under.

    A condition of its own counts where it has sources enough; it can then only lower what all clips together
    support, since a bound that holds for all says nothing about each part.

    Args:
        score: of the clip, a logit.
        cap: the largest log10 likelihood ratio that any detector may have (verdict.CAP_LOG10_LR).
    """
    return min(
        (_worth_under(condition, score, cap) for condition in _deciding(calibration, traits)),
        key=lambda found: found.log10_lr or 0.0,
    )


def _deciding(calibration: Calibration, traits: Traits) -> list[Condition]:
    everything, *parts = calibration.conditions
    return [
        everything,
        *(part for part in parts if part.sources >= LEAST_SOURCES and part.where.holds(traits)),
    ]


def why_no_vote(condition: Condition) -> str:
    """Why no score counts under a condition, in words; empty where some do."""
    if condition.sources < LEAST_SOURCES:
        return say("models.vote.few_sources", found=condition.sources, least=LEAST_SOURCES)
    if condition.generators < LEAST_GENERATORS:
        return say("models.vote.few_generators", found=condition.generators, least=LEAST_GENERATORS)
    if not any(bounds(condition, step)[2] >= LEAST_RATIO for step in condition.steps):
        return say("models.vote.weak", ratio=LEAST_RATIO)
    return ""


def bounds(condition: Condition, step: Step) -> tuple[float, float, float]:
    """Upper bound of false alarms, lower bound of recall, and their ratio: exact, and for all steps at once.

    Each step gets its part of the chance to be wrong (Bonferroni), since the one that counts is picked among
    them afterwards.
    """
    confidence = 1 - (1 - CONFIDENCE) / max(len(condition.steps), 1)
    false = upper_bound(step.false_sources, condition.sources, confidence)
    recall = lower_bound(step.generators_hit, condition.generators, confidence)
    return false, recall, recall / false


def _worth_under(condition: Condition, score: float, cap: float) -> Worth:
    if reason := why_no_vote(condition):
        return Worth(None, condition.name, reason=reason)
    best = Worth(None, condition.name)
    for step in condition.steps:
        if score <= step.above:
            break
        false, recall, ratio = bounds(condition, step)
        if ratio < LEAST_RATIO:
            continue
        log10_lr = min(math.log10(ratio), cap)
        if best.log10_lr is None or log10_lr > best.log10_lr:
            best = Worth(log10_lr, condition.name, step.above, false, recall)
    if best.log10_lr is None and condition.below is not None and score >= condition.below:
        return replace(best, reason=say("calibrate.in_band"))
    return best


def read(path: Path) -> Calibration:
    """The calibration file at `path`.

    Raises:
        BadCalibration: there is none, it cannot be read, or it is something else.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadCalibration(
                f"{path}: larger than {MAX_FILE >> 20} MiB; a calibration is a page of counts"
            )
        content = path.read_bytes()
    except OSError as problem:
        raise BadCalibration(f"{path}: {problem.strerror or problem}") from problem
    return parse(content, str(path))


def parse(content: bytes, source: str) -> Calibration:
    """A calibration from the bytes of its file; see `read`."""
    try:
        return Calibration.model_validate(json.loads(content))
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, error["loc"])) or "file"
        raise BadCalibration(f"{source}: {where}: {error['msg']}") from problem
    except (ValueError, RecursionError) as problem:
        raise BadCalibration(f"{source}: is not JSON ({problem})") from problem


def as_json(calibration: Calibration) -> str:
    """The text of its file; `read` reads it back."""
    return json.dumps(calibration.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"
