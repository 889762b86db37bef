"""What is known about one job of the pool, over all the workers that it takes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from ..intake import Material
from ..messages import say
from .answers import Answer
from .process import WorkerLost
from .workers import Checked, ContainerRead, Found, Message, ModelsRan, Sampled, Skipped, Started, Unreadable

_ATTEMPTS_AT_CONTAINER = 2


class Job:
    """What is known about one job, over all the workers it takes."""

    def __init__(self, material: Material, examiners: Sequence[str]) -> None:
        self.material = material
        self.remaining = list(examiners)
        self.over = False
        self.asked: set[asyncio.Future[None]] = set()  # batches that models work on
        self._container_read = False
        self.alone = False
        """Whether the examiners left are to run one after the other, after several were lost at once."""
        self._running: list[str] = []
        self._told: Counter[str] = Counter()  # pieces of evidence, by examiner, before it is run once more
        self._attempts = 0

    def take(self, answer: Answer) -> Message | None:
        """Note an answer and return it as a message for the pipeline, or None if it is not for it.

        Raises:
            WorkerLost: it does not fit what came before, so it is not ours.
        """
        match answer:
            case ContainerRead() if self._container_read:
                return None  # a second worker reads it again
            case ContainerRead():
                self._container_read = True
            case Sampled() | ModelsRan():
                pass
            case Unreadable():
                self.remaining.clear()
            case Started(name) if name in self.remaining:
                if name not in self._running:
                    self._running.append(name)
                return None
            case Found(evidence) if evidence.examiner in self._running:
                if self._again(evidence.examiner):
                    return None
            case Checked(name) | Skipped(name, _) if name in self._running:
                self._forget(name)
            case _:
                raise WorkerLost(say("workers.why.misbehaved"))
        return answer

    def done(self) -> None:
        """The worker says that the job is over; an examiner that it said nothing about is still to do."""
        if self.remaining:
            raise WorkerLost(say("workers.why.misbehaved"))
        self.over = True

    def lost(self, lost: WorkerLost) -> list[Message]:
        """The worker is gone: what to say, and whether to go on with what is left."""
        if len(self._running) > 1 and not self.alone:
            # Any of them may be to blame: they are run again, one by one.
            self.alone = True
            self._running.clear()
            return []
        if self._running:
            name = self._running[-1]
            self._forget(name)
            self._running.clear()
            self.over = not self.remaining
            return [Skipped(name, say("workers.ended_during", why=lost))]
        self._attempts += 1
        if self._attempts < _ATTEMPTS_AT_CONTAINER and not lost.overtime:
            return []
        key = "workers.nothing_left" if self._container_read else "workers.hostile_container"
        return self.abandon(say(key, why=lost))

    def abandon(self, reason: str) -> list[Message]:
        """Give up: everything that is left is answered with the reason."""
        self.over = True
        if not self._container_read:
            return [Unreadable(reason)]
        return [Skipped(name, reason) for name in self.remaining]

    def _again(self, name: str) -> bool:
        """Whether a second run of an examiner tells what the first one told already, piece by piece."""
        if not self.alone:
            self._told[name] += 1
            return False
        self._told[name] -= 1
        return self._told[name] >= 0

    def _forget(self, name: str) -> None:
        self.remaining.remove(name)
        self._running.remove(name)
