"""A claim falls only where an exact bound lies on its wrong side, and gives way only to a better one."""

from __future__ import annotations

import math

import pytest

from calibration.calibrations import CLAIM, EXACT
from touchstone.calibration import Traits, Where
from touchstone.calibration.marks import Claim, Mark, MarkCounts, Outcome, deciding, judged


def counts(sources: int, flagged: int, marked: int = 0, read: int = 0, **more: object) -> MarkCounts:
    return MarkCounts(name="all", sources=sources, flagged=flagged, marked=marked, read=read, **more)


@pytest.mark.parametrize(
    ("claim", "found", "outcome"),
    [
        (CLAIM, counts(0, 0), Outcome.TOO_FEW),
        (CLAIM, counts(58, 0), Outcome.TOO_FEW),
        (CLAIM, counts(59, 0), Outcome.STANDS),
        (CLAIM, counts(59, 1), Outcome.STANDS),  # 1 of 59 is at least 0.09 %, below the claim's 0.5 %
        (CLAIM, counts(59, 3), Outcome.REFUTED),  # at least 1.4 %
        (CLAIM, counts(4, 1), Outcome.REFUTED),  # at least 1.3 %: few sources can refute, not confirm
        (CLAIM, counts(1000, 0), Outcome.BETTER),  # at most 0.3 %
        (EXACT, counts(5000, 0), Outcome.STANDS),  # each reading has a bound of its own, which is smaller
        (EXACT, counts(60, 2), Outcome.REFUTED),
        (CLAIM, counts(0, 0, 9, 0), Outcome.TOO_FEW),
        (CLAIM, counts(0, 0, 20, 10), Outcome.REFUTED),  # read in at most 70 %
        (CLAIM, counts(0, 0, 20, 20), Outcome.BETTER),  # read in at least 86 %
        (CLAIM, counts(0, 0, 20, 18), Outcome.STANDS),
    ],
)
def test_how_claims_fare(claim: Claim, found: MarkCounts, outcome: Outcome) -> None:
    assert judged(claim, found).outcome is outcome


def test_a_refuted_mark_weighs_what_was_counted() -> None:
    found = judged(CLAIM, counts(60, 12))
    assert found.false_at_most == pytest.approx(0.3040, abs=1e-3)  # Clopper-Pearson, 95 %, one-sided
    assert found.log10_lr(None) == pytest.approx(math.log10(0.85 / found.false_at_most))
    assert judged(CLAIM, counts(60, 0)).log10_lr(None) == pytest.approx(math.log10(0.85 / 0.005))


def test_a_reading_keeps_its_own_bound_until_counts_refute_the_claim() -> None:
    assert judged(EXACT, counts(60, 0)).log10_lr(1e-4) == pytest.approx(math.log10(0.85e4))
    refuted = judged(EXACT, counts(60, 6))
    assert refuted.log10_lr(1e-4) == pytest.approx(math.log10(0.85 / refuted.false_at_most))
    assert judged(EXACT, counts(60, 0)).log10_lr(1e-30) == 4.0, "no mark weighs more"


def test_a_mark_that_is_never_read_weighs_nothing() -> None:
    assert judged(CLAIM, counts(60, 0, 20, 0)).log10_lr(None) == 0.0


def test_a_kind_of_clip_can_only_take_away() -> None:
    small = Where(short_side=(None, 361))
    mark = Mark(
        examiner="visible_marks",
        name="clip",
        claim=CLAIM,
        conditions=(counts(300, 3), counts(60, 12, where=small), counts(400, 0, where=Where(codec="h264"))),
    )
    assert deciding(mark, Traits(360, 0.1, "h264")).false_at_most > 0.3
    assert deciding(mark, Traits(1080, 0.1, "h264")).outcome is Outcome.STANDS
    assert deciding(mark, None).outcome is Outcome.STANDS


@pytest.mark.parametrize("wrong", [{"sources": 3, "flagged": 4}, {"sources": 3, "flagged": 0, "read": 1}])
def test_more_than_there_are_cannot_be_counted(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="more were counted"):
        MarkCounts(name="all", **wrong)
