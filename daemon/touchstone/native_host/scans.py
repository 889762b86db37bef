"""The scans that one port follows: from the daemon's events to the browser's messages.

A follower outlives the daemon: it connects again, passes over what it has told already, and sends the scan
anew to a daemon that does not know it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field

from ..native_messages import Result, ScanEvidence, ScanProgress
from ..verdict import Evidence, Model
from ..wire import EvidenceFound, Progress, ScanEvent, VerdictReached
from .backoff import Backoff
from .link import DaemonLink, DaemonLost
from .problems import Code, NativeError

log = logging.getLogger(__name__)

MAX_SCANS = 64
# With the back-off's cap of 10 s this is about five minutes without a daemon.
MAX_FAILURES = 30
# What may pass by itself; a refused token does if it was rotated a moment ago.
_ATTEMPTS = {Code.DAEMON_ABSENT: MAX_FAILURES, Code.DAEMON_BUSY: MAX_FAILURES, Code.TOKEN_REFUSED: 3}

Answer = Callable[[Model], Awaitable[None]]
"""Sends one message to the browser."""

Refuse = Callable[[NativeError, str | None], Awaitable[None]]
"""Sends an error; the second argument is the request it answers, if any."""

Submit = Callable[[], Awaitable[str]]


@dataclass
class Followed:
    """One scan that this port waits for.

    Attributes:
        scan_id: as the browser knows it.
        daemon_id: as the daemon knows it; another one after it was sent anew.
        submit: sends it anew and returns the daemon's id; None where that cannot be done.
        drop: frees what `submit` needs.
        askers: how many requests wait for it.
        told: evidence that the browser has.
        generation: which daemon took it, as `DaemonLink.generation` counts them.
        lost: the daemon that is up now does not know it.
    """

    scan_id: str
    daemon_id: str
    submit: Submit | None
    drop: Callable[[], None]
    generation: int
    lost: bool = False
    askers: int = 1
    told: dict[str, Evidence] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class Scans:
    """Follows scans and tells the browser about them."""

    def __init__(self, link: DaemonLink, answer: Answer, refuse: Refuse) -> None:
        self._link = link
        self._answer = answer
        self._refuse = refuse
        self._followed: dict[str, Followed] = {}
        self._asked_for = 0

    def __len__(self) -> int:
        return len(self._followed)

    def daemon_id(self, scan_id: str) -> str:
        """What the daemon calls this scan."""
        followed = self._followed.get(scan_id)
        return followed.daemon_id if followed else scan_id

    @contextmanager
    def room(self) -> Iterator[None]:
        """Room for one more scan while it is being asked for.

        Raises:
            NativeError: it would be one too many.
        """
        if len(self._followed) + self._asked_for >= MAX_SCANS:
            raise NativeError(Code.TOO_MANY_SCANS, limit=MAX_SCANS)
        self._asked_for += 1
        try:
            yield
        finally:
            self._asked_for -= 1

    async def follow(
        self, scan_id: str, submit: Submit | None = None, drop: Callable[[], None] = lambda: None
    ) -> None:
        """Tell the browser all about a scan from here on. One that is followed already gets one more asker,
        who is told what the others have been told."""
        known = self._followed.get(scan_id)
        if known is not None:
            drop()
            known.askers += 1
            for evidence in list(known.told.values()):
                await self._answer(ScanEvidence(scan_id=scan_id, evidence=evidence))
            return
        followed = Followed(scan_id, scan_id, submit, drop, self._link.generation)
        self._followed[scan_id] = followed
        followed.task = asyncio.create_task(self._run(followed), name=f"follow {scan_id}")

    async def cancel(self, scan_id: str) -> None:
        """One asker less; with the last one the scan itself is cancelled and nothing more is told."""
        followed = self._followed.get(scan_id)
        if followed is None:
            state = await self._link.ask(lambda client: client.state(scan_id), scan_id)
            if state.state == "done":
                return  # it belongs to the user's history now
        daemon_id = self.daemon_id(scan_id)
        if followed is not None:
            followed.askers -= 1
            if followed.askers <= 0:
                self._forget(followed)
        # The daemon counts askers as well, those of other browsers too.
        await self._link.ask(lambda client: client.forget(daemon_id), scan_id)

    def close(self) -> None:
        """Follow nothing any more; the scans themselves go on in the daemon."""
        for followed in list(self._followed.values()):
            self._forget(followed)

    def _forget(self, followed: Followed) -> None:
        self._followed.pop(followed.scan_id, None)
        followed.drop()
        if followed.task is not None and followed.task is not asyncio.current_task():
            followed.task.cancel()

    async def _run(self, followed: Followed) -> None:
        try:
            await self._follow_to_the_end(followed)
        except NativeError as problem:
            await self._give_up(followed, problem)
        except OSError:
            self._forget(followed)  # the browser has closed the port
        except Exception as problem:
            # A mistake of ours: it may cost this scan, not the port.
            log.exception("following scan %s failed", followed.scan_id)
            await self._give_up(followed, NativeError(Code.HOST_FAILED, reason=type(problem).__name__))

    async def _give_up(self, followed: Followed, problem: NativeError) -> None:
        self._forget(followed)
        problem.about["scan_id"] = followed.scan_id
        with suppress(OSError):
            await self._refuse(problem, None)

    async def _follow_to_the_end(self, followed: Followed) -> None:
        backoff = Backoff()
        after: str | None = None
        while True:
            try:
                if followed.lost and followed.submit:
                    followed.daemon_id, after = await followed.submit(), None
                    followed.lost, followed.generation = False, self._link.generation
                async with aclosing(self._link.events(followed.daemon_id, after)) as events:
                    async for event_id, event in events:
                        backoff.reset()
                        after = event_id
                        if await self._tell(followed, event):
                            return
            except DaemonLost:
                pass
            except NativeError as problem:
                # Another daemon than the one that took the scan may never have heard of it.
                followed.lost = (
                    problem.code is Code.SCAN_UNKNOWN
                    and followed.submit is not None
                    and followed.generation != self._link.generation
                )
                attempts = MAX_FAILURES if followed.lost else _ATTEMPTS.get(problem.code, 0)
                if backoff.count >= attempts:
                    raise
            await backoff.sleep()

    async def _tell(self, followed: Followed, event: ScanEvent) -> bool:
        """Hand one event on; True after the last."""
        scan_id = followed.scan_id
        match event:
            case Progress():
                await self._answer(ScanProgress(scan_id=scan_id, progress=event))
            case EvidenceFound(evidence=evidence):
                # A daemon that was started again scans again and finds the same; only the time differs.
                key = evidence.model_copy(update={"took_ms": 0}).model_dump_json()
                if key not in followed.told:
                    followed.told[key] = evidence
                    await self._answer(ScanEvidence(scan_id=scan_id, evidence=evidence))
            case VerdictReached(scan=scan):
                self._forget(followed)
                await self._answer(Result(scan_id=scan_id, scan=scan))
                return True
        return False
