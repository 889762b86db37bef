"""Two calibrations side by side, the shipped one among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...evaluation.report import number
from ...messages import say
from .. import Calibration
from ..kept import SHIPPED
from ..local import LocalCalibration
from ..marks import Claim, Judged, MarkCounts, judged
from .numbers import fitted
from .tables import outcome, share_text


@dataclass(frozen=True)
class Side:
    """One of the two: what is told of it. `data` is None for the shipped one."""

    id: str
    made_at: str
    data: Mapping[str, Any] | None
    detector: Calibration | None
    detector_reason: str
    marks: Mapping[tuple[str, str], Judged]


def side_of(local: LocalCalibration) -> Side:
    """A calibration of this machine."""
    marks = {(m.examiner, m.name): judged(m.claim, m.conditions[0]) for m in local.marks}
    data = local.data.model_dump(mode="json")
    return Side(local.id, local.made_at, data, local.detector, local.detector_reason, marks)


def shipped_side(detector: Calibration | None, claims: Mapping[tuple[str, str], Claim]) -> Side:
    """What came with the program: its claims, and its detector's calibration."""
    nothing = MarkCounts(name="all", sources=0, flagged=0)
    marks = {key: judged(claim, nothing) for key, claim in claims.items()}
    made_at = detector.made_at if detector else "-"
    return Side(SHIPPED, made_at, None, detector, say("calibrate.shipped_reason"), marks)


def compared(one: Side, other: Side) -> list[dict[str, Any]]:
    """A row for each thing that is told: its name, the two texts, and whether they differ."""
    rows = [(say("calibrate.compare.made_at"), one.made_at, other.made_at)]
    rows += [
        (say(f"calibrate.compare.{name}"), _of_class(one, name), _of_class(other, name))
        for name in ("real", "cgi", "generated", "marked")
    ]
    rows += [
        (say("calibrate.compare.detector"), one.detector_reason, other.detector_reason),
        *zip(_detector_rows(), _detector(one), _detector(other), strict=True),
    ]
    for key in dict.fromkeys([*one.marks, *other.marks]):
        rows.append((": ".join(key), _mark(one.marks.get(key)), _mark(other.marks.get(key))))
    return [{"what": what, "one": a, "other": b, "differs": a != b} for what, a, b in rows]


def _of_class(side: Side, name: str) -> str:
    if side.data is None:
        return "-"
    return say("calibrate.compare.clips", **side.data[name])


def _detector_rows() -> Sequence[str]:
    return say("calibrate.compare.detector_rows").split("|")


def _detector(side: Side) -> Sequence[str]:
    if side.detector is None:
        return ["-"] * 5
    row = fitted(side.detector)[0]
    return [
        f"{row['sources']} / {row['generators']}",
        number(row.get("above"), 2),
        share_text(row["false_at_most"]) if "false_at_most" in row else "-",
        share_text(row["recall_at_least"]) if "recall_at_least" in row else "-",
        number(row.get("log10_lr"), 2),
    ]


def _mark(found: Judged | None) -> str:
    if found is None:
        return "-"
    return say(
        "calibrate.compare.mark",
        read=share_text(found.read_at_least),
        false=share_text(found.false_at_most),
        log10_lr=f"{found.log10_lr(None):.2f}",
        outcome=outcome(found.outcome.value),
    )
