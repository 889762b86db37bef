"""The daemon's engine: accepts scans, runs a few at a time, answers again what it already knows.

A scan is in the store before anyone is told that it was accepted, and its verdict is in the store before
anyone is told of it, so a daemon that dies and starts again takes up every scan where its askers left it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol

from ..intake.uploads import ReceivedFrames, ReceivedUpload
from ..messages import say
from ..pipeline import OnEvent, new_scan_id
from ..settings import Settings
from ..store import Store, StoredScan, StoreThread
from ..verdict import Scan, Source, SourceKind, unreadable
from ..wire import (
    AnySource,
    FileSource,
    FramesSource,
    Progress,
    ScanEvent,
    ScanState,
    UploadSource,
    VerdictReached,
    WorkerSandbox,
)
from .jobs import Job, NumberedEvent, replay
from .metrics import Metrics
from .refusals import Busy, PutOff, Stopping
from .spool import Spool
from .waiting import Waiting

log = logging.getLogger(__name__)
P = ParamSpec("P")

MAX_ATTEMPTS = 3
"""Runs of one scan that the daemon may die in before it is given up as the likely cause."""

KEPT_JOBS = 64
"""Finished scans kept in memory with all their events, for clients that come back for them."""


class Scanner(Protocol):
    """What scans: the pipeline."""

    async def scan(
        self,
        source: AnySource,
        on_event: OnEvent = ...,
        scan_id: str | None = ...,
        *,
        automatic: bool = ...,
    ) -> Scan: ...

    def sandboxes(self) -> list[WorkerSandbox]: ...


@dataclass(frozen=True)
class Upload:
    """Bytes that were received: what came with them, where they lie, and their SHA-256."""

    scan_id: str
    source: ReceivedUpload | ReceivedFrames
    sha256: str


class Scans:
    """Accepts, runs, remembers and forgets scans.

    Args:
        scanner: runs one scan.
        db: the store.
        spool: where uploads lie until they are scanned.
        settings: `concurrency`, `queue_limit`, `max_seconds`, `reuse_hours`, `history_*`.
        edition: tells what could give another answer to the same bytes: program version, trust, prior,
            calibration. Answers of another edition are not reused.
        monotonic: seconds, for durations.
        put_off: why a scan that nobody asked for is not done now; None where it is.
    """

    def __init__(
        self,
        *,
        scanner: Scanner,
        db: StoreThread,
        spool: Spool,
        settings: Settings,
        edition: Callable[[], str],
        metrics: Metrics,
        monotonic: Callable[[], float],
        put_off: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._scanner = scanner
        self._db = db
        self._spool = spool
        self._settings = settings
        self._edition = edition
        self._metrics = metrics
        self._monotonic = monotonic
        self._put_off = put_off
        self._jobs: dict[str, Job] = {}
        self._by_key: dict[tuple[str, str], Job] = {}
        self._finished: OrderedDict[str, Job] = OrderedDict()
        self._queue = Waiting()
        self._running: dict[str, Job] = {}
        self._accepting = asyncio.Lock()
        self._stopping = False

    @property
    def queued(self) -> int:
        """How many scans wait."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """How many scans run."""
        return len(self._running)

    @property
    def stopping(self) -> bool:
        """Whether the daemon is about to end."""
        return self._stopping

    def sandboxes(self) -> list[WorkerSandbox]:
        """What confines the workers that have been started so far."""
        return self._scanner.sandboxes()

    async def start(self) -> None:
        """Take up what an earlier daemon accepted and did not answer, and forget what is too old."""
        unfinished = await self._db.do(Store.unfinished)
        await asyncio.to_thread(self._spool.sweep, {stored.state.id for stored in unfinished})
        for stored in unfinished:
            if stored.attempts >= MAX_ATTEMPTS:
                reason = say("server.scan.given_up", attempts=stored.attempts)
                await self._db.do(
                    Store.finish, _failed(stored.state.id, stored.source, reason), self._edition()
                )
                await self._spool.remove(stored.state.id)
                continue
            job = Job(
                stored.state.id,
                self._with_bytes(stored),
                stored.state.created_at,
                key=_key(stored.source),
            )
            self._enqueue(job)
        await self._prune()
        self._pump()

    async def submit(
        self,
        source: AnySource,
        *,
        fresh: bool = False,
        upload: Upload | None = None,
        automatic: bool = False,
    ) -> ScanState:
        """Accept a scan, join one that is under way for the same thing, or answer from the store.

        Args:
            source: what to scan.
            fresh: do not answer from the store.
            upload: given when `source` is one; its bytes become the engine's to remove.
            automatic: nobody asked for it; it waits behind those that somebody asked for.

        Raises:
            Busy: too many scans wait.
            PutOff: it is automatic, and not done now.
            Stopping: the daemon is about to end.
        """
        key = (source.kind, upload.sha256) if upload else _key(source)
        # One at a time, so that three tabs that ask at once find each other.
        async with self._accepting:
            if self._stopping:
                raise Stopping
            if key and (job := self._by_key.get(key)):
                job.holders += 1
                if not automatic:
                    self._queue.promote(job)
                self._metrics.count("touchstone_scans_joined_total")
                return await self._instead_of(upload, job.state())
            if not fresh and (known := await self._known(source, upload)):
                self._metrics.count("touchstone_scans_reused_total")
                return await self._instead_of(upload, await self._as_asked(known, source, upload))
            await self.check_power(automatic)
            if len(self._queue) >= self._settings.queue_limit:
                raise Busy(len(self._queue), self._retry_after_s())
            scan_id = upload.scan_id if upload else new_scan_id()
            state = await self._db.do(Store.add, scan_id, source)
            job = Job(scan_id, upload.source if upload else source, state.created_at, key=key)
            job.automatic = automatic
            self._enqueue(job)
        self._pump()
        return job.state()

    async def check_power(self, automatic: bool) -> None:
        """Whether a scan is done now.

        Raises:
            PutOff: it is not, because nobody asked for it.
        """
        if automatic and (reason := await self._put_off()):
            self._metrics.count("touchstone_scans_put_off_total")
            raise PutOff(reason)

    async def state(self, scan_id: str) -> ScanState | None:
        """A scan, under way or from the store."""
        if job := self._jobs.get(scan_id):
            return job.state()
        stored = await self._db.do(Store.get, scan_id)
        return stored.state if stored else None

    async def follow(
        self, scan_id: str, after: str | None, heartbeat_s: float
    ) -> AsyncIterator[NumberedEvent | None] | None:
        """Events of a scan after the one with the id `after`, or None if there is no such scan."""
        if job := self._jobs.get(scan_id) or self._finished.get(scan_id):
            return job.follow(after, heartbeat_s)
        stored = await self._db.do(Store.get, scan_id)
        if stored is None or stored.state.scan is None:
            return None
        return _each(replay(stored.state.scan, after))

    async def remove(self, scan_id: str) -> bool:
        """Cancel a scan and forget it. False if there is none.

        One that several asked for runs on until the last of them removes it.
        """
        job = self._jobs.get(scan_id)
        if job and job.holders > 1:
            job.holders -= 1
            return True
        if job:
            self._drop(job)
            if job.task:
                job.task.cancel()
                await asyncio.wait([job.task])
            elif job in self._queue:
                self._queue.remove(job)
            job.end()
            await self._spool.remove(scan_id)
            self._pump()
        self._finished.pop(scan_id, None)
        return await self._db.do(Store.forget, scan_id) or job is not None

    async def close(self, grace_s: float) -> None:
        """Take no more scans, give running ones `grace_s` seconds to end, and put the others back.

        What was put back, and what still waits, is taken up by the next daemon.
        """
        self._stopping = True
        tasks = [job.task for job in self._running.values() if job.task]
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        for job in list(self._running.values()):
            if job.task:
                job.task.cancel()
                await asyncio.wait([job.task])
            await self._db.do(Store.put_back, job.id)
        for job in list(self._jobs.values()):
            job.end()

    # --- inside -------------------------------------------------------------------------------------

    async def _known(self, source: AnySource, upload: Upload | None) -> ScanState | None:
        if upload:
            return await self._db.do(Store.answer_for_bytes, upload.sha256, self._edition())
        if source.kind == "url" and self._settings.reuse_hours:
            max_age_s = self._settings.reuse_hours * 3600
            return await self._db.do(Store.answer_for_url, source.url, self._edition(), max_age_s)
        return None

    async def _instead_of(self, upload: Upload | None, state: ScanState) -> ScanState:
        if upload:
            await self._spool.remove(upload.scan_id)
        return state

    async def _as_asked(self, known: ScanState, source: AnySource, upload: Upload | None) -> ScanState:
        """A known answer, for this name and page: the bytes are the same, where they were seen may not be."""
        if upload is None or known.scan is None or not isinstance(source, UploadSource):
            return known
        asked = {"kind": SourceKind.UPLOAD, "url": source.url, "name": source.name}
        told = known.scan.source
        if known.page_url == source.page_url and all(getattr(told, k) == v for k, v in asked.items()):
            return known
        state = await self._db.do(Store.add, upload.scan_id, source)
        update = {"id": upload.scan_id, "source": told.model_copy(update=asked)}
        scan = known.scan.model_copy(update=update)
        await self._db.do(Store.finish, scan, self._edition())
        return state.model_copy(update={"state": "done", "scan": scan})

    def _with_bytes(self, stored: StoredScan) -> AnySource:
        path = self._spool.path(stored.state.id)
        match stored.source:
            case UploadSource() as source:
                return ReceivedUpload(**source.model_dump(), path=path)
            case FramesSource() as source:
                return ReceivedFrames(**source.model_dump(), path=path)
            case source:
                return source

    def _enqueue(self, job: Job) -> None:
        self._jobs[job.id] = job
        if job.key:
            self._by_key[job.key] = job
        self._queue.add(job)
        job.publish(Progress(stage="queued"))

    def _pump(self) -> None:
        while self._queue and len(self._running) < self._settings.concurrency and not self._stopping:
            job = self._queue.take()
            self._running[job.id] = job
            job.running = True
            job.task = asyncio.create_task(self._run(job), name=f"scan {job.id}")

    async def _run(self, job: Job) -> None:
        started, edition = self._monotonic(), self._edition()
        await self._note(Store.start, job.id)
        scan = await self._answer(job)
        await self._note(Store.finish, scan, edition)
        self._metrics.scan_ended(scan.verdict.label.value, self._monotonic() - started)
        job.scan = scan
        job.publish(VerdictReached(scan=scan))
        job.end()
        self._drop(job)
        self._finished[job.id] = job
        while len(self._finished) > KEPT_JOBS:
            self._finished.popitem(last=False)
        self._pump()
        await self._spool.remove(job.id)
        await self._prune()

    async def _answer(self, job: Job) -> Scan:
        async def on_event(event: ScanEvent) -> None:
            # The verdict is told only once it is in the store.
            if not isinstance(event, VerdictReached):
                job.publish(event)

        try:
            async with asyncio.timeout(self._settings.max_seconds):
                scan = await self._scanner.scan(job.source, on_event, job.id, automatic=job.automatic)
                scan.model_dump_json()  # fails on text that is no Unicode, before anyone relies on the scan
                return scan
        except TimeoutError:
            reason = say("server.scan.too_slow", seconds=f"{self._settings.max_seconds:g}")
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Not our doing: something inside the scan was cancelled and did not notice.
            log.error("scan %s was cut off from within", job.id)
            reason = say("server.scan.failed")
        except Exception:
            # A mistake of ours, since bad input ends as a scan: it may cost this scan, not the daemon.
            log.exception("scan %s failed", job.id)
            reason = say("server.scan.failed")
        return _failed(job.id, job.source, reason)

    def _drop(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self._running.pop(job.id, None)
        if job.key and self._by_key.get(job.key) is job:
            del self._by_key[job.key]

    async def _prune(self) -> None:
        limits = self._settings
        await self._note(Store.prune, keep=limits.history_limit, max_age_s=limits.history_days * 86400)

    async def _note(
        self, method: Callable[Concatenate[Store, P], object], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Write to the store; a disk that is full costs the history, not the answer."""
        try:
            await self._db.do(method, *args, **kwargs)
        except sqlite3.Error as problem:
            log.error("the store did not take %s: %s", getattr(method, "__name__", "a call"), problem)

    def _retry_after_s(self) -> int:
        waiting_s = self._metrics.mean_scan_s() * len(self._queue) / self._settings.concurrency
        return min(60, max(1, math.ceil(waiting_s)))


def _key(source: AnySource) -> tuple[str, str] | None:
    # A file may change between two requests, so only addresses are taken to be the same.
    return ("url", source.url) if source.kind == "url" else None


def _failed(scan_id: str, source: AnySource, reason: str) -> Scan:
    name = Path(source.path).name if isinstance(source, FileSource) else getattr(source, "name", None)
    return Scan(
        id=scan_id,
        source=Source(kind=SourceKind(source.kind), url=getattr(source, "url", None), name=name),
        verdict=unreadable(reason),
    )


async def _each(events: Sequence[NumberedEvent]) -> AsyncIterator[NumberedEvent | None]:
    for event in events:
        yield event
