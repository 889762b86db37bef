"""The daemon's side of the inference process: one queue for all scans, and a process that comes and goes.

The process is started when a batch is there and ended when none came for a while. One that crashes, hangs or
talks nonsense is ended; each batch that it had is tried once more, alone, in a fresh one, and then answered
with the reason. A batch therefore costs at most two processes, and never a wrong answer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..messages import say
from . import NoAnswer, ServedModel
from .batching import Batch, Queue, Queued
from .blocks import OutOfBounds, check_bounds, make_block
from .child_process import ChildLost, ChildProcess, child_command

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_ATTEMPTS = 2


@dataclass(frozen=True)
class Times:
    """Seconds.

    Attributes:
        start_s: for the process to be ready.
        load_s: for the first run of a model, which loads it; drivers compile for it.
        run_s: for any other run.
        idle_s: without a batch until the process leaves.
    """

    start_s: float = 30.0
    load_s: float = 45.0
    run_s: float = 10.0
    idle_s: float = 60.0


@dataclass(frozen=True)
class Answered:
    """Answers lie where the batch lay.

    Attributes:
        shape: of them, float32.
        provider: that really ran it.
        ms: the share of the run that its rows were.
    """

    shape: tuple[int, ...]
    provider: str
    ms: float


class Inference(Protocol):
    """What a worker pool hands its workers' batches to."""

    def open_block(self, size: int) -> tuple[int, int]:
        """Shared memory for one worker: its number and its descriptor."""

    def close_block(self, number: int) -> None:
        """The worker has gone."""

    async def infer(self, batch: Batch) -> Answered:
        """Have a batch run. Raises `NoAnswer` with the reason."""


