"""Invisible watermarks whose decoders are open.

Each scheme reads the sampled frames once; a reading counts when its false-positive bound is small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ...messages import say
from ...verdict import Evidence, Span, Supports
from .. import Clip, Needs, Skip
from .dwt_dct_scheme import DwtDct
from .measured import measured, read_rate
from .scheme import Reader, Reading, Scheme

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

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """Yield one piece of evidence for each message read.

        Raises:
            Skip: no scheme could use the frames.
            CannotDecode: there are none.
        """
        readers: list[tuple[Scheme, Reader]] = [(scheme, scheme.reader()) for scheme in self._schemes]
        for run in clip.frames:
            for _, reader in readers:
                reader.add(run)
        readings = [(scheme, reading) for scheme, reader in readers for reading in reader.readings()]
        if not readings:
            raise Skip(say("watermarks.too_small"))
        for scheme, reading in readings:
            if reading.p_value <= MAX_P:
                yield _evidence(scheme, reading)


def log10_lr(reading: Reading) -> float:
    """How much a reading counts: measured read rate over bounded false-positive rate, capped."""
    return min(CAP_LOG10_LR, math.log10(read_rate(reading.scheme)) - math.log10(reading.p_value))


def _evidence(scheme: Scheme, reading: Reading) -> Evidence:
    p_value = f"{reading.p_value:.0e}"
    return Evidence(
        examiner=Watermarks.name,
        finding=say(f"watermarks.{reading.scheme}", generator=reading.generator, p_value=p_value),
        supports=Supports.AI,
        log10_lr=round(log10_lr(reading), 2),
        details={
            "scheme": reading.scheme,
            "generator": reading.generator,
            "message": reading.message,
            "bits": reading.bits,
            "message_name": reading.name,
            "p_value": reading.p_value,
            "false_positives": scheme.false_positives,
            **reading.details,
        },
        spans=[Span(start_s=s.start_s, end_s=s.end_s, score=s.score) for s in reading.stretches],
    )
