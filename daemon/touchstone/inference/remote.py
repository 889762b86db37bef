"""Asks for models from inside a confined worker: batches go through shared memory to the inference process.

The worker says to the daemon, over the socket that it has anyway, where in its block a batch lies; the daemon
queues it (`service.py`). Answers come back in the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..messages import say
from ..verdict import ModelUse
from . import NoAnswer, ServedModel
from .blocks import BYTES, room_for
from .shared import Block, Rooms
from .uses import merged, use_of

if TYPE_CHECKING:
    from . import Answers

_T = TypeVar("_T")

LEAST_ROOM = 1 << 16
"""Bytes that every batch gets at least, since its answers lie in the same place."""


class Channel(Protocol):
    """How the worker talks to the daemon: media.link.Link."""

    def send(self, message: Mapping[str, Any]) -> None: ...

    def receive(self) -> dict[str, Any]: ...


@dataclass
class _Piece:
    """A part of a batch that is being worked on."""

    number: int
    model: ServedModel
    start: int
    answers: Answers | None = None
    problem: str | None = None


@dataclass
class _Asked:
    """A batch that is being worked on; see Pending."""

    wait: Callable[[_Piece], None]
    pieces: list[_Piece] = field(default_factory=list)

    def result(self) -> Answers:
        for piece in self.pieces:
            self.wait(piece)
        problems = [piece.problem for piece in self.pieces if piece.problem is not None]
        if problems:
            raise NoAnswer(problems[0])
        return np.concatenate([piece.answers for piece in self.pieces if piece.answers is not None])


class Remote:
    """InferenceClient whose models run in the inference process. Several threads may ask at once.

    Args:
        models: what may be asked for.
        channel: to the daemon.
        block: shared with it and with the inference process.
    """

    def __init__(self, models: Sequence[ServedModel], channel: Channel, block: Block) -> None:
        self._models = {model.name: model for model in models}
        self._channel = channel
        self._block = block
        self._rooms = Rooms(block.size)
        self._waiting: dict[int, _Piece] = {}
        self._number = 0
        self._uses: dict[str, ModelUse] = {}
        self._changing = Lock()  # held to change any of these
        self._listening = Lock()  # held to take in an answer: the channel has one reader at a time

    def run(self, model: str, batch: NDArray[Any]) -> Answers:
        """See InferenceClient."""
        return self.submit(model, batch).result()

    def submit(self, model: str, batch: NDArray[Any]) -> _Asked:
        """See InferenceClient."""
        if model not in self._models:
            raise NoAnswer(say("inference.no_such_model", name=model))
        served = self._models[model]
        asked = _Asked(self._wait)
        for at in range(0, len(batch), served.batch):
            asked.pieces.append(self._ask(served, batch[at : at + served.batch]))
        return asked

    def take_uses(self) -> Mapping[str, ModelUse]:
        """See InferenceClient."""
        taken, self._uses = self._uses, {}
        return taken

    def settle(self) -> None:
        """Wait for everything that was asked for and nobody waits for any more; call when a job ends."""
        self._hear_until(lambda: None if self._waiting else True)

    def _ask(self, model: ServedModel, rows: NDArray[Any]) -> _Piece:
        dtype = rows.dtype.name
        if dtype not in BYTES:
            raise TypeError(f"{model.name}: a batch of {dtype}; models take {' or '.join(BYTES)}")
        room = max(room_for(rows.shape, dtype), LEAST_ROOM)
        if room > self._block.size:
            raise ValueError(
                f"{model.name}: {rows.shape} is more than the {self._block.size} bytes of a block"
            )
        start = self._hear_until(lambda: self._take_room(room))
        self._block.tensor(start, rows.shape, dtype)[...] = rows
        with self._changing:
            self._number += 1
            piece = _Piece(self._number, model, start)
            self._waiting[piece.number] = piece
        request = {"type": "infer", "number": piece.number, "model": model.name}
        self._channel.send(
            request | {"offset": start, "room": room, "shape": list(rows.shape), "dtype": dtype}
        )
        return piece

    def _take_room(self, room: int) -> int | None:
        with self._changing:
            return self._rooms.take(room)

    def _wait(self, piece: _Piece) -> None:
        self._hear_until(lambda: None if piece.number in self._waiting else True)

    def _hear_until(self, ready: Callable[[], _T | None]) -> _T:
        """Take in answers, whoever's they are, until `ready` gives something, and return that."""
        while (got := ready()) is None:
            with self._listening:
                # What another thread took in, while this one waited for its turn, may be enough.
                if (got := ready()) is not None:
                    break
                self._hear()
        return got

    def _hear(self) -> None:
        """Take in one answer."""
        answer = self._channel.receive()
        piece = self._waiting[int(answer["number"])]
        if answer.get("problem") is not None:
            piece.problem = str(answer["problem"])
        else:
            piece.answers = self._block.tensor(piece.start, answer["shape"], "float32").copy()
        with self._changing:
            if piece.answers is not None:
                use = use_of(piece.model, str(answer["provider"]), float(answer["ms"]))
                self._uses = merged(self._uses, use)
            self._rooms.give_back(piece.start)
            del self._waiting[piece.number]  # whoever waits for it goes on from here
