"""A calibration claims what its counts support and nothing more, whatever its file says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from examiners.detector.tiny_model import calibration
from touchstone.calibration import BadCalibration, Traits, Where, as_json, parse, read, why_no_vote, worth
from touchstone.zoo.bounds import lower_bound, upper_bound

MODEL = {"name": "tiny", "version": "1", "variant": "fp32", "sha256": "0" * 64}
CAP = 1.99
HD = Traits(1080, 0.1, "h264")


def made(**changes: Any) -> dict[str, Any]:
    return {**calibration(**changes), "model": MODEL}


def condition(
    name: str = "all", where: dict[str, Any] | None = None, sources: int = 300, hit: int = 18, false: int = 0
) -> dict[str, Any]:
    steps = [{"above": 2.0, "false_sources": false, "generators_hit": hit}]
    return {"name": name, "where": where or {}, "sources": sources, "generators": 20, "steps": steps}


def loaded(*conditions: dict[str, Any]) -> Any:
    return parse(json.dumps(made(conditions=list(conditions))).encode(), "a test")


def test_a_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    first = loaded(condition(), condition("small", {"short_side": [None, 361]}))
    (tmp_path / "c.json").write_text(as_json(first))
    assert read(tmp_path / "c.json") == first


@pytest.mark.parametrize(
    ("sources", "false", "at_most"),
    # Clopper-Pearson, one-sided 95 %: none of 59 supports 5 %, none of 299 supports 1 %.
    [(59, 0, 0.05), (299, 0, 0.01), (473, 1, 0.01)],
)
def test_the_rate_of_false_alarms_is_what_that_many_sources_support(
    sources: int, false: int, at_most: float
) -> None:
    found = worth(loaded(condition(sources=sources, false=false)), 3.0, HD, cap=CAP)
    assert found.false_alarms_at_most == pytest.approx(at_most, abs=6e-4)
    assert found.false_alarms_at_most is not None and found.false_alarms_at_most <= at_most


def test_several_thresholds_share_the_chance_to_be_wrong() -> None:
    steps = [
        {"above": 1.0, "false_sources": 3, "generators_hit": 19},
        {"above": 2.0, "false_sources": 0, "generators_hit": 18},
    ]
    found = worth(loaded({**condition(), "steps": steps}), 3.0, HD, cap=CAP)
    assert found.false_alarms_at_most == pytest.approx(upper_bound(0, 300, 0.975))
    assert found.recall_at_least == pytest.approx(lower_bound(18, 20, 0.975))


def test_a_score_has_to_exceed_a_threshold() -> None:
    assert worth(loaded(condition()), 2.0, HD, cap=CAP).log10_lr is None
    assert worth(loaded(condition()), 2.001, HD, cap=CAP).log10_lr is not None


@pytest.mark.parametrize(
    ("part", "traits", "decides"),
    [
        (condition("bad", {"short_side": [None, 2000]}, hit=8, false=12), HD, "bad"),
        (condition("good", {"short_side": [None, 2000]}, hit=20), HD, "all"),
        (condition("few", {"short_side": [None, 2000]}, sources=58, hit=2), HD, "all"),
        (condition("other", {"codec": "other"}, hit=8, false=12), HD, "all"),
        (condition("other", {"codec": "other"}, hit=8, false=12), Traits(1080, None, "vp9"), "other"),
        (condition("thin", {"bits_per_pixel": [None, 0.5]}, hit=8, false=12), Traits(1080), "all"),
    ],
)
def test_a_condition_can_only_lower_what_all_clips_support(
    part: dict[str, Any], traits: Traits, decides: str
) -> None:
    both = loaded(condition(), part)
    alone = worth(loaded(condition()), 3.0, traits, cap=CAP)
    found = worth(both, 3.0, traits, cap=CAP)
    assert found.condition == decides
    assert (found.log10_lr or 0) <= (alone.log10_lr or 0)


def test_the_cap_holds() -> None:
    huge = {**condition(sources=10**6, hit=20), "generators": 20}
    assert worth(loaded(huge), 3.0, HD, cap=CAP).log10_lr == CAP


def test_why_no_score_counts_is_said() -> None:
    assert "58 real sources" in why_no_vote(loaded(condition(sources=58)).conditions[0])
    assert why_no_vote(loaded(condition()).conditions[0]) == ""


@pytest.mark.parametrize(
    ("where", "traits", "holds"),
    [
        ({}, Traits(0), True),
        ({"short_side": (361, 577)}, Traits(361), True),
        ({"short_side": (361, 577)}, Traits(577), False),
        ({"codec": "h264"}, Traits(1, None, "h264"), True),
        ({"codec": "h264"}, Traits(1), False),
        ({"codec": "other"}, Traits(1), False),
    ],
)
def test_which_clips_a_condition_is_about(where: dict[str, Any], traits: Traits, holds: bool) -> None:
    assert Where(**where).holds(traits) is holds


def _broken(**changes: Any) -> bytes:
    return json.dumps(made(**changes)).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"nonsense", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (_broken(schema="touchstone.calibration/2"), "schema"),
        (_broken(conditions=[]), "conditions"),
        (_broken(conditions=[condition("small", {"short_side": [None, 361]})]), "about all clips"),
        (_broken(conditions=[condition(false=301)]), "more were flagged"),
        (_broken(conditions=[{**condition(), "steps": [{"above": math.inf}]}]), "above"),
        (
            _broken(
                conditions=[
                    {
                        **condition(),
                        "steps": [
                            {"above": 1.0, "false_sources": 0, "generators_hit": 1},
                            {"above": 2.0, "false_sources": 5, "generators_hit": 1},
                        ],
                    }
                ]
            ),
            "flags more than a lower one",
        ),
        (_broken(false_alarms_at_most=0.0001), "false_alarms_at_most"),
    ],
)
def test_a_file_that_claims_what_cannot_be_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(BadCalibration, match=says):
        parse(content, "a test")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCalibration, match=r"gone\.json"):
        read(tmp_path / "gone.json")
