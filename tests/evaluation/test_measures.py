"""Numbers of a report, against what they have to be."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from touchstone.evaluation import measures

ARRAY = np.array


@pytest.mark.parametrize(
    ("real", "ai", "expected"),
    [([0, 1], [2, 3], 1.0), ([2, 3], [0, 1], 0.0), ([1, 1], [1, 1], 0.5), ([0, 2], [1, 3], 0.75)],
)
def test_auc_is_the_chance_that_ai_scores_higher(real: list[float], ai: list[float], expected: float) -> None:
    assert measures.auc(ARRAY(real, float), ARRAY(ai, float)) == expected


def test_auc_of_nothing_is_none() -> None:
    assert measures.auc(ARRAY([]), ARRAY([1.0])) is None


@pytest.mark.parametrize(("rate", "flagged"), [(0.05, 5), (0.01, 1), (0.001, 0)])
def test_no_more_real_clips_exceed_a_threshold_than_its_rate_allows(rate: float, flagged: int) -> None:
    real = np.random.default_rng(0).normal(size=100)
    assert int((real > measures.threshold_at(real, rate)).sum()) == flagged


def test_ties_never_let_more_through() -> None:
    real = ARRAY([1.0] * 50 + [0.0] * 50)
    assert int((real > measures.threshold_at(real, 0.05)).sum()) == 0


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Clopper and Pearson, two-sided 95 %: 0 of 100 and 5 of 50 as tables of the binomial have them.
    [(0, 100, 0.0, 0.0362), (5, 50, 0.0333, 0.2181), (100, 100, 0.9638, 1.0)],
)
def test_shares_have_exact_bounds(count: int, of: int, low: float, high: float) -> None:
    found = measures.share(count, of)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_share_of_nothing_says_nothing() -> None:
    found = measures.share(0, 0)
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)


def test_platt_recovers_the_logit_of_scores_that_are_one() -> None:
    random = np.random.default_rng(1)
    real, ai = random.normal(-1, 1.4142, 4000), random.normal(1, 1.4142, 4000)
    fit = measures.fit_platt(real, ai)
    # Two normal classes a distance of 2 apart with variance 2: the log-odds of a score x are x.
    assert fit.slope == pytest.approx(1, abs=0.1)
    assert fit.offset == pytest.approx(0, abs=0.1)


def test_platt_never_turns_a_score_around() -> None:
    random = np.random.default_rng(1)
    fit = measures.fit_platt(random.normal(1, 1, 50), random.normal(-1, 1, 50))
    assert fit.slope == 0
    assert fit.probability(ARRAY([3.0]))[0] == pytest.approx(0.5)


def test_calibrated_scores_have_a_small_error_and_overconfident_ones_do_not() -> None:
    random = np.random.default_rng(2)
    real, ai = random.normal(-1, 1.4142, 3000), random.normal(1, 1.4142, 3000)
    right = measures.Platt(1, 0)
    wrong = measures.Platt(4, 0)
    good = measures.reliability(right.probability(real), right.probability(ai))
    bad = measures.reliability(wrong.probability(real), wrong.probability(ai))
    assert good.error < 0.03 < bad.error
    assert good.brier < bad.brier


def test_folds_keep_groups_together() -> None:
    real, ai = np.zeros(20), np.ones(20)
    groups = [f"g{number % 4}" for number in range(20)]
    told = measures.out_of_fold(real, ai, groups, groups)
    assert told is not None
    assert (told[0] < 0.5).all() and (told[1] > 0.5).all()
    assert measures.out_of_fold(real, ai, ["one"] * 20, groups) is None


def test_risk_falls_with_coverage_where_confidence_is_right() -> None:
    random = np.random.default_rng(3)
    fit = measures.Platt(1, 0)
    steps = measures.coverage_and_risk(
        fit.probability(random.normal(-1, 1.4142, 2000)), fit.probability(random.normal(1, 1.4142, 2000))
    )
    assert steps[0][1] < steps[-1][1]
    assert steps[-1][0] == 1


def test_whole_groups_are_drawn_for_the_interval() -> None:
    """Fifty clips of one source say no more than one: the interval is that of few sources."""
    random = np.random.default_rng(4)
    centres = random.normal(0, 1, 6)
    real = np.repeat(centres, 50) + random.normal(0, 0.01, 300)
    ai = random.normal(1, 1, 300)
    names = [f"s{number // 50}" for number in range(300)]
    own = [f"c{number}" for number in range(300)]
    grouped = measures.auc_interval(real, ai, names, own)
    single = measures.auc_interval(real, ai, own, own)
    assert grouped is not None and single is not None
    assert grouped[1] - grouped[0] > 2 * (single[1] - single[0])


def test_the_curve_rises_from_nothing_to_all() -> None:
    points = measures.curve(ARRAY([0.0, 1.0, 2.0]), ARRAY([1.5, 2.5]))
    assert points[0] == (0.0, 0.0) and points[-1] == (1.0, 1.0)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(points))
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
    assert math.isclose(area, measures.auc(ARRAY([0.0, 1.0, 2.0]), ARRAY([1.5, 2.5])) or 0)
