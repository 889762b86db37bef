"""Runs variants and holds them against the reference: answers, verdicts, time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from touchstone.inference.sessions import Session

from .recipe import Array, Recorded

Outputs = NDArray[np.float32]
"""`(groups, numbers)`: what a model gives, averaged over the items of each group."""

TIMED = 15
"""Runs that the median time is of."""


class Fitted(Protocol):
    """A calibration that was fitted to one variant's own outputs: what it would have said."""

    def verdicts(self, outputs: Outputs) -> NDArray[np.int64]:
        """A number for each verdict, the same for the same words; any shape that starts with the groups."""

    def as_json(self) -> dict[str, Any]:
        """What ships beside the variant."""


Refit = Callable[[str, Outputs], Fitted]
"""Fits calibration anew: told the variant's name and its outputs on the calibration inputs, group by group in
rising order of their numbers."""


@dataclass(frozen=True)
class Threshold:
    """The plainest calibration: yes above one number, which no variant moves."""

    above: float

    def verdicts(self, outputs: Outputs) -> NDArray[np.int64]:
        return (outputs > self.above).astype(np.int64)

    def as_json(self) -> dict[str, Any]:
        return {"above": self.above}


def keep_threshold(above: float) -> Refit:
    """For models whose threshold is not fitted: the same for each variant."""
    return lambda _name, _outputs: Threshold(above)


class Runner:
    """A model on the processor, one thread: as a scan's worker runs it, whose 8-bit products don't overflow.

    Args:
        content: the ONNX file.
        output: name of the output to give; the first by default.
    """

    def __init__(self, content: bytes, output: str | None = None) -> None:
        self._session = Session(content, output=output)

    def __call__(self, batch: Array) -> Array:
        return self._session(batch)

    def outputs(self, recorded: Recorded, *, pools: bool) -> Outputs:
        """Its answers, pooled by group: by the model itself, or here."""
        rows = np.stack([self(batch).ravel() for batch in recorded.batches(whole=pools)])
        if pools:
            return rows
        groups, which = np.unique(recorded.groups, return_inverse=True)
        pooled = np.zeros((len(groups), rows.shape[1]), np.float64)
        np.add.at(pooled, which, rows)
        return (pooled / np.bincount(which)[:, None]).astype(np.float32)


def milliseconds(runners: dict[str, Runner], batch: Array) -> dict[str, float]:
    """Median processor time of one run for each, taken in turn so that other work meets all of them."""
    taken: dict[str, list[float]] = {name: [] for name in runners}
    for turn in range(TIMED + 2):
        for name, runner in runners.items():
            started = time.process_time()
            runner(batch)
            if turn >= 2:  # the first runs allocate
                taken[name].append((time.process_time() - started) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


@dataclass(frozen=True)
class Differences:
    """How a variant's answers on the golden inputs differ from the reference's.

    Attributes:
        largest, typical: of any output; the median over outputs.
        flips, verdicts: how many verdicts differ, of how many.
    """

    largest: float
    typical: float
    flips: int
    verdicts: int

    @property
    def share(self) -> float:
        """Of verdicts that flip."""
        return self.flips / max(self.verdicts, 1)


def differences(ours: Outputs, theirs: Outputs, our: Fitted, their: Fitted) -> Differences:
    """Compare a variant under its own calibration with the reference under its own."""
    if not np.isfinite(ours).all():
        return Differences(float("inf"), float("inf"), theirs.size, theirs.size)
    apart = np.abs(ours - theirs)
    said, meant = our.verdicts(ours), their.verdicts(theirs)
    flips = int((said != meant).sum())
    return Differences(float(apart.max()), float(np.median(apart)), flips, int(meant.size))
