"""The client of a confined worker: some models run in it, others in the inference process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..messages import say
from ..verdict import ModelUse
from . import InferenceClient, NoAnswer, Pending
from .uses import merged

if TYPE_CHECKING:
    from . import Answers


class Routed:
    """InferenceClient that hands each model to the client that has it.

    Args:
        clients: model to client.
    """

    def __init__(self, clients: Mapping[str, InferenceClient]) -> None:
        self._clients = dict(clients)

    def run(self, model: str, batch: NDArray[Any]) -> Answers:
        """See InferenceClient."""
        return self._of(model).run(model, batch)

    def submit(self, model: str, batch: NDArray[Any]) -> Pending:
        """See InferenceClient."""
        return self._of(model).submit(model, batch)

    def take_uses(self) -> Mapping[str, ModelUse]:
        """See InferenceClient."""
        different = {id(client): client for client in self._clients.values()}
        return merged(*(client.take_uses() for client in different.values()))

    def _of(self, model: str) -> InferenceClient:
        if model not in self._clients:
            raise NoAnswer(say("inference.no_such_model", name=model))
        return self._clients[model]
