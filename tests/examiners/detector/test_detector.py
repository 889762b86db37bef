"""A score counts as far as it was measured, where the clip has what it is made from, and else says why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from examiners.detector.tiny_model import calibration, loaded, settings, tiny_model
from touchstone.examiners import Clip, Skip
from touchstone.examiners.detector.examiner import Detector, UnusableModel, from_settings
from touchstone.examiners.detector.looking import Look, look
from touchstone.examiners.detector.views import LARGE
from touchstone.media.container import Container
from touchstone.media.frames import Frame, Run
from touchstone.media.plan import Seen
from touchstone.verdict import CAP_LOG10_LR, Evidence, Supports


def frame(
    number: int, size: tuple[int, int] = (270, 480), step: float = 8.0, seed: int = 0, hold: bool = False
) -> Frame:
    """Noise whose neighbouring samples differ by `step` on average; fresh for each frame unless held."""
    noise = np.random.default_rng(seed if hold else seed + number).normal(0, step / 1.128, size)
    luma = np.clip(np.rint(128 + noise), 16, 235).astype(np.uint8)
    small = np.full((-(-size[0] // 2), -(-size[1] // 2)), 128, np.uint8)
    return Frame((luma, small, small), "ycbcr", 8, time_s=number / 25, duration_s=0.04, subsampling=(2, 2))


def run_at(number: int, frames: int = 3, **more: Any) -> Run:
    return Run(tuple(frame(number * 25 + index, **more) for index in range(frames)))


class Frames:
    def __init__(self, runs: Sequence[Run]) -> None:
        self.seen = Seen(len(runs))
        self._runs = runs

    def __iter__(self) -> Iterator[Run]:
        yield from self._runs


def clip_of(*runs: Run, size_bytes: int = 0) -> Clip:
    first = runs[0].frames[0]
    container = Container(
        format="mp4",
        mime="video/mp4",
        codec="h264",
        width=first.width,
        height=first.height,
        fps=25.0,
        duration_s=4.0,
    )
    return Clip(BytesIO(bytes(size_bytes)), size_bytes, container, sample=lambda _: Frames(runs))


def examined(folder: Path, *runs: Run, model: bytes | None = None, **changes: Any) -> Evidence:
    made = settings(folder, model, calibration(**changes))
    (evidence,) = from_settings(made).examine(clip_of(*runs))
    return evidence


RUNS = [run_at(second) for second in range(4)]


def test_a_score_above_a_measured_threshold_counts_for_what_was_measured(tmp_path: Path) -> None:
    evidence = examined(tmp_path, *RUNS)
    assert evidence.details["outcome"] == "counts"
    assert evidence.supports is Supports.AI
    # 18 of 20 generators is at least 71.7 %, 0 of 300 sources at most 0.994 % (Clopper-Pearson, one-sided)
    assert evidence.log10_lr == pytest.approx(np.log10(0.7174 / 0.00994), abs=0.01)
    assert evidence.details["false_alarms_at_most"] == pytest.approx(0.00994, abs=1e-4)


def test_no_count_of_sources_lifts_it_over_moderate_support(tmp_path: Path) -> None:
    many = {"name": "all", "sources": 10**6, "generators": 100}
    steps = [{"above": 2.0, "false_sources": 0, "generators_hit": 100}]
    evidence = examined(tmp_path, *RUNS, conditions=[{**many, "steps": steps}])
    assert evidence.log10_lr == CAP_LOG10_LR["detector"] < 2


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ({"sources": 58, "generators": 20}, "58 real sources"),
        ({"sources": 300, "generators": 4}, "4 generators"),
    ],
)
def test_too_few_sources_or_generators_support_nothing(
    tmp_path: Path, condition: dict[str, int], says: str
) -> None:
    steps = [{"above": 2.0, "false_sources": 0, "generators_hit": min(18, condition["generators"])}]
    evidence = examined(tmp_path, *RUNS, conditions=[{"name": "all", **condition, "steps": steps}])
    assert (evidence.supports, evidence.log10_lr) == (Supports.NEITHER, None)
    assert evidence.details["outcome"] == "uncalibrated"
    assert says in evidence.finding
    assert evidence.details["score"] > 2


def test_a_ratio_near_one_supports_nothing(tmp_path: Path) -> None:
    steps = [{"above": 2.0, "false_sources": 100, "generators_hit": 12}]
    condition = {"name": "all", "sources": 300, "generators": 20, "steps": steps}
    evidence = examined(tmp_path, *RUNS, conditions=[condition])
    assert evidence.log10_lr is None
    assert "no threshold" in evidence.finding


def test_without_a_calibration_the_score_is_told_and_weighs_nothing(tmp_path: Path) -> None:
    (evidence,) = from_settings(settings(tmp_path)).examine(clip_of(*RUNS))
    assert (evidence.supports, evidence.log10_lr) == (Supports.NEITHER, None)
    assert "counts for nothing" in evidence.finding
    assert evidence.details["score"] == pytest.approx(8, rel=0.1)


def test_a_calibration_of_another_file_is_not_used(tmp_path: Path) -> None:
    made = settings(tmp_path, None, calibration())
    other = json.loads(made["calibration"])
    other["model"]["sha256"] = "0" * 64
    (evidence,) = from_settings(made | {"calibration": json.dumps(other)}).examine(clip_of(*RUNS))
    assert evidence.details["outcome"] == "uncalibrated"


def test_a_low_score_never_speaks_for_anything(tmp_path: Path) -> None:
    evidence = examined(tmp_path, *RUNS, model=tiny_model(offset=-20))
    assert evidence.details["outcome"] == "below"
    assert (evidence.supports, evidence.log10_lr) == (Supports.NEITHER, None)


PLAIN = {"least_patches": 4, "least_detail": 0.0}


@pytest.mark.parametrize(
    ("runs", "gates", "says"),
    [
        ([run_at(0, size=(130, 140))], PLAIN, "only 1 pieces"),
        (RUNS, PLAIN | {"least_detail": 50.0}, "fine detail"),
        (RUNS, PLAIN | {"most_unusual": 1.0}, "unlike any"),
        ([run_at(second, hold=True) for second in range(4)], PLAIN, "do not change"),
        (RUNS, PLAIN | {"views": {"rescaled": 100.0}}, "smaller scale"),
        (RUNS, PLAIN | {"views": {"recompressed": 100.0}}, "compressed once more"),
        ([run_at(s, size=(160, 300)) for s in range(4)], PLAIN | {"views": {"rescaled": 0.0}}, "second way"),
    ],
)
def test_gates_say_why_a_score_does_not_count(
    tmp_path: Path, runs: list[Run], gates: dict[str, Any], says: str
) -> None:
    evidence = examined(tmp_path, *runs, gates=gates)
    assert says in evidence.finding
    assert (evidence.supports, evidence.log10_lr) == (Supports.NEITHER, None)
    assert evidence.details["outcome"] == "inconclusive"
    assert evidence.details["score"] > 2, "the score is told whatever the gates say"


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (run_at(0, frames=1), "consecutive frames"),
        (run_at(0, frames=2), "consecutive frames"),
        (run_at(0, size=(64, 64)), "smaller than"),
        (run_at(0, step=0.0), "plain"),
    ],
)
def test_clips_that_cannot_be_looked_at_are_skipped_with_the_reason(
    tmp_path: Path, run: Run, says: str
) -> None:
    with pytest.raises(Skip, match=says):
        list(Detector(loaded(tmp_path)).examine(clip_of(run)))


def test_a_score_that_is_no_number_is_none(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="no number"):
        list(Detector(loaded(tmp_path, tiny_model(offset=float("nan")))).examine(clip_of(*RUNS)))


def test_spans_and_patches_tell_which_seconds_and_places_carried_the_score(tmp_path: Path) -> None:
    runs = [run_at(0), run_at(1, step=30.0), run_at(2)]
    evidence = examined(tmp_path, *runs)
    scores = [span.score or 0 for span in evidence.spans]
    assert [span.start_s for span in evidence.spans] == [0, 1, 2]
    assert max(scores) == scores[1]
    patches = evidence.details["patches"]
    assert len(patches) == 12
    assert {patch["time_s"] for patch in patches} == {0, 1, 2}
    assert all(patch["x"] >= 0 and patch["x"] + patch["w"] <= 1.0001 for patch in patches)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_patches_of_a_turned_clip_are_told_where_the_picture_that_is_shown_has_them(
    tmp_path: Path, degrees: int
) -> None:
    coded = run_at(0, size=(256, 384))
    turned = Run(tuple(replace(each, rotation=degrees) for each in coded.frames))
    [as_coded, as_shown] = [examined(tmp_path, run).details["patches"] for run in (coded, turned)]
    assert len(as_coded) == len(as_shown) > 1
    picture = np.arange(256 * 384).reshape(256, 384)
    upright = turned.frames[0].upright(picture)
    for there, here in zip(as_coded, as_shown, strict=True):
        assert set(pixels(upright, here).flat) == set(pixels(picture, there).flat)


def pixels(picture: NDArray[np.integer[Any]], patch: dict[str, float]) -> NDArray[np.integer[Any]]:
    """What of a picture is in a patch."""
    height, width = picture.shape
    left, top = round(patch["x"] * width), round(patch["y"] * height)
    return picture[top:, left:][: round(patch["h"] * height), : round(patch["w"] * width)]


def test_one_wild_patch_does_not_decide_a_run(tmp_path: Path) -> None:
    first = run_at(0)
    for shown in first.frames:
        shown.planes[0][:128, :128] = np.random.default_rng(1).integers(16, 235, (128, 128))
    seen = look(loaded(tmp_path), [first])
    assert isinstance(seen, Look)
    assert max(patch.logit for patch in seen.patches) > 50
    assert seen.runs[0][2] < 16


def test_the_same_clip_gives_the_same_evidence(tmp_path: Path) -> None:
    assert examined(tmp_path, *RUNS) == examined(tmp_path, *RUNS)


@pytest.mark.parametrize(("runs", "patches"), [(1, 4), (4, 16), (5, 15), (8, 16), (20, 16)])
def test_patches_are_at_most_sixteen_and_from_all_of_the_clip(
    tmp_path: Path, runs: int, patches: int
) -> None:
    evidence = examined(tmp_path, *[run_at(second) for second in range(runs)])
    assert len(evidence.details["patches"]) == patches
    assert len(evidence.spans) == min(runs, 16)


def test_other_views_are_looked_at_only_where_they_decide(tmp_path: Path) -> None:
    gates = {"least_patches": 4, "views": {"rescaled": 0.0, "recompressed": 0.0}}
    made = settings(tmp_path, tiny_model(offset=-20), calibration(gates=gates))
    for views, expected in ((False, set()), (True, {"rescaled", "recompressed"})):
        (evidence,) = from_settings({**made, "views": views}).examine(clip_of(*RUNS))
        assert set(evidence.details["views"]) == expected
        assert evidence.details["outcome"] == "below"
    assert set(examined(tmp_path, *RUNS).details["views"]) == {"rescaled", "recompressed"}


@pytest.mark.parametrize(("size", "depth"), [((LARGE, LARGE), 8), ((271, 481), 8), ((270, 480), 10)])
def test_other_views_are_of_the_same_pictures(tmp_path: Path, size: tuple[int, int], depth: int) -> None:
    """Means stay what they were; the finest detail does not."""
    run = run_at(0, size=size)
    if depth == 10:
        run = Run(
            tuple(
                Frame(tuple(p.astype(np.uint16) << 2 for p in f.planes), "ycbcr", 10, f.time_s, (2, 2))
                for f in run.frames
            )
        )
    seen = look(loaded(tmp_path), [run])
    assert isinstance(seen, Look)
    assert set(seen.views) == {"rescaled", "recompressed"}
    assert 1 < seen.views["rescaled"] < seen.score
    assert 1 < seen.views["recompressed"] < seen.score * 1.2


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"not a model", "is no detector"), (tiny_model(outputs=("score", "logit")), "gives no embedding")],
)
def test_files_that_are_no_detector_are_refused_when_they_are_loaded(
    tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(UnusableModel, match=says):
        from_settings(settings(tmp_path, content))


def test_a_file_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    made = settings(tmp_path)
    Path(made["path"]).write_bytes(tiny_model(gain=2))
    with pytest.raises(UnusableModel, match="not the file"):
        from_settings(made)
