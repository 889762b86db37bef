"""Touchstone's own watermark in a scan: the marks of the keys that the scan was given.

The well-known key is always among them. What a mark says depends on the statement in it: one that declares
its clip AI-made speaks for AI, any other says only who marked it. See touchstone.watermark.
"""

from __future__ import annotations

import hashlib
import logging
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...inference.uses import ModelFile, taken
from ...media.frames import Frame, Run
from ...verdict import ModelUse, Supports
from ...watermark.detection import Detector
from ...watermark.key import WELL_KNOWN, Key
from ...watermark.payload import PAYLOAD_BITS, Statement
from ...watermark.reading import ClipReader, MarkRead
from ...watermark.sight import Estimate, plain_estimate
from .scheme import Reader, Reading, Stretch

_log = logging.getLogger(__name__)

NAME = "touchstone"
ALG = "org.touchstone.watermark.1"
"""What a C2PA manifest calls this mark as a soft binding."""


class TouchstoneMark:
    """Scheme for `watermarks`; see scheme.Scheme.

    Args:
        keys: whose marks are read.
        estimate: how frames are looked at.
        thorough: also look for frames that were cut, enlarged or turned.
        model: the file of a learned estimate.
    """

    name = NAME
    false_positives = "Hoeffding bound on the correlation with keyed signs, times everything that was tried"

    def __init__(
        self,
        keys: Sequence[Key] = (WELL_KNOWN,),
        estimate: Estimate = plain_estimate,
        *,
        thorough: bool = True,
        model: ModelFile | None = None,
    ) -> None:
        self._detectors = [Detector(key) for key in keys]
        self._estimate = estimate
        self._thorough = thorough
        self._model = model
        read_rate()  # needed for the first mark only, when a confined worker can open no file any more

    def reader(self) -> Reader:
        return _Reader(ClipReader(self._detectors, self._estimate, thorough=self._thorough))

    def take_uses(self) -> dict[str, ModelUse]:
        """See examiners.UsesModels; nothing of an estimate that is no network."""
        session = getattr(self._estimate, "session", None)
        return taken([(self._model, session)]) if self._model and session else {}


def from_settings(settings: Mapping[str, Any]) -> TouchstoneMark:
    """The scheme for a worker.

    Args:
        settings: `{"keys": [[name, hex], ...], "model": {"path", "name", "version", "variant", "sha256"} or
            None}`. A model that cannot be used leaves the plain estimate, with a line in the log.
    """
    keys = [Key.from_hex(name, secret) for name, secret in settings.get("keys", ())]
    model = settings.get("model")
    file = ModelFile(model["name"], model["version"], model["variant"], model["sha256"]) if model else None
    return TouchstoneMark([WELL_KNOWN, *keys], _estimate(model), model=file)


def _estimate(model: Mapping[str, Any] | None) -> Estimate:
    if model is None:
        return plain_estimate
    from ...watermark.learned import LearnedEstimate  # only here: it brings onnxruntime

    try:
        content = Path(model["path"]).read_bytes()
    except OSError as problem:
        _log.warning("the watermark decoder is not used: %s", problem)
        return plain_estimate
    if hashlib.sha256(content).hexdigest() != model["sha256"]:
        _log.warning("the watermark decoder %s is damaged; install Touchstone again", model["path"])
        return plain_estimate
    return LearnedEstimate(content)


class _Reader:
    def __init__(self, clip: ClipReader) -> None:
        self._clip = clip
        self._seen = False

    def add(self, run: Run) -> None:
        self._clip.add([luma_of(frame) for frame in run.frames], run.start_s, run.end_s)
        self._seen = True

    def readings(self) -> Iterator[Reading]:
        if not self._seen:
            return
        found = self._clip.readings()
        yield from (_reading(mark) for mark in found)
        if not found:
            yield Reading(NAME, "", PAYLOAD_BITS, p_value=1.0, supports=Supports.NEITHER)


@cache
def read_rate() -> float:
    """Lower bound (95 %) of the share of marked clips that are read after usual encoders."""
    text = resources.files(__package__).joinpath("touchstone_mark.toml").read_text(encoding="utf-8")
    return float(tomllib.loads(text)["read_rate_lower"])


def luma_of(frame: Frame) -> NDArray[np.uint8]:
    """A frame's luma in 8 bits, `(H, W)`, as coded."""
    if frame.model == "rgb":
        return np.asarray(frame.rgb().astype(np.uint16) @ np.array([54, 183, 19], np.uint16) >> 8).astype(
            np.uint8
        )
    return np.asarray(frame.planes[0] >> (frame.depth - 8)).astype(np.uint8)


def _reading(mark: MarkRead) -> Reading:
    own = mark.key != WELL_KNOWN.name
    statement = mark.message.statement if mark.message else None
    declares = statement is Statement.AI_GENERATED
    if mark.message is None:
        finding = "watermarks.touchstone_unreadable"
    elif declares:
        finding = "watermarks.touchstone_ai"
    else:
        finding = "watermarks.touchstone_own" if own else "watermarks.touchstone_marked"
    return Reading(
        scheme=NAME,
        message=mark.message.payload if mark.message else "",
        bits=PAYLOAD_BITS,
        p_value=mark.p_value,
        name=mark.key,
        stretches=tuple(Stretch(s.start_s, s.end_s, s.score) for s in mark.stretches),
        supports=Supports.AI if declares else Supports.NEITHER,
        finding=finding,
        read_rate=read_rate(),
        details={
            "alg": ALG,
            "key": mark.key,
            "statement": statement.name.lower() if statement else None,
            "statistic": mark.t,
            "mirrored": mark.mirrored,
            "scale": mark.scale,
            "angle": mark.angle,
            "black_bars": mark.boxed,
        },
    )