class InferenceService:
    """See the module.

    Args:
        times: how long things may take.
        threads: of the processor for one run.
        cache: a folder where providers may keep what they compiled.
        command: how to start the process; its descriptor is added as the last argument.
        environment: its variables: drivers want many.
    """

    def __init__(
        self,
        *,
        times: Times = Times(),
        threads: int = 1,
        cache: Path | None = None,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._models: dict[str, ServedModel] = {}
        self._times = times
        self._config: dict[str, Any] = {
            "models": [],
            "threads": threads,
            "cache": None if cache is None else str(cache),
        }
        self._command = list(command) if command is not None else child_command()
        self._environment = dict(environment)
        self._thread = ThreadPoolExecutor(max_workers=2, thread_name_prefix="inference")
        self._queue = Queue()
        self._answers: dict[int, asyncio.Future[Answered]] = {}
        self._blocks: dict[int, tuple[int, int]] = {}  # number: descriptor and size
        self._next_block = 0
        self._child: ChildProcess | None = None
        self._dispatcher: asyncio.Task[None] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return self._child.pid if self._child else None

    def serve(self, models: Sequence[ServedModel]) -> None:
        """What may be asked for from now on. A process that serves other models leaves after its run."""
        self._models = {model.name: model for model in models}
        self._config = {**self._config, "models": [model.as_json() for model in models]}

    def open_block(self, size: int) -> tuple[int, int]:
        """See Inference.

        Raises:
            OSError: there is no memory.
        """
        self._next_block += 1
        self._blocks[self._next_block] = make_block(size), size
        return self._next_block, self._blocks[self._next_block][0]

    def close_block(self, number: int) -> None:
        """See Inference. May be called twice."""
        if (block := self._blocks.pop(number, None)) is not None:
            os.close(block[0])
            if self._child is not None:
                self._child.forget(number)

    async def infer(self, batch: Batch) -> Answered:
        """See Inference.

        Raises:
            NoAnswer: there is none; the text says why.
        """
        if batch.model not in self._models:
            raise NoAnswer(say("inference.no_such_model", name=batch.model))
        if self._closed:
            raise NoAnswer(say("inference.stopping"))
        self._check(batch)
        queued = self._queue.add(batch)
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._answers[queued.number] = answer
        if self._dispatcher is None:
            self._dispatcher = asyncio.create_task(self._dispatch(), name="inference")
        try:
            return await answer
        finally:
            # Also reached when the scan is cancelled: nobody waits for what is still in the queue.
            self._answers.pop(queued.number, None)
            self._queue.remove(queued)

    async def close(self) -> None:
        """End the process; batches that wait are answered with that."""
        self._closed = True
        if self._dispatcher is not None:
            self._dispatcher.cancel()
            await asyncio.wait([self._dispatcher])
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(NoAnswer(say("inference.stopping")))
        self._leave()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for number in list(self._blocks):
            self.close_block(number)
        self._thread.shutdown(wait=False)

    # --- inside -------------------------------------------------------------------------------

    def _check(self, batch: Batch) -> None:
        """Whether a batch is one that our own client would send: the worker may have been taken over.

        Raises:
            NoAnswer: it is not.
        """
        try:
            _, size = self._blocks[batch.block]
            check_bounds(batch.offset, batch.shape, batch.dtype, size)
            check_bounds(batch.offset, (batch.room,), "uint8", size)
            if batch.rows > self._models[batch.model].batch:
                raise OutOfBounds(f"{batch.rows} rows at once")
        except (KeyError, OutOfBounds) as problem:
            raise NoAnswer(say("inference.no_batch", name=batch.model, problem=problem)) from problem

    async def _dispatch(self) -> None:
        """Run what waits until nothing does."""
        if self._idle is not None:
            self._idle.cancel()
        try:
            while self._queue:
                # Batches of other scans that arrive in this turn of the loop run together with this one.
                await asyncio.sleep(0)
                await self._run(self._queue.take(self._most))
        except Exception:  # noqa: BLE001
            # A mistake of ours: whoever waits is told, and the next batch starts anew.
            _log.exception("running models failed")
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(NoAnswer(say("inference.failed")))
            self._leave()
        finally:
            self._dispatcher = None
            if not self._closed:
                loop = asyncio.get_running_loop()
                self._idle = loop.call_later(self._times.idle_s, self._leave)

    def _most(self, batch: Batch) -> int:
        """Rows of one run of a batch's model."""
        model = self._models.get(batch.model)
        return model.batch if model else 1

    async def _run(self, taken: Sequence[Queued]) -> None:
        """Run batches together and hand out their answers."""
        if not taken:
            return  # the last one was taken back
        model = self._models.get(taken[0].batch.model)
        if model is None:  # it is served no more
            for queued in taken:
                self._fail(queued, NoAnswer(say("inference.no_such_model", name=queued.batch.model)))
            return
        blocks: dict[int, tuple[int, int]] = {}
        try:
            child = await self._started()
            taken = [queued for queued in taken if self._is_wanted(queued)]
            if not taken:
                return
            # Copies of the descriptors: a worker that goes while the process is told of its block closes it.
            for number in {queued.batch.block for queued in taken} - child.blocks:
                descriptor, size = self._blocks[number]
                blocks[number] = os.dup(descriptor), size
            seconds = self._times.run_s if model.name in child.loaded else self._times.load_s
            batches = [queued.batch for queued in taken]
            ran = await self._in_thread(child.run, model.name, batches, blocks, time.monotonic() + seconds)
        except ChildLost as lost:
            self._leave()
            self._lost(taken, model, lost)
            return
        except asyncio.CancelledError:
            self._leave()
            raise
        finally:
            for descriptor, _ in blocks.values():
                os.close(descriptor)
        if problem := ran.get("problem"):
            for queued in taken:
                if len(taken) > 1:  # whose fault it was shows when each runs alone
                    queued.attempts += 1
                    self._queue.put_back(queued)
                else:
                    self._fail(queued, NoAnswer(str(problem)))
            return
        rows = sum(batch.rows for batch in batches)
        for queued, shape in zip(taken, ran["shapes"], strict=True):
            ms = round(ran["ms"] * queued.batch.rows / rows, 3)
            answer = self._answers.get(queued.number)
            if answer is not None and not answer.done():
                answer.set_result(Answered(tuple(shape), ran["provider"], ms))

    def _is_wanted(self, queued: Queued) -> bool:
        """Whether somebody waits for a batch, and its worker is still there."""
        return queued.number in self._answers and queued.batch.block in self._blocks

    async def _started(self) -> ChildProcess:
        """The process, started if there is none.

        Raises:
            ChildLost: it did not come up.
        """
        if self._child is not None and not (self._child.alive() and self._child.config is self._config):
            self._leave()  # it ended while nobody needed it, or serves what is served no more
        if self._child is None:
            self._child = await self._in_thread(
                ChildProcess, self._command, self._config, self._environment, self._times.start_s
            )
            _log.info("inference process %d has started", self._child.pid)
        return self._child

    def _lost(self, taken: Sequence[Queued], model: ServedModel, lost: ChildLost) -> None:
        _log.warning("the inference process was lost with %s (%s)", model.name, lost)
        for queued in taken:
            queued.attempts += 1
            if queued.attempts < _ATTEMPTS and queued.number in self._answers:
                self._queue.put_back(queued)
            else:
                self._fail(queued, NoAnswer(say("inference.lost", name=model.name, why=lost)))

    def _fail(self, queued: Queued, reason: NoAnswer) -> None:
        answer = self._answers.get(queued.number)
        if answer is not None and not answer.done():
            answer.set_exception(reason)

    def _leave(self) -> None:
        """End the process: its memory goes back."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        child, self._child = self._child, None
        if child is not None:
            task = asyncio.ensure_future(self._in_thread(child.kill))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _in_thread(self, call: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)
