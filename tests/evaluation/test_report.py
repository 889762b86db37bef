"""From what was said of clips to tables, plots and pages; no clip is decoded here."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from touchstone import evaluation
from touchstone.evaluation import page, plots
from touchstone.evaluation.conditions import conditions_of
from touchstone.evaluation.corpus import Clip
from touchstone.evaluation.report import markdown, report_of
from touchstone.evaluation.run import Looked
from touchstone.evaluation.table import score_of, scored_clips
from touchstone.evaluation.vidaudit import text_of

STYLE = resources.files(evaluation).joinpath("page.css").read_text(encoding="utf-8")
(AS_IS,) = conditions_of(["as_is"])


def evidence(score: float, examiner: str = "detector", **changes: Any) -> dict[str, Any]:
    details = {
        "score": score, "detail": 3.0, "unusual": 1.0, "views": {}, "patches": [{}] * 8, "short_side": 720,
        "bits_per_pixel": 0.1, "outcome": "uncalibrated",
    }  # fmt: skip
    plain = {"examiner": examiner, "supports": "neither", "log10_lr": None, "took_ms": 12.5}
    return {**plain, "details": details, **changes}


def looked(label: str, groups: int, each: int, mean: float, seed: int = 0) -> Iterator[Looked]:
    random = np.random.default_rng(seed)
    for group in range(groups):
        for number in range(each):
            name = f"{label}/{group}/<{number}>.mp4"
            family = f"{label}-family-{group // 2}"
            clip = Clip(Path(name), name, label, f"{label}-{group}", family, f"{label}-{group}")
            said = {"evidence": [evidence(float(random.normal(mean, 1)))], "checked": ["detector"]}
            yield Looked(clip, "as_is", said)


def report(*several: Iterator[Looked]) -> dict[str, Any]:
    about = {"model": None, "corpus": "made up", "made_at": "2026-11-22", "made_by": "a test"}
    everything = [look for some in several for look in some]
    return report_of(everything, [AS_IS], "detector", left_out=[], about=about)


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    unread = Looked(Clip(Path("x"), "x", "real", "x", "x", "x"), "as_is", {}, "it is <no> video")
    return report(
        looked("real", 20, 6, 0),
        looked("generated", 8, 10, 2.5, seed=1),
        looked("cgi", 5, 4, 1, seed=2),
        iter([unread]),
    )


def test_numbers_are_those_of_the_scores(told: dict[str, Any]) -> None:
    (table,) = told["conditions"]
    # Two normal classes 2.5 apart: AUC is the normal distribution at 2.5 over the root of 2, 0.961.
    assert table["auc"] == pytest.approx(0.961, abs=0.03)
    assert table["auc_interval"][0] < table["auc"] < table["auc_interval"][1]
    assert table["scored"] == {"real": 120, "cgi": 20, "generated": 80}
    assert table["clips"]["real"] == 121
    assert [recall["supported"] for recall in table["recall"]] == [True, True, False]
    recalls = [recall["recall"]["value"] for recall in table["recall"]]
    assert recalls == sorted(recalls, reverse=True)
    assert table["recall"][0]["false_clips"]["count"] == 6, "5 % of 120"
    assert len(table["by_generator"]) == 8 and len(table["by_family"]) == 4
    assert table["ms"] == 12.5
    assert table["skipped"] == {"it is <no> video": 1}


def test_a_source_that_sets_the_threshold_alone_is_flagged_when_it_is_left_out() -> None:
    """One camera scores far higher than all others: its own clips hide that unless it is left out."""
    odd = (Looked(look.clip, "as_is", look.said) for look in looked("real", 1, 6, 9, seed=5))
    others = list(looked("real", 20, 6, 0))
    renamed = [Looked(Clip(Path("o"), f"o{n}", "real", "odd", "odd", "odd"), "as_is", look.said)
               for n, look in enumerate(odd)]  # fmt: skip
    (table,) = report(iter(others), iter(renamed), looked("generated", 8, 10, 2.5, seed=1))["conditions"]
    assert table["recall"][1]["false_clips"]["count"] <= 1
    assert table["leave_one_source_out"]["clips"]["count"] >= 6
    assert table["floor"]["worst"][0]["auc"] > 0.99
    assert "odd" in table["floor"]["worst"][0]["groups"]


def test_scores_without_meaning_keep_to_the_floor() -> None:
    (table,) = report(looked("real", 20, 6, 0), looked("generated", 8, 10, 0, seed=1))["conditions"]
    assert 0.4 < table["auc"] < 0.6
    # Six clips against six differ by chance alone; what matters is whether they differ by more.
    assert table["floor"]["by_chance"] > 0.58
    assert table["floor"]["median"] == pytest.approx(table["floor"]["by_chance"], abs=0.04)
    assert table["calibration"]["error"] < 0.15


def test_one_class_alone_is_told_without_numbers() -> None:
    (table,) = report(looked("real", 5, 2, 0))["conditions"]
    assert table["auc"] is None and table["roc"] == [] and table["calibration"] is None
    assert "| - |" in markdown(report(looked("real", 5, 2, 0)))


def test_pages_say_the_same_and_quote_what_others_named(told: dict[str, Any]) -> None:
    html, text = page.page(told), markdown(told)
    auc = f"{told['conditions'][0]['auc']:.3f}"
    assert auc in html and auc in text
    assert "it is <no> video" not in html
    assert "<script" not in html
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize("name", ["roc", "recalls", "coverage", "reliability"])
def test_plots_stand_alone_as_svg(told: dict[str, Any], name: str) -> None:
    text = plots.standalone(getattr(page, name)(told["conditions"]), STYLE)
    root = ET.fromstring(text)  # noqa: S314 - written a line above
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter())) > 10


def test_examiners_without_scores_are_weighed_by_what_they_say() -> None:
    mark = evidence(0, "visible_marks", details={}, supports="ai", log10_lr=2.1)
    label = evidence(0, "labels", details={}, supports="ai")
    said = {"evidence": [mark, mark, label], "checked": ["visible_marks", "labels", "watermarks"]}
    assert score_of(said, "visible_marks") == pytest.approx(4.2)
    assert score_of(said, "labels") == 1
    assert score_of(said, "watermarks") == 0
    assert score_of(said, "detector") is None


def test_a_calibration_is_fitted_to_what_the_detector_measured() -> None:
    (one,) = scored_clips(list(looked("real", 1, 1, 0)))
    assert (one.label, one.group, one.patches, one.traits.short_side) == ("real", "real-0", 8, 720)


def test_vidaudit_gets_two_classes() -> None:
    looks = [*looked("real", 1, 1, 0), *looked("cgi", 1, 1, 0), *looked("generated", 1, 1, 0)]
    lines = text_of((look.clip, 0.5) for look in looks).splitlines()
    assert lines[0] == "video_id,generator,label,is_real,score"
    assert [line.split(",")[2:] for line in lines[1:]] == [
        ["real", "1", "0.500000"],
        ["fake", "0", "0.500000"],
    ]
