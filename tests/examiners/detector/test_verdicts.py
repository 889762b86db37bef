"""What a detector that may not vote says changes no verdict; what one that may vote says stays moderate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from examiners.detector.test_detector import RUNS, examined
from examiners.detector.tiny_model import tiny_model
from touchstone.verdict import Basis, Evidence, Label, Strength, Supports, weigh

CHECKED = ["content_credentials", "labels", "watermarks", "visible_marks"]
OTHERS: dict[str, list[Evidence]] = {
    "nothing": [],
    "signed": [
        Evidence(
            examiner="content_credentials",
            finding="",
            supports=Supports.CAMERA,
            verified=True,
            details={"signer": "Maker"},
        )
    ],
    "declared": [Evidence(examiner="labels", finding="", supports=Supports.AI)],
    "mark": [Evidence(examiner="visible_marks", finding="", supports=Supports.AI, log10_lr=2.1)],
    "weak mark": [Evidence(examiner="watermarks", finding="", supports=Supports.AI, log10_lr=1.2)],
}
CONDITION = {"name": "all", "sources": 300, "generators": 20}


def one_step(above: float = 2, false: int = 0, hit: int = 18, **changes: Any) -> dict[str, Any]:
    """A calibration with one threshold."""
    steps = [{"above": above, "false_sources": false, "generators_hit": hit}]
    return {"conditions": [{**CONDITION, **changes, "steps": steps}]}


MUTE: dict[str, dict[str, Any]] = {
    "uncalibrated": one_step(sources=58),
    "near one": one_step(false=90, hit=9),
    "gated": {"gates": {"least_detail": 99.0}},
    "below": one_step(above=99),
}


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("mute", MUTE)
def test_a_detector_without_a_vote_changes_no_verdict(tmp_path: Path, mute: str, others: str) -> None:
    said = examined(tmp_path, *RUNS, **MUTE[mute])
    assert weigh([*OTHERS[others], said], [*CHECKED, "detector"], {}) == weigh(OTHERS[others], CHECKED, {})


@pytest.mark.parametrize(
    ("sources", "false", "hit", "label"),
    [
        (300, 0, 18, Label.INCONCLUSIVE),  # at least 72 times as often: not enough for nine in ten
        (1000, 0, 20, Label.AI_GENERATED),  # as much as a detector may ever say
    ],
)
def test_a_vote_alone_is_moderate_support(
    tmp_path: Path, sources: int, false: int, hit: int, label: Label
) -> None:
    said = examined(tmp_path, *RUNS, **one_step(false=false, hit=hit, sources=sources))
    verdict = weigh([said], [*CHECKED, "detector"], {})
    assert (verdict.label, verdict.basis, verdict.strength) == (label, Basis.DETECTOR, Strength.MODERATE)


def test_a_low_score_takes_nothing_from_a_mark(tmp_path: Path) -> None:
    said = examined(tmp_path, *RUNS, model=tiny_model(offset=-20))
    alone = weigh(OTHERS["mark"], CHECKED, {})
    assert weigh([*OTHERS["mark"], said], [*CHECKED, "detector"], {}) == alone
