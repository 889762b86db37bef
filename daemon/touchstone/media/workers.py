"""The seam between the pipeline and whatever reads hostile bytes.

The pipeline hands a `Material` and the names of examiners to `Workers.examine` and reads a stream of
messages. `WorkerPool` (pool.py) runs them in confined processes, `InThread` in a thread of this process.
"""

from __future__ import annotations

import asyncio
import io
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ..examiners import Clip, Examiner, Needs, Skip, UsesModels
from ..frame_batches import BadBatch
from ..inference import InferenceClient, NoAnswer
from ..inference.uses import merged
from ..intake import Material
from ..messages import say
from ..verdict import Evidence, ModelUse
from .abreast import Crew, abreast
from .batches import read_batches
from .container import CannotDecode, Container, NotMedia
from .plan import Sampling, Seen
from .probe import read_container
from .sandbox import SandboxReport

if TYPE_CHECKING:
    from .frames import Frames

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ContainerRead:
    """The container was read; comes first. Tags may be left out: they are for examiners."""

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
    """An examiner could not run, or not to its end, and why."""

    examiner: str
    reason: str


@dataclass(frozen=True)
class Unreadable:
    """Nothing can be examined, and why. Comes last."""

    reason: str


@dataclass(frozen=True)
class Sampled:
    """How much of the clip the examiners that need frames have seen; comes after them, if any looked."""

    seen: Seen


@dataclass(frozen=True)
class ModelsRan:
    """Which models took part, by name; comes after the examiners, if any did."""

    models: Mapping[str, ModelUse]


Message = ContainerRead | Found | Checked | Skipped | Sampled | ModelsRan | Unreadable


@dataclass(frozen=True)
class Started:
    """An examiner is about to run: whoever watches the clock starts it anew."""

    examiner: str


@dataclass(frozen=True)
class Confined:
    """What holds the workers that run `examiners`, as one of them found out."""

    examiners: Sequence[str]
    report: SandboxReport


class Workers(Protocol):
    """Runs examiners over bytes, away from the daemon."""

    def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        """Everything that examiners say. Close it (`contextlib.aclosing`): that is what frees the workers."""

    async def warm(self) -> None:
        """A scan is about to come: start what takes a while. Returns at once."""

    def sandboxes(self) -> Sequence[Confined]:
        """What confines the workers that have been started so far."""

    async def close(self) -> None: ...


@dataclass(frozen=True)
class OpenMaterial:
    """A material whose files are open: all that a worker gets to see of it. See `Material`."""

    file: BinaryIO
    size: int
    fragments: Sequence[BinaryIO] = ()
    complete: bool = True
    present: Sequence[tuple[int, int]] = ()
    pictures: bool = False


def examine_opened(
    material: OpenMaterial,
    examiners: Sequence[Examiner],
    sampling: Sampling | None = None,
    inference: InferenceClient | None = None,
    *,
    alone: bool = False,
) -> Iterator[Message | Started]:
    """Run examiners over open files, here and now. This is what a worker process executes.

    Those that look at pictures run side by side where more than one thread is allowed and the frames fit into
    memory, each in one thread and, once others have ended, in theirs.

    Args:
        material: what to examine.
        examiners: in the order to run them.
        sampling: how many frames to decode if one of them asks for any; None for the default.
        inference: runs models for those that ask for any by name; in several threads, where they run so.
        alone: run one after the other, so that it can be told which one a worker was lost to.
    """
    try:
        container = _read(material)
    except (NotMedia, BadBatch) as reason:
        yield Unreadable(str(reason))
        return
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        # A mistake in our own readers that some crafted file found: it costs this scan and is logged.
        _log.warning("reading the container failed", exc_info=True)
        yield Unreadable(say("workers.container_failed", error=type(error).__name__))
        return
    yield ContainerRead(container)
    clip = Clip(
        file=material.file,
        size=material.size,
        container=container,
        fragments=material.fragments,
        complete=material.complete,
        present=material.present,
        sample=_batched if material.pictures else lambda clip: _sample(clip, sampling or Sampling()),
        inference=inference,
        threads=sampling.threads if sampling else 1,
    )
    looking = [examiner for examiner in examiners if examiner.needs is Needs.FRAMES]
    for examiner in examiners:
        if examiner in looking:
            continue
        yield Started(examiner.name)
        if material.pictures:
            yield Skipped(examiner.name, say("frames.pictures_only"))
        else:
            yield from _examine(examiner, clip)
    together = not alone and min(clip.threads, len(looking)) > 1
    if together:
        # All at once and before any frame is decoded: if the worker is lost, each of them may be to blame.
        yield from (Started(examiner.name) for examiner in looking)
    if together and _held(clip):
        crew = Crew(clip.threads)
        shared = clip.shared(crew.share)
        yield from abreast([partial(_begin, examiner, shared) for examiner in looking], crew)
    else:
        for examiner in looking:
            yield from _begin(examiner, clip)
    if (frames := vars(clip).get("frames")) is not None:  # the cached property, if anyone asked
        yield Sampled(frames.seen)
    owners = [owner for owner in (*examiners, inference) if isinstance(owner, UsesModels)]
    if ran := merged(*(owner.take_uses() for owner in owners)):
        yield ModelsRan(ran)


