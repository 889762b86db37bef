"""The calibration that scans are weighed by: the one of this machine that was chosen, or the shipped one.

One that cannot be used (edited, of another version, made with other models) is refused as a whole, with the
reason; scans are then weighed by what came with the program.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..messages import say
from ..verdict import Evidence
from ..zoo.evaluation import Subject
from . import BadCalibration, Traits
from . import as_json as detector_json
from .kept import PAGE, SHIPPED, Calibrations, NoCalibration
from .local import LocalCalibration
from .marks import Mark, Outcome, deciding

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InForce:
    """What scans are weighed by.

    Attributes:
        chosen: the name that is in use, SHIPPED where none is.
        local: the calibration of that name; None where it is SHIPPED, or was refused.
        refused: why it was, in words; empty where it was not.
        page: its report.
    """

    chosen: str = SHIPPED
    local: LocalCalibration | None = None
    refused: str = ""
    page: Path | None = None

    @property
    def id(self) -> str | None:
        """What a scan names it by; None where the shipped one counts."""
        return self.local.id if self.local else None

    def detector(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings of the detector's examiner with the calibration that is in force."""
        if self.local is None or self.local.detector is None or not self.local.detector_counts:
            return settings
        return {**settings, "calibration": detector_json(self.local.detector)}

    def weighed(self, evidence: Evidence, traits: Traits | None) -> Evidence:
        """A piece of evidence with the weight that is in force.

        Only marks that come with a measured weight are touched, and only where the footage of this machine
        refuted what they claim, or supports more.

        Args:
            traits: of the clip; None where they are not known.
        """
        mark = self._mark(evidence)
        if self.local is None or mark is None or evidence.log10_lr is None:
            return evidence
        found = deciding(mark, traits)
        if found.outcome not in (Outcome.REFUTED, Outcome.BETTER):
            return evidence
        p_value = evidence.details.get("p_value") if mark.claim.exact else None
        details = evidence.details | {
            "calibration": self.local.id,
            "condition": found.condition,
            "false_alarms_at_most": round(found.false_at_most, 6),
            "recall_at_least": round(found.read_at_least, 4),
        }
        weight = round(found.log10_lr(p_value), 2)
        return evidence.model_copy(update={"log10_lr": weight, "details": details})

    def _mark(self, evidence: Evidence) -> Mark | None:
        name = mark_name(evidence)
        marks = self.local.marks if self.local else ()
        return next((m for m in marks if (m.examiner, m.name) == (evidence.examiner, name)), None)


def mark_name(evidence: Evidence) -> str | None:
    """Which mark of its examiner a piece of evidence is about; None for what is no mark."""
    match evidence.examiner:
        case "watermarks":
            scheme = evidence.details.get("scheme")
            return str(scheme) if scheme else None
        case "visible_marks":
            if evidence.details.get("kind") == "label":
                return None
            return "picture" if evidence.details.get("frames_seen") == 1 else "clip"
    return None


def in_force(calibrations: Calibrations, models: Mapping[str, str]) -> InForce:
    """What is in force.

    Args:
        calibrations: those of this machine.
        models: SHA-256 of every model that scans use, by name.
    """
    chosen = calibrations.active
    if chosen == SHIPPED:
        return InForce()
    try:
        local = calibrations.read(chosen)
    except (NoCalibration, BadCalibration) as problem:
        return _refused(chosen, str(problem))
    if reason := mismatch(local.models, models):
        return _refused(chosen, reason)
    return InForce(chosen, local, page=calibrations.path(chosen) / PAGE)


def mismatch(made_with: Iterable[Subject], models: Mapping[str, str]) -> str:
    """Which model is another one than a calibration was made with, in words; empty where none is."""
    for model in made_with:
        here = models.get(model.name)
        if here is None:
            return say("calibrate.refused.no_model", name=model.name, version=model.version)
        if here != model.sha256:
            return say(
                "calibrate.refused.other_model", name=model.name, made=model.sha256[:12], here=here[:12]
            )
    return ""


def _refused(chosen: str, reason: str) -> InForce:
    _log.warning("calibration %s is refused, the shipped one counts: %s", chosen, reason)
    return InForce(chosen, refused=reason)
