"""How much a calibration looks at, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How much is looked at.

    Attributes:
        conditions: names of evaluation.conditions.
        per_source, per_generator: clips of each, at most.
        rendered, generated: clips made by the world and by the bundled generator.
        marked: real clips of which a marked copy is looked at.
        pairs: real clips that are passed through autoencoders.
    """

    conditions: tuple[str, ...]
    per_source: int
    per_generator: int
    rendered: int
    generated: int
    marked: int
    pairs: int


QUICK = Plan(("as_is", "crf28"), 1, 1, rendered=6, generated=3, marked=24, pairs=12)
FULL = Plan(
    ("as_is", "crf23", "crf28", "crf33", "480p", "chain_feed", "chain_messenger", "chain_stream"),
    8,
    8,
    rendered=24,
    generated=24,
    marked=100,
    pairs=60,
)


class Deadlines:
    """Shares of the time that a run may take, one after another; what one leaves, the next has.

    Args:
        minutes: for all of it; None for as long as it takes.
        clock: seconds.
    """

    def __init__(self, minutes: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._from = clock()
        self._seconds = None if minutes is None else 60 * minutes
        self.cut_short = False

    def until(self, share: float) -> Callable[[], bool]:
        """Says whether the time up to a share of the whole, 0 to 1, is over."""

        def enough() -> bool:
            if self._seconds is None:
                return False
            over = self._clock() - self._from >= share * self._seconds
            self.cut_short = self.cut_short or over
            return over

        return enough
