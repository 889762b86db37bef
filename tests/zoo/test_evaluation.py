"""Evaluations of detectors: what their counts support, and which detectors may vote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from touchstone.zoo.bounds import lower_bound, upper_bound
from touchstone.zoo.entry import Variant
from touchstone.zoo.evaluation import BadEvaluation, Evaluation, as_json, read, steps_of, vote_of

SHA = "ab" * 32
VARIANT = Variant(file="model.onnx", sha256=SHA, size=1)


def evaluation(**changes: Any) -> dict[str, Any]:
    """One of 300 real sources and 20 generators, with two steps; some fields changed."""
    return {
        "schema": "touchstone.evaluation/1",
        "model": {"name": "vit", "version": "1", "variant": "fp32", "sha256": SHA},
        "corpus": {
            "name": "mine",
            "real_clips": 600,
            "real_sources": 300,
            "ai_clips": 400,
            "generators": 20,
        },
        "made_at": "2026-11-22",
        "made_by": "touchstone evaluate",
        "steps": [
            {"above": 0.0, "false_sources": 12, "hits": 300},
            {"above": 2.0, "false_sources": 0, "hits": 200},
        ],
    } | changes


@pytest.mark.parametrize(
    ("count", "of", "lower", "upper"),
    # Two-sided 90 % intervals, which are one-sided 95 % bounds, by R's binom.test.
    [(0, 59, 0.0, 0.0495), (0, 299, 0.0, 0.00997), (5, 10, 0.2224, 0.7776), (10, 10, 0.7411, 1.0)],
)
def test_bounds_are_exact(count: int, of: int, lower: float, upper: float) -> None:
    assert upper_bound(count, of, 0.95) == pytest.approx(upper, abs=1e-4)
    assert lower_bound(count, of, 0.95) == pytest.approx(lower, abs=1e-4)


def test_what_is_no_count_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        upper_bound(3, 2, 0.95)


def test_a_well_evaluated_detector_votes_by_its_bounds() -> None:
    vote = vote_of(Evaluation.model_validate(evaluation()), VARIANT, cap=1.99)
    low, high = vote.stages
    assert low.false_alarms_at_most == pytest.approx(upper_bound(12, 300, 0.975))
    assert 10**low.log10_lr == pytest.approx(lower_bound(300, 400, 0.975) / upper_bound(12, 300, 0.975))
    assert vote.log10_lr(-1.0) is None
    assert vote.log10_lr(0.0) is None, "a score has to exceed the threshold"
    assert vote.log10_lr(1.0) == low.log10_lr
    assert vote.log10_lr(5.0) == high.log10_lr
    assert high.log10_lr > low.log10_lr
    assert vote_of(Evaluation.model_validate(evaluation()), VARIANT, cap=0.5).log10_lr(9.0) == 0.5


def test_more_steps_make_each_claim_weaker() -> None:
    few = evaluation()
    many = evaluation(
        steps=[*({"above": -9.0 + i, "false_sources": 299, "hits": 400} for i in range(9)), *few["steps"][1:]]
    )
    weaker, stronger = (
        vote_of(Evaluation.model_validate(values), VARIANT, cap=9.0).log10_lr(3.0) for values in (many, few)
    )
    assert weaker is not None
    assert stronger is not None
    assert weaker < stronger


CORPUS = evaluation()["corpus"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": {**evaluation()["model"], "sha256": "cd" * 32}}, "another file"),
        ({"corpus": {**CORPUS, "real_sources": 58}, "steps": []}, "58 real sources; 59"),
        ({"corpus": {**CORPUS, "generators": 4}}, "4 generators"),
        ({"steps": [{"above": 0.0, "false_sources": 150, "hits": 220}]}, "no threshold"),
        ({"steps": []}, "no threshold"),
    ],
)
def test_what_was_not_shown_does_not_vote(changes: dict[str, Any], says: str) -> None:
    vote = vote_of(Evaluation.model_validate(evaluation(**changes)), VARIANT, cap=1.99)
    assert not vote.stages
    assert says in vote.reason
    assert vote.log10_lr(99.0) is None


def test_without_a_file_there_is_no_vote(tmp_path: Path) -> None:
    assert read(tmp_path / "evaluation.json") is None
    assert "was not evaluated" in vote_of(None, VARIANT, cap=1.99).reason


STEP = {"above": 0.0, "false_sources": 1, "hits": 1}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "file"),
        (json.dumps(evaluation(schema="touchstone.evaluation/9")), "schema"),
        (json.dumps(evaluation(probability=0.99)), "probability: Extra"),
        (json.dumps(evaluation(steps=[STEP, STEP])), "do not rise"),
        (json.dumps(evaluation(steps=[STEP, {**STEP, "above": 1.0, "hits": 2}])), "flags more"),
        (json.dumps(evaluation(steps=[{**STEP, "false_sources": 301}])), "more were flagged"),
        (json.dumps(evaluation(steps=[{**STEP, "above": "nan"}])), "steps.0.above"),
        (" " * (5 << 20), "larger than"),
    ],
)
def test_what_is_no_evaluation_is_refused_by_field(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BadEvaluation, match=says) as problem:
        read(path)
    assert str(path) in str(problem.value)


def test_counts_are_by_source_and_survive_the_file(tmp_path: Path) -> None:
    real = [("phone", 0.1), ("phone", 3.0), ("drone", -1.0)]
    ai = [("a", 1.0), ("a", 4.0), ("b", -2.0), ("b", -3.0), ("b", 5.0)]
    steps = steps_of(real, ai, [0.0, 3.5])
    assert [(s.false_sources, s.hits, s.generators_hit) for s in steps] == [(1, 3, 1), (0, 2, 1)]
    values = evaluation(steps=[step.model_dump() for step in steps])
    path = tmp_path / "evaluation.json"
    made = Evaluation.model_validate(values)
    path.write_text(as_json(made), encoding="utf-8")
    assert read(path) == made
