"""Puts the parts together for calibrations of this machine: where they are, which models scans use here."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .calibration.in_force import InForce
    from .calibration.kept import Calibrations
    from .system.paths import Paths
    from .wire import CalibrationState
    from .zoo.evaluation import Subject

_log = logging.getLogger(__name__)


def calibrations_of(paths: Paths) -> Calibrations:
    """The calibrations of this installation."""
    from .calibration.kept import FOLDER, Calibrations

    return Calibrations(paths.data_dir / FOLDER)


class Current:
    """The calibration in force, read again when another one is chosen: a daemon runs for weeks.

    Args:
        paths: of this installation.
        models: folder with zoo.toml; see `calibration_in_force`.
    """

    def __init__(self, paths: Paths, models: Path | None = None) -> None:
        self._paths = paths
        self._models = models
        self._stamp: tuple[int, ...] | None = None
        self._found: InForce | None = None

    def __call__(self) -> InForce:
        """What is in force now: the same object until that changes."""
        calibrations = calibrations_of(self._paths)
        stamp = calibrations.stamp(self._found.chosen) if self._found else None
        if self._found is None or stamp != self._stamp:
            self._found = calibration_in_force(self._paths, self._models)
            self._stamp = calibrations.stamp(self._found.chosen)
        return self._found


def calibration_in_force(paths: Paths, models: Path | None = None) -> InForce:
    """The calibration that scans are weighed by.

    Args:
        models: folder with zoo.toml and the models beside it; that of this installation by default.
    """
    from .calibration.in_force import InForce, in_force
    from .calibration.kept import SHIPPED

    calibrations = calibrations_of(paths)
    if calibrations.active == SHIPPED:
        return InForce()  # without reading a model: most people have no calibration of their own
    return in_force(calibrations, {model.name: model.sha256 for model in models_here(models)})


def state_of(found: InForce | None) -> CalibrationState:
    """What is in force, for the API. `found`: None where it never changes."""
    from .calibration.in_force import InForce
    from .calibration.kept import SHIPPED
    from .calibration.marks import judged
    from .engine import detector_settings
    from .wire import CalibratedMark, CalibrationState

    found = found or InForce()
    detector, reason = _of_detector(found.detector(detector_settings() or {}).get("calibration"))
    told = CalibrationState(
        in_force=found.id or SHIPPED,
        chosen=found.chosen,
        refused=found.refused or None,
        detector=detector,
        detector_reason=reason,
    )
    if (local := found.local) is None:
        return told
    judgements = [(mark, judged(mark.claim, mark.conditions[0])) for mark in local.marks]
    data = local.data
    return told.model_copy(
        update={
            "made_at": local.made_at,
            "made_by": local.made_by,
            "sources": {name: getattr(data, name).sources for name in ("real", "cgi", "generated", "marked")},
            "changes": local.changes,
            "marks": [
                CalibratedMark(
                    examiner=mark.examiner,
                    name=mark.name,
                    outcome=what.outcome.value,
                    read_at_least=what.read_at_least,
                    false_at_most=what.false_at_most,
                )
                for mark, what in judgements
            ],
            "report": str(found.page) if found.page else None,
        }
    )


def _of_detector(text: str | None) -> tuple[str | None, str]:
    """What the detector is weighed by, and why its scores count or not."""
    from .calibration import parse, why_no_vote
    from .messages import say

    if text is None:
        return None, say("detector.reason.no_calibration")
    calibration = parse(text.encode(), "calibration")
    return calibration.id, why_no_vote(calibration.conditions[0]) or say("calibrate.detector.some_count")


def models_here(models: Path | None = None) -> list[Subject]:
    """The models that come with the program and that evidence is measured with: the first variant of each."""
    from .zoo.bundled import bundled
    from .zoo.entry import BadEntry, Task
    from .zoo.evaluation import Subject

    found: list[Subject] = []
    try:
        for task in (Task.DETECTOR, Task.WATERMARK_DECODER):
            for file in bundled(task, models):
                if file.path.is_file() and all(subject.name != file.model.name for subject in found):
                    found.append(
                        Subject(
                            name=file.model.name,
                            version=file.model.version,
                            variant=file.variant.name,
                            sha256=file.variant.sha256,
                        )
                    )
    except BadEntry as problem:
        _log.warning("models that come with the program cannot be told: %s", problem)
    return found + _reading_text()


OCR = {"ocr_detector": "PP-OCRv6_det_small.onnx", "ocr_reader": "PP-OCRv6_rec_small.onnx"}
"""Files that visible marks are read with. Named here too, since their module brings onnxruntime, which a
daemon that idles does without."""


def _reading_text() -> list[Subject]:
    from .zoo.evaluation import Subject
    from .zoo.registry import sha256_of

    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "models"
    return [
        Subject(name=name, version="PP-OCRv6_small", variant="fp32", sha256=sha256_of(folder / file))
        for name, file in OCR.items()
        if (folder / file).is_file()
    ]
