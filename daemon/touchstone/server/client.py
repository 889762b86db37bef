"""Talks to a running daemon: for the command line, and for programs that import Touchstone.

`DaemonClient.scan` is the pipeline's `scan`, over HTTP: the same arguments, the same events, the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError

from ..frame_batches import read_heads
from ..messages import say
from ..pipeline import OnEvent
from ..system.daemon_process import RunningDaemon
from ..verdict import Label, Scan
from ..wire import (
    AnySource,
    FileSource,
    FramesSource,
    Health,
    History,
    Problem,
    ScanEvent,
    ScanFeedback,
    ScanRequest,
    ScanState,
    UploadSource,
    VerdictReached,
)
from .client_problems import DaemonError, DaemonLost
from .event_stream import EventParser

__all__ = ["DaemonClient", "DaemonError", "DaemonLost"]

M = TypeVar("M", bound=BaseModel)

CONNECT_S = 5.0
ANSWER_S = 120.0
SILENCE_S = 60.0
"""A stream without even a heartbeat for this long is dead; the daemon sends one every 15 s."""

LOST_LIMIT_S = 30.0
"""How long a daemon may stay away, as when it is restarted, before its scan is given up."""

POLL_S = 0.25

PIECE_BYTES = 1 << 18
"""Read from a file at a time."""

_EVENT: TypeAdapter[ScanEvent] = TypeAdapter(ScanEvent)


async def _ignore(_: ScanEvent) -> None:
    return None


class DaemonClient:
    """One program's connection to the daemon. Use `async with`.

    Args:
        find: finds the daemon, which may be another one each time; blocks shortly. `daemon_process.find`.
        token: the bearer token.
        fresh: whether `scan` asks for a new answer where one is known.
        read_token: reads the token again, for when it was rotated; blocks shortly.
    """

    def __init__(
        self,
        find: Callable[[], RunningDaemon | None],
        token: str,
        *,
        fresh: bool = False,
        read_token: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._find = find
        self._token = token
        self._read_token = read_token
        self._rotated_at = float("-inf")
        self._fresh = fresh
        self._daemon: RunningDaemon | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Neither proxies from the environment nor cookies have any business between us and the daemon.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()

    # --- one request, one answer --------------------------------------------------------------------
    # All of them raise DaemonError when the daemon refuses and DaemonLost when there is none.

    async def health(self) -> Health:
        """How the daemon is."""
        return await self._call(Health, "GET", "/v1/health")

    async def submit(self, source: AnySource, *, fresh: bool = False, automatic: bool = False) -> ScanState:
        """Ask for a scan of an address or of a file of this computer. `automatic`: nobody asked for it."""
        body = ScanRequest(source=source, fresh=fresh, automatic=automatic).model_dump_json()
        return await self._call(
            ScanState, "POST", "/v1/scans", data=body, headers={"Content-Type": "application/json"}
        )

    async def upload(
        self, path: Path, about: UploadSource, *, fresh: bool = False, automatic: bool = False
    ) -> ScanState:
        """Ask for a scan of bytes that the daemon cannot read itself."""
        with path.open("rb") as file:
            form = aiohttp.FormData()
            form.add_field("source", about.model_dump_json(), content_type="application/json")
            form.add_field("file", file, filename=about.name or path.name)
            query = {"fresh": "true" if fresh else "false", "automatic": "true" if automatic else "false"}
            return await self._call(ScanState, "POST", "/v1/scans", data=form, params=query)

    async def frames(
        self, path: Path, about: FramesSource, size: int, *, fresh: bool = False, automatic: bool = False
    ) -> ScanState:
        """Ask for a scan of pictures: the first `size` bytes of a file of batches (frame_batches.py).

        Raises:
            BadBatch: the file is none. Beside that as all of them.
        """
        with path.open("rb") as file:
            heads = list(read_heads(file, size))
            ends = [at for _, at, _ in heads[1:]] + [size]
            state = await self.submit(about, fresh=fresh, automatic=automatic)
            where = f"/v1/scans/{state.id}/frames"
            try:
                for (_, start, _), end in zip(heads, ends, strict=True):
                    state = await self._call(
                        ScanState,
                        "POST",
                        where,
                        data=_stretch(file, start, end),
                        params={"last": "true" if end == ends[-1] else "false"},
                        headers={"Content-Type": "application/octet-stream"},
                    )
            except BaseException:
                with suppress(DaemonError, DaemonLost):
                    await self.forget(state.id)
                raise
        return state

    async def state(self, scan_id: str) -> ScanState:
        """A scan as far as it got."""
        return await self._call(ScanState, "GET", f"/v1/scans/{scan_id}")

    async def history(
        self,
        *,
        label: Label | None = None,
        text: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> History:
        """A page of the history, newest first."""
        query = {"label": label, "text": text, "before": before, "limit": limit}
        given = {name: str(value) for name, value in query.items() if value is not None}
        return await self._call(History, "GET", "/v1/scans", params=given)

    async def feedback(self, scan_id: str, feedback: ScanFeedback) -> None:
        """Say whether a verdict is right."""
        path, body = f"/v1/scans/{scan_id}/feedback", feedback.model_dump_json()
        async with self._request("POST", path, data=body, headers={"Content-Type": "application/json"}):
            return

    async def forget(self, scan_id: str) -> None:
        """Cancel a scan and forget it."""
        async with self._request("DELETE", f"/v1/scans/{scan_id}"):
            return

    # --- scans from end to end ----------------------------------------------------------------------

    async def scan(self, source: AnySource, on_event: OnEvent = _ignore) -> Scan:
        """Scan one source to its end, over restarts of the daemon.

        Raises:
            DaemonError: the daemon refused.
            DaemonLost: it went away and did not come back.
        """
        sent = source
        if isinstance(source, FileSource):
            # The daemon's working directory is another one.
            sent = FileSource(path=_absolute(source.path), fragments=[_absolute(f) for f in source.fragments])
        state = await self._patiently(lambda: self.submit(sent, fresh=self._fresh))
        scan = state.scan or await self._to_the_end(state.id, on_event)
        if isinstance(source, FileSource):
            scan = scan.model_copy(update={"source": scan.source.model_copy(update={"name": source.path})})
        if state.scan:
            await on_event(VerdictReached(scan=scan))
        return scan

    async def events(
        self, scan_id: str, after: str | None = None
    ) -> AsyncGenerator[tuple[str | None, ScanEvent], None]:
        """Events of a scan after the one with the id `after`, each with its id; ends when the stream does."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        path = f"/v1/scans/{scan_id}/events"
        async with self._request("GET", path, headers=headers, timeout=timeout) as response:
            parser = EventParser()
            async for piece in response.content.iter_any():
                for event in parser.feed(piece):
                    yield event.id, _EVENT.validate_json(event.data)

    async def _to_the_end(self, scan_id: str, on_event: OnEvent) -> Scan:
        last: str | None = None
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while loop.time() - heard < LOST_LIMIT_S:
            try:
                async for event_id, event in self.events(scan_id, last):
                    last, heard = event_id, loop.time()
                    await on_event(event)
                    if isinstance(event, VerdictReached):
                        return event.scan
            except DaemonLost:
                pass
            await asyncio.sleep(POLL_S)
        raise DaemonLost(say("server.client.lost"))

    async def _patiently(self, ask: Callable[[], Any]) -> ScanState:
        """Ask again for as long as the daemon says that it is busy, and until a stopped one is back."""
        loop = asyncio.get_running_loop()
        heard = loop.time()
        while True:
            try:
                state: ScanState = await ask()
            except DaemonError as problem:
                if problem.status == HTTPStatus.TOO_MANY_REQUESTS and problem.retry_after_s is not None:
                    heard = loop.time()
                    await asyncio.sleep(problem.retry_after_s)
                    continue
                if problem.status != HTTPStatus.SERVICE_UNAVAILABLE or loop.time() - heard > LOST_LIMIT_S:
                    raise
                self._daemon = None  # it ends: the next one may be at another port
            except DaemonLost:
                if loop.time() - heard > LOST_LIMIT_S:
                    raise
            else:
                return state
            await asyncio.sleep(POLL_S)

    # --- below --------------------------------------------------------------------------------------

    async def _call(self, model: type[M], method: str, path: str, **options: Any) -> M:
        async with self._request(method, path, **options) as response:
            return model.model_validate_json(await response.read())

    @asynccontextmanager
    async def _request(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise RuntimeError("use `async with`")
        self._daemon = self._daemon or await asyncio.to_thread(self._find)
        if self._daemon is None:
            raise DaemonLost(say("server.client.none"))
        headers = {**options.pop("headers", {}), "Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.request(
                method, self._daemon.base_url + path, allow_redirects=False, headers=headers, **options
            ) as response:
                if response.status == HTTPStatus.UNAUTHORIZED and await self._rotated():
                    raise DaemonLost(say("server.client.lost"))
                if response.status >= 400:
                    raise await _error(response)
                yield response
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as problem:
            self._daemon = None  # perhaps there is another one by now
            raise DaemonLost(say("server.client.lost")) from problem

    async def _rotated(self) -> bool:
        """Whether the token was replaced a moment ago: then another daemon takes this one's place, or has."""
        now = asyncio.get_running_loop().time()
        token = await asyncio.to_thread(self._read_token)
        if token is not None and token != self._token:
            self._token, self._rotated_at = token, now
        self._daemon = None
        return now - self._rotated_at < LOST_LIMIT_S


async def _error(response: aiohttp.ClientResponse) -> DaemonError:
    text = await response.text(errors="replace")
    after = response.headers.get("Retry-After", "")
    retry_after_s = float(after) if after.isascii() and after.isdecimal() else None
    try:
        problem = Problem.model_validate_json(text)
    except ValidationError:
        return DaemonError(response.status, f"{response.status} {response.reason}", None, retry_after_s)
    return DaemonError(response.status, problem.detail, problem.type, retry_after_s)


async def _stretch(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a file from `start` to `end`, piece by piece."""
    file.seek(start)
    while start < end and (piece := file.read(min(end - start, PIECE_BYTES))):
        start += len(piece)
        yield piece


def _absolute(path: str) -> str:
    return str(Path(path).absolute())
