"""Calibrations and looks at clips, made up for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from touchstone.calibration.local import Data, LocalCalibration, OfClass, sealed
from touchstone.calibration.marks import Claim, Mark, MarkCounts
from touchstone.evaluation.corpus import Clip
from touchstone.evaluation.run import Looked
from touchstone.zoo.evaluation import Subject

MODEL = Subject(name="detector", version="1", variant="fp32", sha256="ab" * 32)
MODELS = {"detector": MODEL.sha256}
CLAIM = Claim(read_at_least=0.85, false_at_most=0.005)
EXACT = Claim(read_at_least=0.85, false_at_most=0.001, exact=True)


def local(**changes: Any) -> LocalCalibration:
    """A sealed calibration in which visible marks were read in 12 of 60 sources without any."""
    counts = MarkCounts(name="all", sources=60, flagged=12)
    values: dict[str, Any] = {
        "made_at": "2026-11-30",
        "made_by": "touchstone calibrate --real mine",
        "touchstone": "1.0",
        "models": (MODEL,),
        "data": Data(
            real=OfClass(clips=120, sources=60),
            cgi=OfClass(clips=6, sources=1),
            generated=OfClass(clips=0, sources=0),
            marked=OfClass(clips=12, sources=12),
            conditions=("as it is",),
            clips_sha256="0" * 64,
        ),
        "marks": (Mark(examiner="visible_marks", name="clip", claim=CLAIM, conditions=(counts,)),),
    }
    return sealed(LocalCalibration(**(values | changes)))


def clip(name: str, label: str = "real", source: str | None = None) -> Clip:
    """A clip that is nowhere."""
    group = source or name
    return Clip(Path("/nowhere") / name, name, label, group, group, group)


def looked(shown: Clip, condition: str = "as_is", *evidence: dict[str, Any], **said: Any) -> Looked:
    """What was said of it by examiners that ran to their ends."""
    told = {
        "evidence": list(evidence),
        "checked": ["watermarks", "visible_marks", "detector"],
        "skipped": {},
        "codec": "h264",
        "bytes": 100_000,
        "width": 640,
        "height": 360,
        "fps": 25.0,
        "duration_s": 2.0,
        "device": None,
    }
    return Looked(shown, condition, told | said)


def mark_read(examiner: str = "watermarks", **details: Any) -> dict[str, Any]:
    """Evidence that a mark was read, as a worker tells it."""
    return {
        "examiner": examiner,
        "finding": "a mark",
        "supports": "ai",
        "log10_lr": 2.0,
        "details": details or {"scheme": "touchstone", "p_value": 1e-6},
    }


def scored(score: float, **details: Any) -> dict[str, Any]:
    """Evidence of the detector, as a worker tells it."""
    measured = {
        "score": score,
        "detail": 5.0,
        "unusual": 0.5,
        "patches": [0] * 6,
        "short_side": 360,
        "bits_per_pixel": 0.1,
        "views": {},
    }
    return {
        "examiner": "detector",
        "finding": "a score",
        "supports": "neither",
        "details": measured | details,
        "took_ms": 5.0,
    }
