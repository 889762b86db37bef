"""From what was said of clips to counts, thresholds, bands and temperatures."""

from __future__ import annotations

from typing import Any

import pytest

from calibration.calibrations import CLAIM, EXACT, MODEL, clip, looked, mark_read, scored
from touchstone.calibration import Calibration, Condition, Step, Traits, worth
from touchstone.calibration.making.claims import claims
from touchstone.calibration.making.fitting import OfDetector, band_from, of_detector, of_marks, refuted
from touchstone.evaluation.run import Looked
from touchstone.evaluation.table import scored_clips

FALSE = mark_read()
OURS = ("watermarks", "touchstone")


def test_a_source_is_flagged_if_any_of_its_clips_is_in_any_condition() -> None:
    plain = [looked(clip(f"{s}{n}", source=s), "as_is") for s in ("a", "b", "c") for n in range(2)]
    plain += [looked(clip("a0", source="a"), "crf28", FALSE), looked(clip("a1", source="a"), "crf28", FALSE)]
    plain += [looked(clip("g", "generated"), "as_is", FALSE)]  # what AI made is no false alarm
    (mark,) = of_marks(plain, [], {OURS: EXACT})
    assert (mark.conditions[0].sources, mark.conditions[0].flagged) == (3, 1)
    assert len(mark.conditions) == 1, "eight looks say nothing of a kind of clip"


def test_marked_copies_count_by_source_and_only_for_the_mark_they_carry() -> None:
    copies = [looked(clip(f"a{n}", source="a"), "as_is", *([FALSE] * (n < 3))) for n in range(4)]
    copies += [looked(clip("b", source="b"), "as_is", FALSE)]
    plain = [looked(clip("a0", source="a"))]
    marks = {
        m.name: m.conditions[0] for m in of_marks(plain, copies, {OURS: EXACT, ("watermarks", "x"): CLAIM})
    }
    assert (marks["touchstone"].marked, marks["touchstone"].read) == (2, 1), "three quarters and one"
    assert (marks["x"].marked, marks["x"].read) == (0, 0)


def test_an_examiner_that_did_not_run_is_not_counted() -> None:
    plain = [looked(clip("a"), checked=["labels"]), looked(clip("b"))]
    (mark,) = of_marks(plain, [], {OURS: EXACT})
    assert mark.conditions[0].sources == 1


def test_kinds_of_clips_with_enough_looks_are_counted_for_themselves() -> None:
    plain = [looked(clip(str(n)), "as_is", height=360 if n < 60 else 1080, width=1920) for n in range(70)]
    (mark,) = of_marks(plain, [], {OURS: EXACT})
    kinds = {counts.name: counts.sources for counts in mark.conditions}
    assert kinds["all"] == 70
    assert kinds["up to 360 lines"] == 60
    assert "over 900 lines" not in kinds


def test_every_mark_that_weighs_has_a_claim() -> None:
    assert set(claims()) == {
        OURS,
        ("watermarks", "dwt_dct"),
        ("visible_marks", "clip"),
        ("visible_marks", "picture"),
    }


def scores(real: int, generators: int, apart: float) -> list[Looked]:
    """A clip of each; real ones score 0 to 1, others as much more as `apart`."""
    looks = [looked(clip(f"r{n}"), "as_is", scored(n / real)) for n in range(real)]
    return looks + [
        looked(clip(f"g{n}", "generated"), "as_is", scored(apart + n / generators)) for n in range(generators)
    ]


def fit(looks: list[Looked], shipped: Calibration | None = None) -> OfDetector:
    more: dict[str, Any] = {"made_at": "2026-11-30", "made_by": "a test", "conditions": ["as it is"]}
    return of_detector(looks, MODEL, shipped, met=["sora"], **more)


def test_scores_that_tell_the_classes_apart_count_from_enough_sources_on() -> None:
    found = fit(scores(80, 40, apart=2.0))
    assert found.calibration is not None
    assert found.calibration.trained_on == ("sora",)
    assert not found.refutes
    everything = found.calibration.conditions[0]
    assert everything.temperature is not None and everything.temperature > 0
    assert everything.below == pytest.approx(2.0), "at most a tenth of generators may lie below: none of 40"
    traits = Traits(360, 0.1, "h264")
    assert (worth(found.calibration, 2.5, traits, cap=1.99).log10_lr or 0) > 0.5
    assert "few" not in found.reason


def test_between_the_band_and_the_threshold_a_score_is_left_open() -> None:
    looks = scores(80, 40, apart=2.0)
    looks.append(looked(clip("odd"), "as_is", scored(2.2)))  # one source scores like AI-made clips
    calibration = fit(looks).calibration
    assert calibration is not None
    steps = [Step(above=2.2001, false_sources=0, generators_hit=31)]
    condition = calibration.conditions[0].model_copy(update={"steps": tuple(steps)})
    narrowed = calibration.model_copy(update={"conditions": (condition,)})
    traits = Traits(360, 0.1, "h264")
    assert "lies between" in worth(narrowed, 2.1, traits, cap=1.99).reason
    assert worth(narrowed, 1.0, traits, cap=1.99).reason == ""


@pytest.mark.parametrize(("generators", "told"), [(28, False), (29, True)])
def test_a_band_needs_twenty_nine_generators(generators: int, told: bool) -> None:
    clips = list(scored_clips(scores(1, generators, apart=1.0)))
    assert (band_from(clips) is not None) is told  # 0.9 ** 28 > 5 % >= 0.9 ** 29


def test_too_few_sources_leave_the_shipped_calibration() -> None:
    found = fit(scores(10, 5, apart=2.0))
    assert found.calibration is not None
    assert "10 sources" in found.reason and "59" in found.reason


def test_one_class_alone_cannot_be_fitted() -> None:
    found = fit(scores(10, 5, apart=2.0)[:10])
    assert found.calibration is None
    assert "not calibrated" in found.reason


def shipped(above: float) -> Calibration:
    step = Step(above=above, false_sources=0, generators_hit=18)
    condition = Condition(name="all", sources=300, generators=20, steps=(step,))
    return Calibration(model=MODEL, corpus="-", made_at="-", made_by="-", conditions=(condition,))


@pytest.mark.parametrize(("above", "expected"), [(2.0, False), (0.7, True)])
def test_the_shipped_calibration_falls_when_more_sources_exceed_it_than_it_allows(
    above: float, expected: bool
) -> None:
    looks = scores(10, 5, apart=2.0)  # of ten sources, two exceed 0.7: at least 3.7 %, where 1 % is claimed
    assert refuted(shipped(above), list(scored_clips(looks))) is expected
    found = fit(looks, shipped(above))
    assert found.refutes is expected
    assert ("take its place" in found.reason and "no score counts" in found.reason) is expected
