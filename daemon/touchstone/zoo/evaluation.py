"""How a detector did on a corpus, as a file beside it, and whether that lets it vote.

`touchstone evaluate` writes the file; docs/models.md describes it. It holds counts, never bounds: what they
support is worked out here, so that a file cannot claim more than its counts do.

A detector without such a file is shown with its scores and weighs nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..messages import say
from .bounds import lower_bound, upper_bound
from .entry import Variant

SCHEMA: Literal["touchstone.evaluation/1"] = "touchstone.evaluation/1"
FILE = "evaluation.json"
MAX_FILE = 4 << 20
"""Bytes of an evaluation file; a thousand steps have 100 KiB."""

CONFIDENCE = 0.95
"""Of all bounds of a file together: each of its steps gets its part (Bonferroni), since the one that counts
is picked among them afterwards."""

LEAST_SOURCES = 59
"""Real sources below which no threshold counts: with none of them flagged, the bound on false alarms is 5 %
(1 - 0.05 ** (1 / 59); Clopper and Pearson 1934)."""

LEAST_GENERATORS = 5
"""Generators below which recall says more about them than about AI-made video."""

LEAST_RATIO = 2.0
"""Likelihood ratio (lower bound) below which a step is not worth a vote."""


class BadEvaluation(ValueError):
    """A file is no evaluation. The text names the file and the field."""


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Subject(_Fields):
    """What was evaluated: name and version of its card, and the checksum of the file that ran."""

    name: str
    version: str
    variant: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Corpus(_Fields):
    """What on, and how much of it: sources are independent of each other, clips are not."""

    name: str
    real_clips: int = Field(ge=0)
    real_sources: int = Field(ge=0)
    ai_clips: int = Field(ge=0)
    generators: int = Field(ge=0)


class Step(_Fields):
    """What happens at one threshold on the pooled score of a clip.

    Attributes:
        above: the score, a logit, that a clip has to exceed.
        false_sources: real sources of which any clip exceeds it.
        hits: AI-made clips that exceed it.
        generators_hit: generators of which at least half of the clips do.
    """

    above: float
    false_sources: int = Field(ge=0)
    hits: int = Field(ge=0)
    generators_hit: int = Field(default=0, ge=0)


class Evaluation(_Fields):
    """One evaluation file.

    Attributes:
        model: what was evaluated.
        corpus: on what.
        conditions: how clips were encoded again before they were shown, in words.
        made_at: ISO 8601 date.
        made_by: the command.
        auc: area under the curve, for people; the gate does not read it.
        steps: thresholds, rising.
    """

    schema_: Literal["touchstone.evaluation/1"] = Field(alias="schema", default=SCHEMA)
    model: Subject
    corpus: Corpus
    conditions: tuple[str, ...] = ()
    made_at: str
    made_by: str
    auc: float | None = Field(default=None, ge=0, le=1)
    steps: tuple[Step, ...] = Field(max_length=10_000)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if after.above <= before.above:
                raise ValueError("steps: thresholds do not rise")
            if after.false_sources > before.false_sources or after.hits > before.hits:
                raise ValueError("steps: a higher threshold flags more than a lower one")
        for step in self.steps:
            if step.false_sources > self.corpus.real_sources or step.hits > self.corpus.ai_clips:
                raise ValueError("steps: more were flagged than the corpus has")
        return self


@dataclass(frozen=True)
class Stage:
    """A threshold that may count: a pooled score above `above` has at least this log10 likelihood ratio."""

    above: float
    log10_lr: float
    false_alarms_at_most: float
    recall_at_least: float


@dataclass(frozen=True)
class Vote:
    """What an evaluation lets a detector say.

    Attributes:
        stages: thresholds that count, rising in both; empty where none does.
        reason: why there is none, in words; empty where there is one.
    """

    stages: tuple[Stage, ...] = ()
    reason: str = ""

    def log10_lr(self, score: float) -> float | None:
        """The measured log10 likelihood ratio of a pooled score; None where nothing was measured to count."""
        return max((stage.log10_lr for stage in self.stages if score > stage.above), default=None)


def vote_of(evaluation: Evaluation | None, variant: Variant, *, cap: float) -> Vote:
    """Whether a detector may vote, and with what.

    Args:
        evaluation: of it; None where there is none.
        variant: the file that is installed.
        cap: the largest log10 likelihood ratio that any detector may have (verdict.CAP_LOG10_LR).
    """
    if evaluation is None:
        return Vote(reason=say("models.vote.none"))
    if evaluation.model.sha256 != variant.sha256:
        return Vote(reason=say("models.vote.other_file"))
    corpus = evaluation.corpus
    if corpus.real_sources < LEAST_SOURCES:
        return Vote(reason=say("models.vote.few_sources", found=corpus.real_sources, least=LEAST_SOURCES))
    if corpus.generators < LEAST_GENERATORS:
        return Vote(reason=say("models.vote.few_generators", found=corpus.generators, least=LEAST_GENERATORS))
    stages: list[Stage] = []
    confidence = 1 - (1 - CONFIDENCE) / max(len(evaluation.steps), 1)
    for step in evaluation.steps:
        false = upper_bound(step.false_sources, corpus.real_sources, confidence)
        recall = lower_bound(step.hits, corpus.ai_clips, confidence)
        if recall <= 0 or recall / false < LEAST_RATIO:
            continue
        ratio = min(math.log10(recall / false), cap)
        if not stages or ratio > stages[-1].log10_lr:
            stages.append(Stage(step.above, ratio, false, recall))
    if not stages:
        return Vote(reason=say("models.vote.weak", ratio=LEAST_RATIO))
    return Vote(tuple(stages))


def read(path: Path) -> Evaluation | None:
    """The evaluation file at `path`, or None where there is none.

    Raises:
        BadEvaluation: there is a file that is no evaluation, or it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadEvaluation(
                f"{path}: larger than {MAX_FILE >> 20} MiB; an evaluation is a page of counts"
            )
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise BadEvaluation(f"{path}: {problem.strerror or problem}") from problem
    try:
        return Evaluation.model_validate(json.loads(content))
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, error["loc"])) or "file"
        raise BadEvaluation(f"{path}: {where}: {error['msg']}") from problem
    except ValueError as problem:
        raise BadEvaluation(f"{path}: is not JSON ({problem})") from problem


def as_json(evaluation: Evaluation) -> str:
    """The text of its file; `read` reads it back."""
    return json.dumps(evaluation.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)


def steps_of(
    real: Sequence[tuple[str, float]], ai: Sequence[tuple[str, float]], thresholds: Sequence[float]
) -> tuple[Step, ...]:
    """Counts at each threshold, for those who write the file.

    Args:
        real, ai: source or generator, and pooled score, of each clip.
        thresholds: rising.
    """
    steps = []
    for above in thresholds:
        flagged = [score > above for _, score in ai]
        shares: dict[str, list[bool]] = {}
        for (generator, _), hit in zip(ai, flagged, strict=True):
            shares.setdefault(generator, []).append(hit)
        steps.append(
            Step(
                above=above,
                false_sources=len({source for source, score in real if score > above}),
                hits=sum(flagged),
                generators_hit=sum(2 * sum(hits) >= len(hits) for hits in shares.values()),
            )
        )
    return tuple(steps)
