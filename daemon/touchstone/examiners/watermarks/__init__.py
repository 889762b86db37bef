"""Invisible watermarks whose decoders are open.

Each scheme reads the sampled frames once; a reading counts when its false-positive bound is small.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ...inference.side_by_side import each
from ...inference.uses import merged
from ...messages import say
from ...verdict import Evidence, ModelUse, Span, Supports
from .. import Clip, Needs, Skip, UsesModels
from .dwt_dct_scheme import DwtDct
from .measured import measured, read_rate
from .scheme import Reader, Reading, Scheme
from .touchstone_mark import from_settings as touchstone_mark

_log = logging.getLogger(__name__)

MAX_P = 1e-3
"""Readings with a larger false-positive bound are not reported at all."""

CAP_LOG10_LR = 4.0
"""No reading counts for more. Beyond this, how a real clip may have come to carry the mark (someone put it
there) matters more than chance, and a bound of chance says nothing about that."""


class Watermarks:
    """Invisible watermarks by open decoders; see examiners.Examiner.

    Args:
        schemes: the decoders; those that come with the program by default.
    """

    name = "watermarks"
    needs = Needs.FRAMES

    def __init__(self, schemes: Sequence[Scheme] | None = None) -> None:
        self._schemes: Sequence[Scheme] = (DwtDct(),) if schemes is None else schemes
        measured()  # needed for the first reading only, when a confined worker can open no file any more

    def take_uses(self) -> dict[str, ModelUse]:
        """See examiners.UsesModels; of the schemes that are networks."""
        return merged(*(scheme.take_uses() for scheme in self._schemes if isinstance(scheme, UsesModels)))

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """Yield one piece of evidence for each message read.

        Raises:
            Skip: no scheme could use the frames.
            CannotDecode: there are none.
        """
        readers: list[tuple[Scheme, Reader]] = [(scheme, scheme.reader()) for scheme in self._schemes]
        for run in clip.frames:
            # The schemes know nothing of each other, and nearly all of their work is NumPy's and Pillow's.
            each([partial(reader.add, run) for _, reader in readers], threads=clip.threads_now)
        read = each([partial(_all_of, reader) for _, reader in readers], threads=clip.threads_now)
        readings = [
            (scheme, reading) for (scheme, _), found in zip(readers, read, strict=True) for reading in found
        ]
        if not readings:
            raise Skip(say("watermarks.too_small"))
        for scheme, reading in readings:
            if reading.told or reading.p_value <= MAX_P:
                yield _evidence(scheme, reading)


def _all_of(reader: Reader) -> list[Reading]:
    return list(reader.readings())


def from_settings(settings: Mapping[str, Any] | None = None) -> Watermarks:
    """The examiner for a worker: the schemes that come with the program, and those of installed models.

    Args:
        settings: `{"models": [{"model": Model.as_json(), "variant": name, "path": file}]}`. One that
            cannot be used is left out, with a line in the log; `touchstone doctor` finds it.
            `"touchstone"`: settings of our own mark (touchstone_mark.from_settings); with `"only_touchstone"`
            nothing else is read.
    """
    given = settings or {}
    own = touchstone_mark(given.get("touchstone", {}))
    if given.get("only_touchstone"):
        return Watermarks([own])
    schemes: list[Scheme] = [DwtDct(), own]
    for entry in given.get("models", ()):
        # Loaded only where there is a model: it brings onnxruntime.
        from ...zoo.entry import Model
        from .onnx_scheme import OnnxScheme, UnusableModel

        model = Model.from_json(entry["model"])
        variant = next(v for v in model.variants if v.name == entry["variant"])
        try:
            schemes.append(OnnxScheme(model, variant, Path(entry["path"])))
        except UnusableModel as problem:
            _log.warning("watermark decoder %s is left out: %s", model.name, problem)
    return Watermarks(schemes)


def log10_lr(reading: Reading) -> float | None:
    """How much a reading counts: measured read rate over bounded false-positive rate, capped.

    None for a reading that does not speak for AI, or whose read rate nobody measured.
    """
    rate = reading.read_rate or (read_rate(reading.scheme) if reading.scheme in measured() else None)
    if reading.supports is not Supports.AI or rate is None:
        return None
    return round(min(CAP_LOG10_LR, math.log10(rate) - math.log10(reading.p_value)), 2)


def _evidence(scheme: Scheme, reading: Reading) -> Evidence:
    p_value = f"{reading.p_value:.0e}"
    return Evidence(
        examiner=Watermarks.name,
        finding=say(
            reading.finding or f"watermarks.{reading.scheme}",
            generator=reading.generator,
            name=reading.name,
            title=reading.details.get("title"),
            message=reading.message,
            bits=reading.bits,
            p_value=p_value,
        ),
        supports=reading.supports,
        log10_lr=log10_lr(reading),
        details={
            "scheme": reading.scheme,
            "generator": reading.generator,
            "message": reading.message,
            "bits": reading.bits,
            "message_name": reading.name,
            "p_value": None if reading.told else reading.p_value,
            "false_positives": scheme.false_positives,
            **reading.details,
        },
        spans=[Span(start_s=s.start_s, end_s=s.end_s, score=s.score) for s in reading.stretches],
    )