def _begin(examiner: Examiner, clip: Clip) -> Iterator[Message | Started]:
    yield Started(examiner.name)
    yield from _examine(examiner, clip)


def _held(clip: Clip) -> bool:
    """Whether all frames are there for everyone to read; what is wrong with them the examiners find out."""
    try:
        return clip.frames.held()
    except Exception:  # noqa: BLE001 - the first examiner meets it again, and tells of it
        return False


def _read(material: OpenMaterial) -> Container:
    if not material.pictures:
        return read_container(material.file, material.size)
    return read_batches(material.file, material.size)


def _batched(clip: Clip) -> Frames:
    from .browser_frames import BrowserFrames

    return BrowserFrames(clip.file, clip.size)


def _sample(clip: Clip, sampling: Sampling) -> Frames:
    # FFmpeg is loaded only where frames are looked at.
    from .sampler import SampledFrames

    parts = [(clip.file, clip.size)]
    parts += [(fragment, fragment.seek(0, io.SEEK_END)) for fragment in clip.fragments]
    return SampledFrames(clip.container, parts, sampling, clip.present)


def _examine(examiner: Examiner, clip: Clip) -> Iterator[Message]:
    started = time.perf_counter()
    try:
        for evidence in examiner.examine(clip):
            took_ms = round((time.perf_counter() - started) * 1000, 2)
            yield Found(evidence.model_copy(update={"took_ms": took_ms}))
    except (Skip, CannotDecode, NoAnswer) as reason:
        yield Skipped(examiner.name, str(reason))
    except MemoryError:
        yield Skipped(examiner.name, say("workers.examiner_out_of_memory", examiner=examiner.name))
    except Exception as error:  # noqa: BLE001 - hostile bytes reach whatever an examiner is built on; the
        # others must still run, and nothing is hidden: the scan says that this one did not end.
        _log.warning("examiner %s failed", examiner.name, exc_info=True)
        kind = type(error).__name__
        yield Skipped(examiner.name, say("workers.examiner_failed", examiner=examiner.name, error=kind))
    else:
        yield Checked(examiner.name)


def examine_material(material: Material, examiners: Sequence[Examiner]) -> Iterator[Message]:
    """Open a material's files and run examiners over them, in this process.

    Raises:
        OSError: a file cannot be opened.
    """
    with ExitStack() as files:
        file = files.enter_context(material.path.open("rb"))
        fragments = tuple(files.enter_context(path.open("rb")) for path in material.fragments)
        opened = OpenMaterial(
            file, material.size, fragments, material.complete, material.present, material.pictures
        )
        for message in examine_opened(opened, examiners):
            if not isinstance(message, Started):
                yield message


class InThread:
    """Workers that are a thread of this process: no isolation, for tests and platforms without processes."""

    def __init__(self, build: Callable[[Sequence[str]], Sequence[Examiner]]) -> None:
        self._build = build

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        messages = examine_material(material, self._build(examiners))
        while (message := await asyncio.to_thread(next, messages, None)) is not None:
            yield message

    async def warm(self) -> None:
        return None

    def sandboxes(self) -> Sequence[Confined]:
        return []

    async def close(self) -> None:
        return None
