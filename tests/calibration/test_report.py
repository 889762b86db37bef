"""The report of a calibration: its numbers, its page, its tables, and two of them side by side."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from calibration.calibrations import EXACT, MODEL, clip, local, looked, mark_read, scored
from touchstone.calibration.local import LocalCalibration, sealed
from touchstone.calibration.making.claims import claims
from touchstone.calibration.making.fitting import of_detector, of_marks, summary
from touchstone.calibration.making.run import Measured
from touchstone.calibration.making.whole import Finished
from touchstone.calibration.report.comparing import compared, shipped_side, side_of
from touchstone.calibration.report.numbers import report_of
from touchstone.calibration.report.page import page
from touchstone.calibration.report.tables import about, sheets
from touchstone.evaluation.conditions import conditions_of
from touchstone.evaluation.measures import BAND_AT, recall_band
from touchstone.evaluation.run import Looked


def finished(sources: int = 64, generators: int = 32, flagged: int = 0) -> Finished:
    """Of made-up clips: a score that tells the classes apart but for an overlap, in two conditions."""
    random = np.random.default_rng(1)
    plain, scores, copies = [], [], []
    for condition, worse in (("as_is", 0.0), ("crf28", 0.5)):
        for number in range(sources):
            shown = clip(f"own/{number}", source=f"own/{number}")
            false = [mark_read()] if condition == "crf28" and number < flagged else []
            plain.append(looked(shown, condition, *false))
            scores.append(looked(shown, condition, scored(float(random.normal(0, 1)))))
            copies.append(looked(shown, condition, mark_read()))
        for number in range(generators):
            made = clip(f"g{number}", "generated")
            scores.append(looked(made, condition, scored(float(random.normal(2.5 - worse, 1)))))
    plain.append(Looked(clip("broken"), "as_is", {}, "this is no video"))
    measured = Measured(plain, scores, copies, [], complete=True)
    titles = ["as it is", "H.264 CRF 28"]
    more: dict[str, Any] = {"made_at": "2026-11-30", "made_by": "touchstone calibrate", "conditions": titles}
    fitted = of_detector(scores, MODEL, None, met=[], **more)
    calibration = LocalCalibration(
        made_at="2026-11-30",
        made_by="touchstone calibrate --real mine",
        touchstone="1.0",
        models=(MODEL,),
        data=summary(measured, titles, []),
        detector=fitted.calibration,
        detector_reason=fitted.reason,
        marks=of_marks(plain, copies, {("watermarks", "touchstone"): EXACT}),
    )
    return Finished(sealed(calibration), measured, conditions_of(["as_is", "crf28"]))


def test_false_alarms_are_told_for_each_condition() -> None:
    report = report_of(finished(flagged=3))
    rows = {(row["condition"], row["examiner"]): row for row in report["false_alarms"]}
    assert (rows["as_is", "watermarks"]["false"]["count"], rows["crf28", "watermarks"]["false"]["count"]) == (
        0,
        3,
    )
    assert rows["crf28", "watermarks"]["false"]["high"] == pytest.approx(0.131, abs=1e-3)  # Clopper-Pearson
    assert rows["as_is", "watermarks"]["read"]["count"] == 64
    assert rows["as_is", "detector"]["false"]["of"] == 64
    assert rows["as_is", "detector"]["read"]["count"] > 0
    (mark,) = report["marks"]
    assert mark["outcome"] == "refuted"
    assert report["changes"] == ["detector", "watermarks: touchstone"]
    assert report["verdicts"][1]["wrong"] == 3, "three real clips would be called AI-made"
    assert report["problems"] == [{"clip": "broken", "condition": "as_is", "reason": "this is no video"}]


def test_the_page_has_every_plot_and_fetches_nothing() -> None:
    report = report_of(finished())
    text = page(json.loads(json.dumps(report, allow_nan=False)))
    for title in (
        "Calibration, out of fold",
        "Coverage against risk",
        "ROC, as it is",
        "ROC, H.264 CRF 28",
        "False alarms of detector",
    ):
        assert title in text
    assert text.count('<polygon class="a') == 2, "a band around each ROC curve"
    assert "this is no video" in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_what_too_few_clips_cannot_tell_is_said_in_place_of_a_plot() -> None:
    text = page(report_of(finished(sources=4, generators=3)))
    assert "<polygon" not in text
    assert "no band" in text


def test_nothing_is_read_as_markup() -> None:
    report = report_of(finished())
    report["problems"] = [{"clip": "<script>alert(1)</script>.mp4", "condition": "as_is", "reason": "<b>"}]
    assert "<script" not in page(report)


def test_the_tables_of_console_and_page_are_the_same() -> None:
    report = report_of(finished())
    text = page(report)
    for sheet in sheets(report):
        assert sheet.title in text
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)
    assert "64 real clips of 64 sources" in about(report)[0]


def test_bands_hold_the_curve_and_need_five_of_each() -> None:
    random = np.random.default_rng(0)
    real, ai = random.normal(0, 1, 60), random.normal(1.5, 1, 60)
    names = [str(number // 3) for number in range(60)]
    band = recall_band(real, ai, names, names)
    assert [rate for rate, *_ in band] == list(BAND_AT)
    for rate, low, high in band:
        threshold = np.quantile(real, 1 - rate) if rate < 1 else -np.inf
        assert low - 0.05 <= float((ai > threshold).mean()) <= high + 0.05
        assert low <= high
    assert band[3][2] - band[3][1] > 0.1, "twenty sources leave much open"
    assert recall_band(real, ai, names, ["one"] * 60) == []


def test_two_calibrations_side_by_side() -> None:
    one, other = shipped_side(None, claims()), side_of(local())
    rows = {row["what"]: row for row in compared(one, other)}
    assert rows["visible_marks: clip"]["differs"]
    assert "0.582 %" in rows["visible_marks: clip"]["one"]
    assert "30.4 %" in rows["visible_marks: clip"]["other"]
    assert "refuted" in rows["visible_marks: clip"]["other"]
    assert rows["real"] == {"what": "real", "one": "-", "other": "120 clips, 60 sources", "differs": True}
    assert not any(row["differs"] for row in compared(other, other))
