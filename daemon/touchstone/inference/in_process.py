"""Runs models where their input is made: in the confined worker, on the processor, one thread each.

Nothing travels and nothing waits, so for small networks on machines without a usable graphics card this is
the fastest way (docs/inference.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..messages import say
from ..verdict import ModelUse
from . import NoAnswer, ServedModel
from .model_files import content_of
from .sessions import Session
from .uses import taken

if TYPE_CHECKING:
    from . import Answers


@dataclass(frozen=True)
class Ready:
    """A batch whose answers are there; see Pending."""

    answers: Answers

    def result(self) -> Answers:
        return self.answers


class InProcess:
    """InferenceClient that runs models itself. They are loaded when it is made, never later.

    Args:
        models: what may be asked for. One whose file is gone, or is another one, is left out; asking for it
            says so.
    """

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._sessions: dict[str, tuple[ServedModel, Session]] = {}
        self._refused: dict[str, str] = {}
        for model in models:
            try:
                session = Session(content_of(model), threads=model.threads, output=model.output)
            except NoAnswer as reason:
                self._refused[model.name] = str(reason)
            else:
                self._sessions[model.name] = model, session

    def run(self, model: str, batch: NDArray[Any]) -> Answers:
        """See InferenceClient."""
        if model not in self._sessions:
            raise NoAnswer(self._refused.get(model) or say("inference.no_such_model", name=model))
        served, session = self._sessions[model]
        pieces = (batch[at : at + served.batch] for at in range(0, len(batch), served.batch))
        return np.concatenate([session(piece) for piece in pieces])

    def submit(self, model: str, batch: NDArray[Any]) -> Ready:
        """See InferenceClient. The work is done by the time this returns."""
        return Ready(self.run(model, batch))

    def take_uses(self) -> Mapping[str, ModelUse]:
        """See InferenceClient."""
        return taken(self._sessions.values())
