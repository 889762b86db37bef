"""Calibrations are kept whole, used, taken back, and refused with a reason when they were touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from calibration.calibrations import MODEL, MODELS, local
from touchstone.calibration import BadCalibration, Traits, parse
from touchstone.calibration.in_force import in_force, mark_name
from touchstone.calibration.kept import FILE, PAGE, Calibrations, NoCalibration
from touchstone.calibration.local import LocalCalibration
from touchstone.calibration_in_force import Current, calibrations_of
from touchstone.system.paths import Paths
from touchstone.verdict import Evidence, Supports

READ = Evidence(
    examiner="visible_marks",
    finding="a mark",
    supports=Supports.AI,
    log10_lr=2.16,
    details={"kind": "brand", "frames_seen": 6},
)


@pytest.fixture
def kept(tmp_path: Path) -> Calibrations:
    return Calibrations(tmp_path / "calibration")


def test_what_is_kept_reads_back_and_is_never_changed(kept: Calibrations) -> None:
    one = local()
    folder = kept.keep(one, {PAGE: "<p>first"})
    kept.keep(one, {PAGE: "<p>second"})
    assert (folder / PAGE).read_text() == "<p>first"
    assert kept.ids() == [one.id]
    assert kept.read(one.id) == one
    assert one.id.startswith("2026-11-30-")


def test_an_earlier_one_can_be_used_again(kept: Calibrations) -> None:
    one, other = local(), local(touchstone="1.1")
    assert one.id != other.id
    for each in (one, other):
        kept.keep(each, {})
        kept.use(each.id)
    assert kept.active == other.id
    assert kept.rollback() == one.id
    assert kept.rollback() == "shipped"
    with pytest.raises(NoCalibration, match="in use before"):
        kept.rollback()


def test_what_was_deleted_is_passed_over(kept: Calibrations) -> None:
    one, other = local(), local(touchstone="1.1")
    for each in (one, other):
        kept.keep(each, {})
        kept.use(each.id)
    (kept.folder / one.id / FILE).unlink()
    assert kept.rollback() == "shipped"
    with pytest.raises(NoCalibration, match=f"{one.id}.*shipped, {other.id}"):
        kept.use(one.id)


def edit(tree: dict[str, Any]) -> None:
    tree["marks"][0]["conditions"][0]["flagged"] = 0


def other_schema(tree: dict[str, Any]) -> None:
    tree["schema"] = "touchstone.local-calibration/2"


def too_many(tree: dict[str, Any]) -> None:
    tree["marks"][0]["conditions"][0]["flagged"] = 61


@pytest.mark.parametrize(
    ("change", "says"),
    [(edit, "changed after it was made"), (other_schema, "local-calibration/2"), (too_many, "more were")],
)
def test_a_file_that_was_touched_is_refused_and_the_shipped_one_counts(
    kept: Calibrations, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    one = local()
    kept.keep(one, {})
    kept.use(one.id)
    assert in_force(kept, MODELS).id == one.id
    path = kept.folder / one.id / FILE
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))
    found = in_force(kept, MODELS)
    assert (found.id, found.chosen) == (None, one.id)
    assert says in found.refused
    assert found.weighed(READ, None) == READ
    with pytest.raises(BadCalibration):
        kept.use(one.id)


@pytest.mark.parametrize(
    ("content", "says"), [(b"{", "is not JSON"), (b"[]", "schema"), (b" " * (5 << 20), "larger")]
)
def test_a_file_of_something_else_is_refused(kept: Calibrations, content: bytes, says: str) -> None:
    one = local()
    (kept.keep(one, {}) / FILE).write_bytes(content)
    with pytest.raises(BadCalibration, match=says):
        kept.read(one.id)


def test_a_copy_under_another_name_is_refused(kept: Calibrations) -> None:
    one = local()
    kept.keep(one, {}).rename(kept.folder / "2027-01-01-00000000")
    with pytest.raises(BadCalibration, match=one.id):
        kept.use("2027-01-01-00000000")


@pytest.mark.parametrize(
    ("models", "says"), [({"detector": "cd" * 32}, "another detector"), ({}, "detector 1, which is not here")]
)
def test_one_made_with_other_models_is_refused(kept: Calibrations, models: dict[str, str], says: str) -> None:
    kept.keep(local(), {})
    kept.use(local().id)
    found = in_force(kept, models)
    assert found.local is None
    assert says in found.refused


def test_evidence_of_a_refuted_mark_weighs_less_and_says_by_what(kept: Calibrations) -> None:
    kept.keep(local(), {})
    kept.use(local().id)
    found = in_force(kept, MODELS)
    weighed = found.weighed(READ, Traits(360, 0.1, "h264"))
    assert weighed.log10_lr == pytest.approx(0.45, abs=0.01)
    assert weighed.details["calibration"] == local().id
    assert weighed.details["false_alarms_at_most"] == pytest.approx(0.304, abs=1e-3)
    for other in (
        READ.model_copy(update={"examiner": "labels"}),
        READ.model_copy(update={"log10_lr": None}),
        READ.model_copy(update={"details": {"kind": "brand", "frames_seen": 1}}),  # of a single picture
    ):
        assert found.weighed(other, None) == other


@pytest.mark.parametrize(
    ("examiner", "details", "name"),
    [
        ("watermarks", {"scheme": "dwt_dct"}, "dwt_dct"),
        ("visible_marks", {"kind": "brand", "frames_seen": 1}, "picture"),
        ("visible_marks", {"kind": "brand", "frames_seen": 3}, "clip"),
        ("visible_marks", {"kind": "label", "frames_seen": 3}, None),
        ("labels", {}, None),
    ],
)
def test_what_mark_evidence_is_about(examiner: str, details: dict[str, Any], name: str | None) -> None:
    evidence = Evidence(examiner=examiner, finding="-", supports=Supports.AI, details=details)
    assert mark_name(evidence) == name


def with_detector(**changes: Any) -> LocalCalibration:
    from examiners.detector.tiny_model import calibration

    text = json.dumps(calibration(**changes) | {"model": MODEL.model_dump()})
    return local(detector=parse(text.encode(), "a test"))


@pytest.mark.parametrize(("sources", "counts"), [(58, False), (59, True)])
def test_the_detector_is_weighed_by_it_from_enough_sources_on(
    kept: Calibrations, sources: int, counts: bool
) -> None:
    step = {"above": 2.0, "false_sources": 0, "generators_hit": 18}
    condition = {"name": "all", "sources": sources, "generators": 20, "steps": [step]}
    one = with_detector(conditions=[condition])
    kept.keep(one, {})
    kept.use(one.id)
    settings = in_force(kept, MODELS).detector({"calibration": "shipped", "path": "x"})
    assert settings["path"] == "x"
    assert (settings["calibration"] != "shipped") is counts
    assert ("detector" in one.changes) is counts


def test_a_running_program_notices_that_another_one_was_chosen(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    kept = calibrations_of(paths)
    current = Current(paths)
    assert current().id is None
    assert current() is current()
    one = local(models=())
    kept.keep(one, {})
    assert current().id is None
    kept.use(one.id)
    assert current().id == one.id
    assert current() is current()
    path = kept.folder / one.id / FILE
    path.write_text(path.read_text().replace('"flagged": 12', '"flagged": 1'))
    assert "changed after it was made" in current().refused
    kept.use("shipped")
    assert (current().id, current().refused) == (None, "")
