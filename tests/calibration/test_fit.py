"""What a calibration is fitted to: sources count, not clips; gates come from where scores tell nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from touchstone.calibration import Calibration, Traits, worth
from touchstone.calibration.fit import CannotFit, Scored, fit, least_detail, passes
from touchstone.zoo.evaluation import Subject

MODEL = Subject(name="tiny", version="1", variant="fp32", sha256="0" * 64)


def clips(
    label: str, groups: int, each: int, mean: float, seed: int = 0, detail: float = 5.0
) -> Iterator[Scored]:
    random = np.random.default_rng(seed)
    for group in range(groups):
        for _ in range(each):
            score = float(random.normal(mean, 1))
            yield Scored(
                label=label,
                group=f"{label}-{group}",
                score=score,
                detail=detail,
                unusual=1.0 + 0.1 * float(random.random()),
                patches=12,
                traits=Traits(720, 0.1, "h264"),
                views={"rescaled": score, "recompressed": score},
            )


def fitted(*several: Iterator[Scored], **more: object) -> Calibration:
    found = [clip for clips_of in several for clip in clips_of]
    return fit(found, MODEL, corpus="made up", made_at="2026-11-22", made_by="a test", **more)  # type: ignore[arg-type]


def test_a_score_that_tells_the_classes_apart_counts() -> None:
    calibration = fitted(clips("real", 300, 2, 0), clips("generated", 20, 10, 6, seed=1))
    found = worth(calibration, 9.0, Traits(720, 0.1, "h264"), cap=1.99)
    assert found.log10_lr is not None and found.log10_lr > 1


def test_a_score_that_does_not_counts_for_nothing() -> None:
    calibration = fitted(clips("real", 300, 2, 0), clips("generated", 20, 10, 0, seed=1))
    assert worth(calibration, 9.0, Traits(720), cap=1.99).log10_lr is None


def test_sources_are_counted_not_clips() -> None:
    """A thousand clips of ten cameras support no rate of false alarms."""
    calibration = fitted(clips("real", 10, 100, 0), clips("generated", 20, 10, 6, seed=1))
    assert calibration.conditions[0].sources == 10
    found = worth(calibration, 9.0, Traits(720), cap=1.99)
    assert found.log10_lr is None and "10 real sources" in found.reason


def test_a_generator_with_many_clips_counts_as_one() -> None:
    few = clips("generated", 20, 2, 0, seed=1)
    many = (replace(clip, group="generated-0") for clip in clips("generated", 1, 500, 8, seed=2))
    calibration = fitted(clips("real", 300, 2, 0), few, many)
    assert max(step.generators_hit for step in calibration.conditions[0].steps) <= 2


def test_rendered_clips_are_among_those_that_must_not_be_flagged() -> None:
    calibration = fitted(
        clips("real", 200, 1, 0), clips("cgi", 100, 1, 5, seed=3), clips("generated", 20, 10, 6, seed=1)
    )
    everything = calibration.conditions[0]
    assert (everything.sources, everything.cgi_sources) == (300, 100)
    assert max(step.false_cgi for step in everything.steps) > 0


def test_detail_below_which_scores_tell_nothing_is_gated() -> None:
    sharp = [*clips("real", 60, 2, 0, detail=9), *clips("generated", 20, 10, 6, seed=1, detail=9)]
    blurred = [*clips("real", 60, 2, 0, seed=4, detail=1), *clips("generated", 20, 6, 0, seed=5, detail=1)]
    level = least_detail([*sharp, *blurred])
    assert 1 < level <= 9
    assert least_detail(sharp) == 0


def test_gates_and_views_decide_what_passes() -> None:
    calibration = fitted(clips("real", 300, 2, 0), clips("generated", 20, 10, 6, seed=1))
    good = next(clips("generated", 1, 1, 6))
    assert passes(good, calibration.gates)
    assert not passes(replace(good, patches=3), calibration.gates)
    assert not passes(replace(good, unusual=99.0), calibration.gates)
    assert not passes(replace(good, views={"rescaled": -9.0, "recompressed": 6.0}), calibration.gates)
    assert not passes(replace(good, views={"recompressed": 6.0}), calibration.gates)


def test_the_same_clips_give_the_same_calibration() -> None:
    one, other = (fitted(clips("real", 70, 2, 0), clips("generated", 20, 4, 6, seed=1)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("label", ["real", "generated"])
def test_one_class_alone_gives_none(label: str) -> None:
    with pytest.raises(CannotFit):
        fitted(clips(label, 10, 2, 0))
