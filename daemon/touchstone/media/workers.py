"""The seam between the pipeline and whatever reads hostile bytes.

The pipeline hands a `Material` and the names of examiners to `Workers.examine` and reads a stream of
messages. `InThread` runs them in a thread of this process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from ..examiners import Clip, Examiner, Skip
from ..intake import Material
from ..verdict import Evidence
from .container import Container, NotMedia
from .probe import read_container


@dataclass(frozen=True)
class ContainerRead:
    """The container was read; comes first."""

    container: Container


@dataclass(frozen=True)
class Found:
    """One piece of evidence."""

    evidence: Evidence


@dataclass(frozen=True)
class Checked:
    """An examiner ran to its end."""

    examiner: str


@dataclass(frozen=True)
class Skipped:
    """An examiner could not run, and why."""

    examiner: str
    reason: str


@dataclass(frozen=True)
class Unreadable:
    """Nothing can be examined, and why. Comes last."""

    reason: str


Message = ContainerRead | Found | Checked | Skipped | Unreadable


class Workers(Protocol):
    """Runs examiners over bytes, away from the daemon."""

    def examine(self, material: Material, examiners: Sequence[str]) -> AsyncIterator[Message]: ...

    async def close(self) -> None: ...


def examine_material(material: Material, examiners: Sequence[Examiner]) -> Iterator[Message]:
    """Run examiners over one material, here and now. This is what a worker process executes."""
    with ExitStack() as files:
        file = files.enter_context(material.path.open("rb"))
        fragments = tuple(files.enter_context(path.open("rb")) for path in material.fragments)
        try:
            container = read_container(file, material.size)
        except NotMedia as reason:
            yield Unreadable(str(reason))
            return
        yield ContainerRead(container)
        clip = Clip(file, material.size, container, fragments, material.complete)
        for examiner in examiners:
            started = time.perf_counter()
            try:
                for evidence in examiner.examine(clip):
                    took_ms = round((time.perf_counter() - started) * 1000, 2)
                    yield Found(evidence.model_copy(update={"took_ms": took_ms}))
            except Skip as reason:
                yield Skipped(examiner.name, str(reason))
            else:
                yield Checked(examiner.name)


class InThread:
    """Workers that are a thread of this process: no isolation, for tests and platforms without processes."""

    def __init__(self, build: Callable[[Sequence[str]], Sequence[Examiner]]) -> None:
        self._build = build

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncIterator[Message]:
        messages = examine_material(material, self._build(examiners))
        while (message := await asyncio.to_thread(next, messages, None)) is not None:
            yield message

    async def close(self) -> None:
        return None
