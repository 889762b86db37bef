"""The inference process: `python -m touchstone.inference.child DESCRIPTOR`.

It is started by `service.py` when a model is first asked for and ended when nothing was asked for a while,
which is what gives the memory of models and drivers back. It gets tensors in shared memory, never the bytes
of a file that somebody else made; the only files it parses are models whose checksums it holds them against.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..media.link import MAX_REQUEST, Link, LinkBroken
from . import PROCESSOR, NoAnswer, ServedModel
from .blocks import OutOfBounds
from .confinement import confine_inference
from .model_files import content_of
from .sessions import BoundSession, Session
from .shared import Block

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Serve on the socket whose descriptor is the only argument. Returns the exit status."""
    if len(arguments) != 1 or not arguments[0].isdigit():
        print("touchstone.inference.child is started by Touchstone itself, not by hand", file=sys.stderr)
        return 2
    link = Link(socket.socket(fileno=int(arguments[0])), largest=MAX_REQUEST)
    try:
        config = link.receive()
        report = confine_inference()
        link.send({"type": "ready", "refused": report.refused, "mechanisms": report.mechanisms})
        models = [ServedModel.from_json(model) for model in config["models"]]
        cache = Path(config["cache"]) if config.get("cache") else None
        serve(link, Serving(models, threads=int(config["threads"]), cache=cache))
    except LinkBroken:
        pass  # the daemon closed the socket, or is gone
    return 0


class Serving:
    """Loaded models and shared blocks.

    Args:
        models: what may be asked for; each is loaded when it first is.
        threads: of one run on the processor.
        cache: a folder where providers may keep what they compiled.
    """

    def __init__(self, models: Sequence[ServedModel], *, threads: int = 1, cache: Path | None = None) -> None:
        self._models = {model.name: model for model in models}
        self._threads = threads
        self._cache = cache
        self._sessions: dict[str, BoundSession] = {}
        self._blocks: dict[int, Block] = {}

    def see(self, number: int, descriptor: int, size: int) -> None:
        """Have a block in reach from now on."""
        self._blocks[number] = Block(descriptor, size)

    def forget(self, number: int) -> None:
        """Its worker has gone."""
        self._blocks.pop(number, None)

    def run(self, name: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Run a model on batches that lie in blocks, and leave each one's answers where it lay.

        Args:
            parts: `{"block", "offset", "room", "shape", "dtype"}` each, of the same kind of rows.

        Returns:
            `{"provider", "ms", "shapes": [of each part's answers]}`.

        Raises:
            NoAnswer: the model is not here, or does not take such rows.
        """
        session = self._session(name)
        try:
            batches = [
                self._blocks[part["block"]].tensor(part["offset"], part["shape"], part["dtype"])
                for part in parts
            ]
            started = time.perf_counter()
            answers = session.run(batches)
            ms = (time.perf_counter() - started) * 1000
            shapes = [self._leave(part, rows) for part, rows in zip(parts, answers, strict=True)]
        except (OutOfBounds, KeyError) as problem:
            raise NoAnswer(f"{name}: {problem}") from problem
        return {"provider": session.provider, "ms": round(ms, 3), "shapes": shapes, "pinned": session.pinned}

    def _session(self, name: str) -> BoundSession:
        if name not in self._sessions:
            model = self._models[name]
            try:
                session = Session(
                    content_of(model),
                    threads=self._threads,
                    output=model.output,
                    provider=model.provider,
                    cache=self._cache,
                )
            except NoAnswer:
                raise
            except Exception as problem:  # each provider raises kinds of its own
                if model.provider == PROCESSOR:
                    raise NoAnswer(f"{name}: {_short(problem)}") from problem
                # Said by the answers' provider, and by whoever measures: never silent.
                _log.warning("%s cannot run on %s (%s)", name, model.provider, _short(problem))
                session = Session(content_of(model), threads=self._threads, output=model.output)
            if session.provider != model.provider:
                _log.warning("%s runs on %s, not on %s", name, session.provider, model.provider)
            self._sessions[name] = BoundSession(session, model.batch)
        return self._sessions[name]

    def _leave(self, part: Mapping[str, Any], answers: NDArray[np.float32]) -> list[int]:
        if answers.nbytes > part["room"]:
            raise OutOfBounds(f"answers of {answers.shape} do not fit in {part['room']} bytes")
        block = self._blocks[part["block"]]
        block.tensor(part["offset"], answers.shape, "float32")[...] = answers
        return list(answers.shape)


def serve(link: Link, serving: Serving) -> None:
    """Answer until the other side goes.

    Raises:
        LinkBroken: it has gone.
    """
    while True:
        request, descriptors = link.receive_with_files()
        try:
            match request:
                case {"type": "block", "number": number, "size": size}:
                    serving.see(int(number), descriptors[0], int(size))
                case {"type": "forget", "number": number}:
                    serving.forget(int(number))
                case {"type": "run", "model": name, "parts": parts}:
                    link.send(_answer(serving, str(name), parts))
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def _answer(serving: Serving, name: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    try:
        return {"type": "ran", **serving.run(name, parts)}
    except NoAnswer as problem:
        return {"type": "failed", "problem": str(problem)}
    except Exception as problem:  # noqa: BLE001 - each provider raises kinds of its own; the asker is told
        _log.warning("%s failed", name, exc_info=True)
        return {"type": "failed", "problem": f"{name}: {_short(problem)}"}


def _short(problem: Exception) -> str:
    return "".join(c if c.isprintable() else " " for c in str(problem))[:300] or type(problem).__name__


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
