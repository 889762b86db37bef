"""Scans of frames before they start: opened by one request, filled by others, a batch each.

Batches go to the spool as they come and are looked at only as far as their heads. What nobody finishes is
dropped after a while, and a batch that breaks off takes its scan with it: what lies on disk is always whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from ..frame_batches import LENGTH, BadBatch, encode_head, head_length, parse_head, samples_bytes
from ..intake.uploads import ReceivedFrames
from ..messages import FALLBACK, say
from ..pipeline import new_scan_id
from ..wire import FrameBatch, FramesSource, ScanState
from .problems import ApiProblem, Kind
from .reading import PIECE_BYTES, in_time, invalid, invite
from .scans import Scans, Upload
from .services import Limits
from .spool import Incoming, Spool, SpoolFull, UploadTooLarge

MAX_OPEN = 8
"""Scans of frames that wait for more at a time."""


@dataclass
class OpenScan:
    """A scan that waits for frames.

    Attributes:
        runs: how many have come.
        adding: held while a batch arrives, so that no two are mixed.
    """

    state: ScanState
    source: FramesSource
    fresh: bool
    automatic: bool
    incoming: Incoming
    timer: asyncio.TimerHandle
    runs: int = 0
    adding: asyncio.Lock = field(default_factory=asyncio.Lock)


class FrameScans:
    """The scans of frames that have not started.

    Args:
        scans: what runs them once all is there.
        spool: where their batches lie.
        limits: `frames_bytes`, `frames_idle_s` and those of uploads.
        max_bytes: the setting; no scan of frames takes more either.
        clock: seconds since the epoch.
    """

    def __init__(
        self, scans: Scans, spool: Spool, limits: Limits, max_bytes: int, clock: Callable[[], float]
    ) -> None:
        self._scans = scans
        self._spool = spool
        self._limits = limits
        self._most = min(limits.frames_bytes, max_bytes)
        self._clock = clock
        self._open: dict[str, OpenScan] = {}
        self._tasks: set[asyncio.Task[bool]] = set()

    async def open(self, source: FramesSource, *, fresh: bool, automatic: bool = False) -> ScanState:
        """Begin a scan. Its frames come with `add`."""
        if len(self._open) >= MAX_OPEN:
            raise _busy(len(self._open))
        scan_id = new_scan_id()
        self._spool.claim(scan_id, 0)
        incoming = await asyncio.to_thread(Incoming, self._spool, scan_id)
        state = ScanState(
            id=scan_id,
            state="receiving",
            created_at=self._clock(),
            url=source.url,
            page_url=source.page_url,
        )
        self._open[scan_id] = OpenScan(state, source, fresh, automatic, incoming, self._timer(scan_id))
        return state

    def state(self, scan_id: str) -> ScanState | None:
        """A scan that waits for frames; None where there is none."""
        waiting = self._open.get(scan_id)
        return waiting.state if waiting else None

    async def add(self, scan_id: str, request: web.Request, *, last: bool) -> ScanState | None:
        """Take the batch that a request brings and, after the last, start the scan.

        Returns the state of the scan; None if there is no such scan. With `last` the body may be empty.

        Raises:
            ApiProblem: what came is no batch, not the next one, or too much. The scan still waits, unless
                samples had begun to arrive.
            refusals.Busy, refusals.Stopping: it cannot start now; asked again with `last` and no body, it
                may.
        """
        waiting = self._open.get(scan_id)
        if waiting is None:
            return None
        async with waiting.adding:
            if self._open.get(scan_id) is not waiting:
                return None
            waiting.timer.cancel()
            try:
                if not (last and request.content_length == 0):
                    await self._receive(waiting, request)
                if last:
                    return await self._start(waiting)
            finally:
                if self._open.get(scan_id) is waiting:
                    waiting.timer = self._timer(scan_id)
        return waiting.state

    async def remove(self, scan_id: str) -> bool:
        """Forget a scan and what came of it. False if there is none."""
        waiting = self._open.pop(scan_id, None)
        if waiting is None:
            return False
        waiting.timer.cancel()
        waiting.incoming.close()
        await self._spool.remove(scan_id)
        return True

    async def close(self) -> None:
        """Forget all."""
        for scan_id in list(self._open):
            await self.remove(scan_id)

    async def _receive(self, waiting: OpenScan, request: web.Request) -> None:
        async with in_time(self._limits.upload_s):
            await invite(request)
            batch = await self._head(waiting, request)
            scan_id = waiting.state.id
            try:
                await self._samples(waiting, request, batch)
            except BaseException:
                # Half a batch lies on the disk, and whoever sends is not where we are.
                with suppress(OSError):
                    await self.remove(scan_id)
                raise
            waiting.runs += 1

    async def _head(self, waiting: OpenScan, request: web.Request) -> FrameBatch:
        """The head of the batch, checked against all that is known before its samples are read."""
        try:
            async with in_time(self._limits.upload_idle_s):
                length = head_length(await request.content.readexactly(LENGTH.size))
                batch = parse_head(await request.content.readexactly(length))
        except BadBatch as problem:
            raise invalid("batch", reason=problem) from problem
        except asyncio.IncompleteReadError:
            raise invalid("batch", reason=say("frames.cut_off", FALLBACK)) from None
        source = waiting.source
        if (batch.width, batch.height) != (source.width, source.height):
            raise _wrong(
                "size",
                width=batch.width,
                height=batch.height,
                expected_width=source.width,
                expected_height=source.height,
            )
        if batch.run != waiting.runs:
            raise _wrong("run", run=batch.run, expected=waiting.runs)
        announced = LENGTH.size + length + samples_bytes(batch)
        if request.content_length not in (None, announced):
            raise _wrong("length", got=request.content_length, announced=announced)
        self._make_room(waiting, len(encode_head(batch)) + samples_bytes(batch))
        return batch

    def _make_room(self, waiting: OpenScan, more: int) -> None:
        if waiting.incoming.size + more > self._most:
            raise ApiProblem(Kind.TOO_LARGE, limit=self._most)
        try:
            self._spool.claim(waiting.state.id, waiting.incoming.size + more)
        except UploadTooLarge as problem:
            raise ApiProblem(Kind.TOO_LARGE, limit=problem.limit) from problem
        except SpoolFull as problem:
            raise _busy(self._scans.queued) from problem

    async def _samples(self, waiting: OpenScan, request: web.Request, batch: FrameBatch) -> None:
        await waiting.incoming.write(encode_head(batch))
        missing = samples_bytes(batch)
        while missing:
            async with in_time(self._limits.upload_idle_s):
                piece = await request.content.read(min(missing, PIECE_BYTES))
            if not piece:
                raise invalid("batch", reason=say("frames.cut_off", FALLBACK))
            await waiting.incoming.write(piece)
            missing -= len(piece)
        if await request.content.read(1):
            raise invalid("batch", reason=say("frames.too_long", FALLBACK))

    async def _start(self, waiting: OpenScan) -> ScanState:
        if not waiting.runs:
            raise invalid("batch", reason=say("frames.none", FALLBACK))
        scan_id = waiting.state.id
        sha256 = await waiting.incoming.finish()
        source = ReceivedFrames(**waiting.source.model_dump(), path=self._spool.path(scan_id))
        state = await self._scans.submit(
            source,
            fresh=waiting.fresh,
            automatic=waiting.automatic,
            upload=Upload(scan_id, source, sha256),
        )
        # The bytes are the engine's now.
        waiting.incoming.close()
        del self._open[scan_id]
        return state

    def _timer(self, scan_id: str) -> asyncio.TimerHandle:
        def drop() -> None:
            task = asyncio.ensure_future(self.remove(scan_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return asyncio.get_running_loop().call_later(self._limits.frames_idle_s, drop)


def _wrong(what: str, **names: object) -> ApiProblem:
    return invalid("batch", reason=say(f"frames.wrong_{what}", FALLBACK, **names))


def _busy(waiting: int) -> ApiProblem:
    return ApiProblem(Kind.BUSY, {"Retry-After": "5"}, waiting=waiting, seconds=5)
