"""The host's connection to the daemon: starts it, finds it again when it is gone, translates its problems."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from ..server.client import DaemonClient, DaemonError, DaemonLost
from ..system.daemon_process import DaemonNotStarted, RunningDaemon
from ..system.secrets import SecretsError
from ..wire import ScanEvent
from .backoff import Backoff
from .problems import Code, NativeError

__all__ = ["Access", "DaemonLink", "DaemonLost"]

log = logging.getLogger(__name__)

# Requests give up sooner than those who follow a scan: the page is waiting for them.
MAX_ATTEMPTS = 6
DEFAULT_RETRY_S = 1.0

DaemonState = Literal["up", "starting", "absent"]
T = TypeVar("T")


@dataclass(frozen=True)
class Access:
    """What it takes to talk to a daemon."""

    daemon: RunningDaemon
    token: str = field(repr=False)


Connect = Callable[[], Access]
"""Finds the daemon or starts it, and reads its token; blocks.

Raises DaemonNotStarted or SecretsError.
"""

OnState = Callable[[DaemonState, str | None, str | None], Awaitable[None]]
"""Told `(state, daemon version, reason)` whenever the state changes."""


class DaemonLink:
    """One host's way to the daemon.

    Attributes:
        state: of the daemon, as far as this host knows.
        version: of the daemon, once known.
        generation: counts the daemons that this link has talked to.
    """

    def __init__(self, connect: Connect, on_state: OnState, state: DaemonState = "starting") -> None:
        self.state: DaemonState = state
        self.version: str | None = None
        self.generation = 0
        self._connect = connect
        self._on_state = on_state
        self._client: DaemonClient | None = None
        self._clients = AsyncExitStack()
        self._connecting = asyncio.Lock()
        self._failure: NativeError | None = None
        self._failures = Backoff()
        self._not_before = 0.0

    async def ready(self) -> DaemonClient:
        """The daemon, started if need be.

        Raises:
            NativeError: it is absent; asked again soon, it is not tried again but said again.
        """
        async with self._connecting:
            if self._client is not None:
                return self._client
            now = asyncio.get_running_loop().time()
            if self._failure is not None and now < self._not_before:
                raise self._failure
            if self.state != "up":
                await self._change("starting")
            try:
                access = await _aside(self._connect)
            except (DaemonNotStarted, SecretsError) as problem:
                log.warning("no daemon: %s", problem)
                self._failure = NativeError(Code.DAEMON_ABSENT, reason=problem)
                self._not_before = now + self._failures.next_s()
                await self._change("absent", str(problem))
                raise self._failure from problem
            # Earlier clients stay open to the end: a request of theirs may still be on its way to its error.
            client = DaemonClient(lambda: access.daemon, access.token)
            self._client = await self._clients.enter_async_context(client)
            self._failure = None
            self._failures.reset()
            self.generation += 1
            self.version = access.daemon.version
            await self._change("up")
            return self._client

    async def ask(self, request: Callable[[DaemonClient], Awaitable[T]], scan_id: str | None = None) -> T:
        """One request and its answer, over as many connections as it takes.

        Args:
            request: made anew for each attempt.
            scan_id: what it is about, for its error.

        Raises:
            NativeError: the daemon refuses, fails or stays away.
        """
        backoff = Backoff()
        while True:
            client = await self.ready()
            try:
                return await request(client)
            except DaemonLost as problem:
                await self._lost(client)
                if backoff.count >= MAX_ATTEMPTS:
                    raise NativeError(Code.DAEMON_FAILED, reason=problem) from problem
            except DaemonError as problem:
                if problem.status == 401:
                    # The token was rotated, or this is another daemon: look again, once.
                    await self._lost(client)
                passes = (problem.status == 401 and not backoff.count) or (
                    problem.status == 503 and backoff.count < MAX_ATTEMPTS
                )
                if not passes:
                    raise translate(problem, scan_id) from problem
            await backoff.sleep()

    async def events(
        self, scan_id: str, after: str | None
    ) -> AsyncGenerator[tuple[str | None, ScanEvent], None]:
        """The daemon's events about a scan that come after the one with the id `after`: `(id, event)`.

        Ends when the daemon ends the stream.

        Raises:
            DaemonLost: the connection broke.
            NativeError: the daemon refuses, or stays away.
        """
        client = await self.ready()
        try:
            async with aclosing(client.events(scan_id, after)) as events:
                async for event in events:
                    yield event
        except DaemonLost:
            await self._lost(client)
            raise
        except DaemonError as problem:
            if problem.status == 401:
                await self._lost(client)
            raise translate(problem, scan_id) from problem
        except ValueError as problem:  # what came is no event
            raise NativeError(Code.DAEMON_FAILED, reason=problem) from problem

    async def close(self) -> None:
        """Close all connections."""
        await self._clients.aclose()

    async def _lost(self, client: DaemonClient) -> None:
        """Forget a daemon that does not answer, so that the next request looks for one."""
        if self._client is client:
            self._client = None
            await self._change("starting")

    async def _change(self, state: DaemonState, reason: str | None = None) -> None:
        if state != self.state or reason:
            self.state = state
            await self._on_state(state, self.version if state == "up" else None, reason)


PUT_OFF = "urn:touchstone:problem:put-off"  # server.problems.Kind.PUT_OFF, which this may not import


def translate(problem: DaemonError, scan_id: str | None) -> NativeError:
    """What a refusal of the daemon means to the browser."""
    match problem.status:
        case 401:
            return NativeError(Code.TOKEN_REFUSED)
        case 404 if scan_id is not None:
            return NativeError(Code.SCAN_UNKNOWN, {"scan_id": scan_id}, scan_id=scan_id)
        case 429 | 503:
            seconds = problem.retry_after_s or DEFAULT_RETRY_S
            return NativeError(Code.DAEMON_BUSY, {"retry_after_s": seconds}, seconds=f"{seconds:g}")
        case 409 if problem.type == PUT_OFF:
            return NativeError(Code.SCAN_PUT_OFF, reason=problem)
        case status if status < 500:
            return NativeError(Code.DAEMON_REFUSED, reason=problem)
    return NativeError(Code.DAEMON_FAILED, reason=problem)


async def _aside(work: Connect) -> Access:
    """Run `work` on a thread that does not keep the process alive when the browser closes the port."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Access] = loop.create_future()

    def settle(access: Access | None, problem: Exception | None) -> None:
        if outcome.cancelled():
            return
        if access is not None:
            outcome.set_result(access)
        elif problem is not None:
            outcome.set_exception(problem)

    def run() -> None:
        access, problem = None, None
        try:
            access = work()
        except Exception as raised:  # noqa: BLE001 - carried over to the caller
            problem = raised
        with suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(settle, access, problem)

    threading.Thread(target=run, name="connect", daemon=True).start()
    return await outcome
