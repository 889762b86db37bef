"""A daemon's HTTP side on a loopback port, with a scanner whose pace the test sets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from touchstone.calibration.in_force import InForce
from touchstone.pipeline import OnEvent
from touchstone.server.app import RUNNER_OPTIONS, make_app
from touchstone.server.guards import Access
from touchstone.server.serve import Daemon, listen, serve
from touchstone.server.services import SERVICES, Limits, Services
from touchstone.server.spool import Spool
from touchstone.settings import Settings
from touchstone.store import Store, StoreThread
from touchstone.system.paths import Paths
from touchstone.system.power import PowerState
from touchstone.verdict import Evidence, Label, Scan, Source, SourceKind, Supports, Verdict
from touchstone.wire import AnySource, EvidenceFound, Progress, VerdictReached, WorkerSandbox

TOKEN = "t" * 43
CHROMIUM_ID = "abcdefghijklmnopabcdefghijklmnop"
EDITION = "test"


SANDBOX = WorkerSandbox(
    examiners=["labels"],
    kind="landlock",
    complete=False,
    confined=["files", "memory"],
    missing={"network": "seccomp off: not in this kernel"},
)


@dataclass
class PacedScanner:
    """Stands in for the pipeline: finds one thing, waits for `go`, then answers.

    Attributes:
        go: set, so nothing waits, unless a test clears it.
        asked: the sources of all scans that ran, in order.
        stopped: ids of scans that were cancelled.
        failure: raised instead of answering.
    """

    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[AnySource] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    failure: BaseException | None = None
    finding: str = "a mark"
    label: Label = Label.AI_GENERATED

    async def scan(
        self,
        source: AnySource,
        on_event: OnEvent = lambda _: asyncio.sleep(0),
        scan_id: str | None = None,
        *,
        automatic: bool = False,
    ) -> Scan:
        self.asked.append(source)
        evidence = Evidence(examiner="labels", finding=self.finding, supports=Supports.AI)
        try:
            await on_event(Progress(stage="intake"))
            await on_event(EvidenceFound(evidence=evidence))
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped.append(scan_id or "")
            raise
        if self.failure:
            raise self.failure
        scan = Scan(
            id=scan_id or "none",
            source=Source(
                kind=SourceKind(source.kind),
                url=getattr(source, "url", None),
                name=getattr(source, "name", None),
                sha256="ab" * 32,
            ),
            verdict=Verdict(label=self.label, headline="Declared as AI-generated"),
            evidence=[evidence],
            checked=["labels"],
        )
        await on_event(VerdictReached(scan=scan))
        return scan

    def sandboxes(self) -> list[WorkerSandbox]:
        return [SANDBOX]


@dataclass
class Served:
    """A daemon's application on a port, and a client that carries the token."""

    port: int
    client: aiohttp.ClientSession
    scanner: Any
    services: Services
    runner: web.AppRunner

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(self, url: str = "https://video.example/a.mp4", **more: Any) -> dict[str, Any]:
        body = {"source": {"kind": "url", "url": url}, **more}
        async with self.client.post("/v1/scans", json=body) as response:
            assert response.status == 202, await response.text()
            answer: dict[str, Any] = await response.json()
            assert response.headers["Location"] == f"/v1/scans/{answer['id']}"
            return answer

    async def done(self, scan_id: str, within_s: float = 10) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while True:
                async with self.client.get(f"/v1/scans/{scan_id}") as response:
                    answer: dict[str, Any] = await response.json()
                if answer["state"] == "done":
                    return answer
                await asyncio.sleep(0.01)


async def eventually(holds: Callable[[], bool], within_s: float = 5) -> None:
    """Wait until something holds that no event tells of."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - there is nothing to wait for but the state itself
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serve_app(
    folder: Path,
    scanner: Any,
    settings: Settings | None = None,
    limits: Limits | None = None,
    edition: str = EDITION,
    calibration: Callable[[], InForce] | None = None,
    stop_grace_s: float = 0.1,
    power: Callable[[], PowerState] = PowerState,
    **runner_options: Any,
) -> AsyncIterator[Served]:
    """The real application on a free port."""
    settings = settings or Settings()
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(StoreThread(partial(Store, folder / "store.sqlite3")))
        listener, *others = listen(0)
        for other in others:
            other.close()
        port = listener.getsockname()[1]
        app = make_app(
            access=Access(TOKEN, port, frozenset({CHROMIUM_ID})),
            scanner=scanner,
            db=db,
            spool=Spool(
                folder / "spool", max_file_bytes=settings.max_bytes, max_total_bytes=4 * settings.max_bytes
            ),
            settings=settings,
            edition=edition,
            calibration=calibration,
            monotonic=asyncio.get_running_loop().time,
            limits=limits or Limits(heartbeat_s=0.2),
            stop_grace_s=stop_grace_s,
            power=power,
        )
        runner = web.AppRunner(app, shutdown_timeout=0.5, **{**RUNNER_OPTIONS, **runner_options})
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        client = await stack.enter_async_context(
            aiohttp.ClientSession(
                f"http://127.0.0.1:{port}",
                headers={"Authorization": f"Bearer {TOKEN}"},
                timeout=aiohttp.ClientTimeout(total=20),
            )
        )
        yield Served(port, client, scanner, app[SERVICES], runner)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running(paths: Paths, scanner: Any, *, token: str = TOKEN, **settings: Any) -> AsyncIterator[int]:
    """A daemon in this process; yields its port."""

    @asynccontextmanager
    async def open_scanner() -> AsyncIterator[Any]:
        yield scanner

    daemon = Daemon(
        paths=paths,
        settings=Settings(**{"port": free_port(), **settings}),
        token=token,
        chromium_ids=frozenset(),
        edition="test",
        open_scanner=open_scanner,
    )
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    task = asyncio.create_task(serve(daemon, ready.set_result, stop))
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield ready.result()
    finally:
        stop.set()
        await task
