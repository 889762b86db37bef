"""Models with several outputs, of which each is asked for by name."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .sessions import Session


class NamedOutputs(Session):
    """A loaded model with one input whose outputs are all given, by name. See `Session`."""

    def __init__(self, model: Path | bytes, *, threads: int = 1) -> None:
        super().__init__(model, threads=threads)
        self.input: str = self._input
        self.outputs: tuple[str, ...] = tuple(output.name for output in self._session.get_outputs())

    def all(self, values: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Every output of the model for `values`, by name."""
        started = time.perf_counter()
        answers = dict(zip(self.outputs, self._session.run(None, {self._input: values}), strict=True))
        self.spent_ms += (time.perf_counter() - started) * 1000
        return answers
