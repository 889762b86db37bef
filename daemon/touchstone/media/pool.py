"""A pool of confined worker processes: `Workers` that a hostile file cannot take the daemon down with.

Workers start when they are first needed, one is kept ready beyond those that are busy, and all of them end
when unused for a while, which is the only way their memory really goes back. A worker that crashes, hangs or
runs out of memory costs the examiner that it was running: the others are tried again in a fresh one. Where it
ran several at once, they are first run again one by one, to find out which.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..inference import NoAnswer
from ..inference.batching import AUTOMATIC, URGENT, Batch
from ..inference.blocks import BLOCK_BYTES
from ..intake import Material
from ..messages import say
from .answers import Done, Infer
from .clock import Clock
from .job import Job
from .launch import Ways, ways_of_this_system
from .process import WorkerLost, WorkerProcess, worker_command
from .sandbox import SandboxReport
from .spec import Deadlines, Recycling, WorkerSpec
from .workers import Confined, Message, Skipped

if TYPE_CHECKING:
    from ..inference.service import Inference

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_MAX_ANSWERS = 10_000  # of one job; more is a worker that was made to babble


class WorkerPool:
    """Runs examiners in confined processes.

    Args:
        spec: what the workers build and may use.
        size: how many jobs run at once; further ones wait.
        deadlines: how long each step may take.
        recycling: when a worker is replaced.
        command: how to start a worker; its descriptor is added as the last argument.
        environment: variables of which the few that matter are passed on.
        inference: runs the models of `spec` that are to run apart.
        ways: how workers are started; this system's by default.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        *,
        size: int = 2,
        deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
        recycling: Recycling = Recycling(),  # noqa: B008 - frozen
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] = os.environ,
        inference: Inference | None = None,
        ways: Ways | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"a pool needs at least one worker; got size {size}")
        self._spec = spec
        self._size = size
        self._deadlines = deadlines
        self._recycling = recycling
        self._command = list(command) if command is not None else worker_command()
        self._environment = environment
        self._inference = inference
        self._ways = ways or ways_of_this_system()
        self._slots = asyncio.Semaphore(size)
        # One thread waits for each busy worker; the others start and end workers.
        self._threads = ThreadPoolExecutor(max_workers=size + 2, thread_name_prefix="worker-pool")
        self._idle: list[tuple[WorkerProcess, asyncio.TimerHandle]] = []
        self._busy: set[WorkerProcess] = set()
        self._starting: set[WorkerProcess] = set()
        self._spare: asyncio.Task[WorkerProcess] | None = None
        self._tasks: set[asyncio.Future[Any]] = set()
        self._closed = False
        self.sandbox: SandboxReport | None = None
        """What the newest worker found out about its confinement; None before the first."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are busy or ready."""
        return tuple(worker.pid for worker in (*self._busy, *(worker for worker, _ in self._idle)))

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        """Run examiners over a material; see `Workers`. Every examiner is answered for, whatever happens."""
        for name in examiners:
            if name not in self._spec.examiners:
                yield Skipped(name, say("workers.not_here"))
        job = Job(material, [name for name in examiners if name in self._spec.examiners])
        async with self._slots:
            while not job.over:
                async with aclosing(self._attempt(job)) as messages:
                    async for message in messages:
                        yield message

    async def warm(self) -> None:
        """Have a worker ready; called when a scan is announced, so that starting one takes nobody's time."""
        if not self._idle and not self._busy:
            self._keep_spare()

    def sandboxes(self) -> Sequence[Confined]:
        """See `Workers`."""
        return [Confined(tuple(self._spec.examiners), self.sandbox)] if self.sandbox else []

    def renew(self, spec: WorkerSpec) -> None:
        """Build workers after `spec` from now on; those that are busy end when their job does."""
        self._spec = spec
        for worker, timer in self._idle:
            timer.cancel()
            self._end(worker)
        self._idle.clear()

    async def check(self) -> SandboxReport:
        """What confines the workers, by starting one if none has been yet.

        Raises:
            WorkerLost: none could be started.
        """
        if self.sandbox is None:
            async with self._slots:
                self._give_back(await self._take())
        return self.sandbox or SandboxReport()

    async def close(self) -> None:
        """End all workers, those that are starting too; jobs in flight end as lost."""
        self._closed = True
        workers = [*self._busy, *self._starting]
        while self._idle:
            worker, timer = self._idle.pop()
            timer.cancel()
            workers.append(worker)
        if self._spare is not None:
            spare, self._spare = self._spare, None
            await asyncio.gather(*(self._in_thread(worker.kill) for worker in workers))
            with suppress(WorkerLost):
                workers.append(await spare)
        for worker in workers:
            self._close_block(worker)
        await asyncio.gather(*(self._in_thread(worker.kill) for worker in workers), *self._tasks)
        self._threads.shutdown(wait=False)

    # --- one job ------------------------------------------------------------------------------

    async def _attempt(self, job: Job) -> AsyncGenerator[Message, None]:
        """Run what is left of a job in one worker."""
        try:
            worker = await self._take()
        except WorkerLost as lost:
            for message in job.abandon(say("workers.no_start", why=lost)):
                yield message
            return
        healthy = False
        try:
            async with aclosing(self._converse(worker, job)) as messages:
                async for message in messages:
                    yield message
            healthy = True
        except WorkerLost as lost:
            for message in job.lost(lost):
                yield message
        except OSError as error:
            healthy = True
            name = error.filename or job.material.path
            for message in job.abandon(say("workers.cannot_open", name=name, error=error.strerror)):
                yield message
        finally:
            for asked in job.asked:
                asked.cancel()
            job.asked.clear()
            # Also reached when the scan is cancelled half-way: the worker is still at it, so it is ended.
            if healthy:
                self._give_back(worker)
            else:
                self._discard(worker)

    async def _converse(self, worker: WorkerProcess, job: Job) -> AsyncGenerator[Message, None]:
        clock = Clock(self._deadlines, len(job.remaining))
        begin = partial(worker.begin, alone=job.alone)
        await self._in_thread(begin, job.material, tuple(job.remaining), clock.total_s)
        clock.start(time.monotonic())
        for _ in range(_MAX_ANSWERS):
            answer = await self._in_thread(worker.next_answer, clock.due, clock.allowed_s)
            if isinstance(answer, Done):
                job.done()
                return
            if isinstance(answer, Infer):
                job.asked.add(asyncio.ensure_future(self._infer(worker, answer, job)))
                continue
            clock.note(answer, time.monotonic())
            message = job.take(answer)
            if message is not None:
                yield message
        raise WorkerLost(say("workers.why.misbehaved"))

    async def _infer(self, worker: WorkerProcess, asked: Infer, job: Job) -> None:
        """Have a batch of a worker run, and tell it that its answers are there, or why not."""
        try:
            if self._inference is None or worker.block is None:
                raise NoAnswer(say("inference.no_such_model", name=asked.model))
            batch = Batch(
                model=asked.model,
                block=worker.block,
                offset=asked.offset,
                room=asked.room,
                shape=asked.shape,
                dtype=asked.dtype,
                priority=AUTOMATIC if job.material.automatic else URGENT,
            )
            answered = await self._inference.infer(batch)
        except NoAnswer as reason:
            reply: dict[str, Any] = {"problem": str(reason)}
        else:
            reply = {"shape": answered.shape, "provider": answered.provider, "ms": answered.ms}
        await self._in_thread(worker.reply, {"number": asked.number, **reply})

    # --- the workers --------------------------------------------------------------------------

    async def _take(self) -> WorkerProcess:
        """A ready worker, for the caller alone until given back or discarded.

        Raises:
            WorkerLost: none could be started.
        """
        worker = None
        while self._idle and worker is None:
            candidate, timer = self._idle.pop()
            timer.cancel()
            if candidate.alive():
                worker = candidate
            else:
                self._end(candidate)
        if worker is None:
            spare, self._spare = self._spare, None
            worker = await (spare or self._start())
        self._busy.add(worker)
        self._keep_spare()
        return worker

    async def _start(self) -> WorkerProcess:
        apart = any(model.get("apart") for model in self._spec.models)
        block = self._inference.open_block(BLOCK_BYTES) if self._inference and apart else None
        launched: list[WorkerProcess] = []

        def launch(worker: WorkerProcess) -> None:
            launched.append(worker)
            self._starting.add(worker)
            if self._closed:  # in the meantime
                worker.kill()

        try:
            worker = await self._in_thread(
                WorkerProcess,
                self._command,
                self._spec,
                self._environment,
                self._deadlines.start_s,
                block,
                self._ways,
                launch,
            )
        except BaseException:
            if self._inference and block:
                self._inference.close_block(block[0])
            raise
        finally:
            self._starting.difference_update(launched)
        self.sandbox = worker.sandbox
        if not worker.sandbox.complete:
            _log.warning("workers are not fully confined on this system: %s", worker.sandbox)
        return worker

    def _keep_spare(self) -> None:
        """Start a worker ahead of need, unless one is ready, starting, or could not be used anyway."""
        if self._closed or self._idle or self._spare or len(self._busy) >= self._size:
            return
        self._spare = asyncio.get_running_loop().create_task(self._start())
        self._spare.add_done_callback(self._shelve_spare)

    def _shelve_spare(self, task: asyncio.Task[WorkerProcess]) -> None:
        if self._spare is not task:
            return  # someone is waiting for it already, or the pool is closing
        self._spare = None
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            _log.warning("no spare worker: %s", error)
        elif task.result().spec is not self._spec:
            self._end(task.result())
        else:
            self._shelve(task.result())

    def _shelve(self, worker: WorkerProcess) -> None:
        timer = asyncio.get_running_loop().call_later(self._deadlines.idle_s, self._retire, worker)
        self._idle.append((worker, timer))

    def _retire(self, worker: WorkerProcess) -> None:
        self._idle = [(other, timer) for other, timer in self._idle if other is not worker]
        self._end(worker)

    def _give_back(self, worker: WorkerProcess) -> None:
        self._busy.discard(worker)
        worn = worker.jobs >= self._recycling.jobs or worker.memory_mib > self._recycling.memory_mib
        if worn or worker.spec is not self._spec or self._closed or len(self._idle) >= self._size:
            self._end(worker)
            self._keep_spare()
        else:
            worker.log_complaints()
            self._shelve(worker)

    def _discard(self, worker: WorkerProcess) -> None:
        self._busy.discard(worker)
        self._end(worker)
        self._keep_spare()

    def _end(self, worker: WorkerProcess) -> None:
        self._close_block(worker)
        task = asyncio.ensure_future(self._in_thread(worker.kill))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _close_block(self, worker: WorkerProcess) -> None:
        if self._inference is not None and worker.block is not None:
            self._inference.close_block(worker.block)

    async def _in_thread(self, call: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)


async def confinement(environment: Mapping[str, str]) -> SandboxReport:
    """What confines a worker on this system, by starting one that builds nothing.

    Raises:
        WorkerLost: it could not be started.
    """
    pool = WorkerPool(WorkerSpec(()), size=1, environment=environment)
    try:
        return await pool.check()
    finally:
        await pool.close()
