"""A look at a clip as evidence: the score, whether it counts and why not, and where it comes from."""

from __future__ import annotations

from typing import Any

from ...calibration import Calibration, Gates, Traits, Worth, why_no_vote, worth
from ...messages import say
from ...verdict import CAP_LOG10_LR, Evidence, Span, Supports
from .looking import STILL, VIEWS, Look

_EXAMINER = "detector"


def evidence(look: Look, traits: Traits, calibration: Calibration | None) -> Evidence:
    """The detector's evidence for one clip. It supports AI where its score counts, else neither."""
    value = worth(calibration, look.score, traits, cap=CAP_LOG10_LR[_EXAMINER]) if calibration else None
    above = value is not None and value.log10_lr is not None
    stopped = gate(look, calibration.gates if calibration else Gates(), views=above)
    counts = value is not None and value.log10_lr is not None and not stopped
    return Evidence(
        examiner=_EXAMINER,
        finding=_finding(look, value, calibration, stopped),
        supports=Supports.AI if counts else Supports.NEITHER,
        log10_lr=round(value.log10_lr, 2) if value and value.log10_lr is not None and counts else None,
        details=details(look, traits)
        | {
            "outcome": _outcome(value, calibration, stopped),
            "reason": stopped or (value.reason if value else say("detector.reason.no_calibration")) or None,
            "condition": value.condition if value else None,
            "false_alarms_at_most": value.false_alarms_at_most if value and counts else None,
            "recall_at_least": value.recall_at_least if value and counts else None,
            "calibration": calibration.id if calibration else None,
        },
        spans=[Span(start_s=start, end_s=end, score=round(logit, 3)) for start, end, logit in look.runs],
    )


def details(look: Look, traits: Traits) -> dict[str, Any]:
    """What was measured, in numbers; calibrations are fitted to these."""
    return {
        "score": round(look.score, 4),
        "spread": round(look.spread, 4),
        "detail": round(look.detail, 4),
        "motion": round(look.motion, 4),
        "unusual": round(look.unusual, 4),
        "views": {name: round(score, 4) for name, score in look.views.items()},
        "short_side": traits.short_side,
        "bits_per_pixel": None if traits.bits_per_pixel is None else round(traits.bits_per_pixel, 5),
        "patches": [
            {
                "time_s": round(patch.start_s, 3),
                "x": round(patch.x, 4),
                "y": round(patch.y, 4),
                "w": round(patch.w, 4),
                "h": round(patch.h, 4),
                "score": round(patch.logit, 3),
            }
            for patch in look.patches
        ],
    }


def gate(look: Look, gates: Gates, *, views: bool) -> str:
    """Why a score does not count whatever it is, in words; empty where it may.

    Args:
        views: whether other views decide: where the score is low, none was looked at.
    """
    if len(look.patches) < gates.least_patches:
        return say("detector.gate.patches", found=len(look.patches), least=gates.least_patches)
    if look.motion <= STILL:
        return say("detector.gate.still")
    if look.detail < gates.least_detail:
        return say("detector.gate.detail")
    if gates.most_unusual is not None and look.unusual > gates.most_unusual:
        return say("detector.gate.unusual")
    for name in VIEWS if views else ():
        if name in gates.views and (name not in look.views or look.views[name] <= gates.views[name]):
            return say(f"detector.gate.{name if name in look.views else 'no_view'}")
    return ""


def _outcome(value: Worth | None, calibration: Calibration | None, stopped: str) -> str:
    """In one word, for programs: `counts`, `below`, `inconclusive` or `uncalibrated`."""
    if value is None or calibration is None or why_no_vote(calibration.conditions[0]):
        return "uncalibrated"
    if stopped or value.reason:
        return "inconclusive"
    return "below" if value.log10_lr is None else "counts"


def _finding(look: Look, value: Worth | None, calibration: Calibration | None, stopped: str) -> str:
    score = f"{look.score:+.2f}"
    if stopped:
        return say("detector.finding.inconclusive", reason=stopped)
    match _outcome(value, calibration, stopped):
        case "uncalibrated":
            reason = value.reason if value else say("detector.reason.no_calibration")
            return say("detector.finding.uncalibrated", reason=reason, score=score)
        case "inconclusive":
            return say("detector.finding.inconclusive", reason=value.reason if value else "")
        case "below":
            return say("detector.finding.below", score=score)
    assert value is not None  # noqa: S101 - the outcome says so; this tells the type checker
    return say(
        "detector.finding.counts",
        ratio=f"{10 ** (value.log10_lr or 0):.0f}",
        false=f"{100 * (value.false_alarms_at_most or 0):.1f}",
        recall=f"{100 * (value.recall_at_least or 0):.0f}",
    )
