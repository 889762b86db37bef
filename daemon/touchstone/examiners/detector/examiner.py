"""The examiner: a score counts only as far as it was measured, and only where the gates let it.

Its score counts only as far as it was measured (touchstone.calibration), and only where the clip still has
what the score is made from: gates, each with its reason. A score that does not count is told and weighs
nothing. It never speaks against AI: a generator that it does not know leaves no traces that it knows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...calibration import BadCalibration, Calibration, Traits, parse, worth
from ...inference.uses import ModelFile
from ...media.frames import Frame, Run
from ...verdict import CAP_LOG10_LR, Evidence, ModelUse
from .. import Clip, Needs, Skip
from .looking import Look, Nothing, look
from .model import DetectorModel, UnusableModel
from .patches import FRAMES, SIDE
from .report import evidence
from .traits import traits_of

__all__ = ["Detector", "UnusableModel", "from_settings"]

_log = logging.getLogger(__name__)


class Detector:
    """The learned detector; see examiners.Examiner.

    Args:
        model: the loaded network.
        calibration: what its scores are worth; without one they count for nothing.
        views: whether every clip is looked at in other views, as an evaluation has to, and not only one whose
            score would count.
    """

    name = "detector"
    needs = Needs.FRAMES

    def __init__(
        self, model: DetectorModel, calibration: Calibration | None = None, *, views: bool = False
    ) -> None:
        self._model = model
        self._calibration = calibration
        self._views = views
        # Libraries import more at first use, and in a confined process that is too late.
        rehearsed = look(model, [_noise()])
        if isinstance(rehearsed, Look):
            evidence(rehearsed, Traits(short_side=_NOISE), calibration)
        model.take_uses()

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """Yield one piece of evidence.

        Raises:
            Skip: there is nothing in the frames that the network could look at.
            CannotDecode: there are no frames.
        """
        traits = traits_of(clip)
        seen = look(self._model, clip.frames, lambda score: self._views or self._may_count(score, traits))
        if isinstance(seen, Nothing):
            raise Skip(seen.reason)
        yield evidence(seen, traits, self._calibration)

    def _may_count(self, score: float, traits: Traits) -> bool:
        """Whether other views of a clip with this score decide anything."""
        if self._calibration is None:
            return False
        return worth(self._calibration, score, traits, cap=CAP_LOG10_LR[self.name]).log10_lr is not None

    def take_uses(self) -> Mapping[str, ModelUse]:
        """See UsesModels."""
        return self._model.take_uses()


_NOISE = 2 * SIDE


def _noise() -> Run:
    """Pictures with something in them everywhere."""
    luma = np.random.default_rng(0).integers(16, 235, (FRAMES, _NOISE, _NOISE), np.uint8)
    grey = np.full((SIDE, SIDE), 128, np.uint8)
    return Run(
        tuple(
            Frame((picture, grey, grey), "ycbcr", 8, number / 25, subsampling=(2, 2))
            for number, picture in enumerate(luma)
        )
    )


def from_settings(settings: Mapping[str, Any]) -> Detector:
    """The examiner for a worker.

    Args:
        settings: `{"model": {"name", "version", "variant", "sha256"}, "path": file, "calibration": text or
            None}`, the text being that of a calibration file. One that is about another file, or is none,
            is left out with a line in the log; the score then counts for nothing. With `"views": true`
            every clip is looked at in other views.

    Raises:
        UnusableModel: the model cannot be used.
    """
    file = ModelFile(**settings["model"])
    calibration: Calibration | None = None
    if text := settings.get("calibration"):
        try:
            calibration = parse(str(text).encode(), f"calibration of {file.name}")
        except BadCalibration as problem:
            _log.warning("the detector does not vote: %s", problem)
        if calibration is not None and calibration.model.sha256 != file.sha256:
            _log.warning("the detector does not vote: its calibration is about another file")
            calibration = None
    views = bool(settings.get("views", False))
    return Detector(DetectorModel(file, Path(settings["path"])), calibration, views=views)
