"""What a mark is worth on somebody's own footage: shipped claims held against counts.

A mark that comes with the program carries two claims: how often it is read where it is, at least, and how
often it is read where it is not, at most. Footage of the user's own either leaves them standing, refutes
them (an exact bound lies on the wrong side), or supports better ones. Sources are counted, not clips: a
source is flagged if any of its clips is, under any re-encoding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..zoo.bounds import lower_bound, upper_bound
from ..zoo.evaluation import CONFIDENCE, LEAST_SOURCES
from . import Traits, Where

LEAST_MARKED = 10
"""Marked sources below which their read rate is not told: with all of ten read, the bound is 74 %."""

CAP_LOG10_LR = 4.0
"""No mark counts for more, as in examiners/watermarks: beyond it, who may have put it there matters more."""


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Claim(_Fields):
    """What the program says of a mark as it comes.

    Attributes:
        read_at_least: share of marked clips in which it is read, a lower bound.
        false_at_most: share of others in which it is, an upper bound.
        exact: whether each reading brings a bound of its own (a p-value) below `false_at_most`.
    """

    read_at_least: float = Field(gt=0, le=1)
    false_at_most: float = Field(gt=0, le=1)
    exact: bool = False


class MarkCounts(_Fields):
    """Counts of one kind of clip.

    Attributes:
        name: for people.
        where: which clips.
        sources: independent sources of clips without AI.
        flagged: those of them in which the mark was read all the same.
        marked: independent sources of clips that carry the mark.
        read: sum over them of the share of their clips in which it was read, rounded down.
    """

    name: str = Field(min_length=1, max_length=80)
    where: Where = Field(default_factory=Where)
    sources: int = Field(ge=0)
    flagged: int = Field(ge=0)
    marked: int = Field(default=0, ge=0)
    read: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.flagged > self.sources or self.read > self.marked:
            raise ValueError("more were counted than there are")
        return self


class Mark(_Fields):
    """One mark: `examiner` and `name` say which evidence it is about; the first condition is all clips."""

    examiner: str
    name: str
    claim: Claim
    conditions: tuple[MarkCounts, ...] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _has_all(self) -> Self:
        if self.conditions[0].where != Where():
            raise ValueError("conditions: the first has to be about all clips, without any bound")
        return self


class Outcome(StrEnum):
    """What footage says of a claim."""

    TOO_FEW = "too_few"
    STANDS = "stands"
    REFUTED = "refuted"
    BETTER = "better"


@dataclass(frozen=True)
class Judged:
    """What holds of a mark from now on.

    Attributes:
        outcome: how the claim fared.
        read_at_least, false_at_most: the claim's where it stands, else the exact bounds of the counts.
        from_counts: whether `false_at_most` is such a bound.
        condition: name of the condition that decided.
    """

    outcome: Outcome
    read_at_least: float
    false_at_most: float
    from_counts: bool
    condition: str

    def log10_lr(self, p_value: float | None) -> float:
        """The log10 likelihood ratio of a reading; `p_value`: its own bound, where the mark has such."""
        own = p_value if p_value is not None and not self.from_counts else self.false_at_most
        if p_value is not None:
            own = max(own, p_value)
        if self.read_at_least <= 0:
            return 0.0
        return min(max(math.log10(self.read_at_least / max(own, 1e-300)), 0.0), CAP_LOG10_LR)


def judged(claim: Claim, counts: MarkCounts) -> Judged:
    """A claim held against the counts of one condition, each of its halves by an exact bound."""
    read, false, from_counts = claim.read_at_least, claim.false_at_most, False
    outcomes = set()
    if counts.sources:
        if lower_bound(counts.flagged, counts.sources, CONFIDENCE) > false:
            outcomes.add(Outcome.REFUTED)
        elif counts.sources >= LEAST_SOURCES:
            outcomes.add(Outcome.STANDS)
            if upper_bound(counts.flagged, counts.sources, CONFIDENCE) < false and not claim.exact:
                outcomes.add(Outcome.BETTER)
        if outcomes & {Outcome.REFUTED, Outcome.BETTER}:
            false, from_counts = upper_bound(counts.flagged, counts.sources, CONFIDENCE), True
    if counts.marked >= LEAST_MARKED:
        least = lower_bound(counts.read, counts.marked, CONFIDENCE) if counts.read else 0.0
        most = upper_bound(counts.read, counts.marked, CONFIDENCE)
        outcomes.add(Outcome.STANDS)
        if most < read or least > read:
            outcomes.add(Outcome.REFUTED if most < read else Outcome.BETTER)
            read = least
    order = (Outcome.REFUTED, Outcome.BETTER, Outcome.STANDS)
    outcome = next((o for o in order if o in outcomes), Outcome.TOO_FEW)
    return Judged(outcome, read, false, from_counts, counts.name)


def deciding(mark: Mark, traits: Traits | None) -> Judged:
    """What holds of a mark in a clip: of all conditions that it falls under, the one that says least.

    A part can only take away from what all clips support: a bound for all says nothing about each part.
    """
    everything, *parts = mark.conditions
    found = [judged(mark.claim, everything)]
    for part in parts:
        if traits is not None and part.where.holds(traits):
            of_part = judged(mark.claim, part)
            if of_part.outcome is Outcome.REFUTED:
                found.append(of_part)
    return min(found, key=lambda one: (one.log10_lr(None), one.condition))
