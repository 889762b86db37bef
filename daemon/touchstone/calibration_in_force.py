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
    from .zoo.evaluation import Subject

_log = logging.getLogger(__name__)


def calibrations_of(paths: Paths) -> Calibrations:
    """The calibrations of this installation."""
    from .calibration.kept import FOLDER, Calibrations

    return Calibrations(paths.data_dir / FOLDER)


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
