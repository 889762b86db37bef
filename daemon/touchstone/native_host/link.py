"""The host's connection to the daemon: starts it, finds it again when it is gone, translates its problems."""

from __future__ import annotations

import asyncio
import json as json_text
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from ..system.daemon_process import DaemonNotStarted, RunningDaemon
from ..system.secrets import SecretsError
from .backoff import Backoff
from .problems import Code, NativeError
from .sse import EventParser

log = logging.getLogger(__name__)

CONNECT_S = 5.0
# For an answer to a request; an upload of the largest size to a busy disk takes the longest.
ANSWER_S = 120.0
# The daemon sends a heartbeat on every event stream (docs/api.md); three missed ones are a dead daemon.
SILENCE_S = 60.0
# Requests give up sooner than followers: the page is waiting for them.
MAX_ATTEMPTS = 6
ERROR_TEXT_LIMIT = 2000


class DaemonLost(Exception):
    """The connection broke; the daemon may be gone, or about to be started again."""


@dataclass(frozen=True)
class Access:
    """What it takes to talk to a daemon."""

    daemon: RunningDaemon
    token: str

    def __repr__(self) -> str:
        return f"Access({self.daemon!r})"


Connect = Callable[[], Access]
"""Finds the daemon or starts it, and reads its token; blocks.

Raises DaemonNotStarted or SecretsError.
"""

OnState = Callable[[str, str | None, str | None], Awaitable[None]]
"""Told `(state, daemon version, reason)` whenever the state changes."""


class DaemonLink:
    """One host's way to the daemon.

    Attributes:
        state: `up`, `starting` or `absent`.
        version: of the daemon, once known.
        generation: counts the daemons that this link has talked to.
    """

    def __init__(self, connect: Connect, on_state: OnState, state: str = "starting") -> None:
        self.state = state
        self.version: str | None = None
        self.generation = 0
        self._connect = connect
        self._on_state = on_state
        self._access: Access | None = None
        self._session: aiohttp.ClientSession | None = None
        self._connecting = asyncio.Lock()
        self._failure: NativeError | None = None
        self._failures = Backoff()
        self._not_before = 0.0

    async def ready(self) -> Access:
        """The daemon, started if need be.

        Raises:
            NativeError: it is absent; asked again soon, it is not tried again but said again.
        """
        async with self._connecting:
            if self._access is not None:
                return self._access
            now = asyncio.get_running_loop().time()
            if self._failure is not None and now < self._not_before:
                raise self._failure
            if self.state != "up":
                await self._change("starting")
            try:
                self._access = await _aside(self._connect)
            except (DaemonNotStarted, SecretsError) as problem:
                log.warning("no daemon: %s", problem)
                self._failure = NativeError(Code.DAEMON_ABSENT, reason=problem)
                self._not_before = now + self._failures.next_s()
                await self._change("absent", str(problem))
                raise self._failure from problem
            self._failure = None
            self._failures.reset()
            self.generation += 1
            self.version = self._access.daemon.version
            await self._change("up")
            return self._access

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        scan_id: str | None = None,
    ) -> Any:
        """One request and its answer, over as many connections as it takes.

        Args:
            method, path: of the API.
            json: body.
            form: instead, makes the body, anew for every attempt since one uses it up.
            scan_id: what the request is about, for its error.

        Raises:
            NativeError: the daemon refuses, fails or stays away.
        """
        backoff = Backoff()
        while True:
            body = form() if form else None
            try:
                async with self._request(method, path, scan_id, json=json, data=body) as response:
                    return None if response.status == 204 else await response.json(content_type=None)
            except DaemonLost as problem:
                if backoff.count >= MAX_ATTEMPTS:
                    raise NativeError(Code.DAEMON_FAILED, reason=problem) from problem
            except NativeError as problem:
                # The first refusal may mean no more than that the token was rotated; it is read again now.
                if problem.code is not Code.TOKEN_REFUSED or backoff.count:
                    raise
            await backoff.sleep()

    async def events(
        self, scan_id: str, after: str | None
    ) -> AsyncGenerator[tuple[str | None, dict[str, Any]], None]:
        """The daemon's events about a scan that come after the one with the id `after`: `(id, event)`.

        Ends when the daemon ends the stream.

        Raises:
            DaemonLost: the connection broke.
            NativeError: the daemon refuses, or stays away.
        """
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        # A silent stream is dead; a long one is not.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        path = f"/v1/scans/{scan_id}/events"
        async with self._request("GET", path, scan_id, headers=headers, timeout=timeout) as response:
            parser = EventParser()
            async for piece in response.content.iter_any():
                try:
                    found = [(event.id, event.json()) for event in parser.feed(piece)]
                except ValueError as problem:
                    raise NativeError(Code.DAEMON_FAILED, reason=problem) from problem
                for event in found:
                    yield event

    def lost(self, access: Access) -> None:
        """Forget a daemon that does not answer, so that the next request looks for one."""
        if self._access is access:
            self._access = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, scan_id: str | None, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        access = await self.ready()
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S)
            # Neither proxies from the environment nor cookies have any business between us and the daemon.
            self._session = aiohttp.ClientSession(
                timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        headers = {"Authorization": f"Bearer {access.token}", **options.pop("headers", {})}
        url = access.daemon.base_url + path
        try:
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False, **options
            ) as response:
                if response.status == 401:
                    # The token was rotated, or the daemon is another one than we knew.
                    self.lost(access)
                if response.status >= 400:
                    raise await _problem(response, scan_id)
                yield response
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as problem:
            self.lost(access)
            raise DaemonLost(str(problem) or type(problem).__name__) from problem

    async def _change(self, state: str, reason: str | None = None) -> None:
        if state != self.state or reason:
            self.state = state
            await self._on_state(state, self.version if state == "up" else None, reason)


async def _aside(work: Callable[[], Access]) -> Access:
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


async def _problem(response: aiohttp.ClientResponse, scan_id: str | None) -> Exception:
    """What an error answer of the daemon means to the browser. 503 is a daemon on its way out."""
    text = (await response.content.read(ERROR_TEXT_LIMIT * 4)).decode("utf-8", "replace")
    reason = _detail(text) or f"{response.status} {response.reason}"
    match response.status:
        case 401:
            return NativeError(Code.TOKEN_REFUSED)
        case 404 if scan_id is not None:
            return NativeError(Code.SCAN_UNKNOWN, {"scan_id": scan_id}, scan_id=scan_id)
        case 429:
            seconds = _seconds(response.headers.get("Retry-After"))
            return NativeError(Code.DAEMON_BUSY, {"retry_after_s": seconds}, seconds=f"{seconds:g}")
        case 503:
            return DaemonLost(reason)
        case status if status < 500:
            return NativeError(Code.DAEMON_REFUSED, reason=reason)
    return NativeError(Code.DAEMON_FAILED, reason=reason)


def _detail(text: str) -> str | None:
    """The sentence in RFC 9457 problem details."""
    try:
        answer = json_text.loads(text)
    except ValueError:
        return None
    return str(answer["detail"]) if isinstance(answer, dict) and "detail" in answer else None


def _seconds(retry_after: str | None) -> float:
    """`Retry-After` as seconds; our daemon sends no dates."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdecimal() else 1.0
