"""The client: the pipeline's `scan` over HTTP, also over restarts of the daemon."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.daemons import TOKEN, PacedScanner, eventually, running
from touchstone.server.client import DaemonClient, DaemonError, DaemonLost
from touchstone.system import daemon_process
from touchstone.system.paths import Paths
from touchstone.wire import FileSource, UploadSource, UrlSource


@pytest.fixture
def client_of() -> Callable[..., DaemonClient]:
    """A client that finds the daemon by its runtime file, as all do."""

    def make(paths: Paths, token: str = TOKEN, **options: Any) -> DaemonClient:
        return DaemonClient(partial(daemon_process.find, paths), token, **options)

    return make


async def test_a_client_scans_as_the_pipeline_does(
    paths: Paths, scanner: PacedScanner, client_of: Any, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"video")
    relative = os.path.relpath(clip)  # noqa: ASYNC240 - no disk is touched
    absolute = Path(relative).absolute()  # noqa: ASYNC240
    events: list[str] = []

    async def on_event(event: Any) -> None:
        events.append(event.type)

    async with running(paths, scanner), client_of(paths) as client:
        scan = await client.scan(UrlSource(url="https://video.example/a.mp4"), on_event)
        assert scan.verdict.label.value == "ai_generated"
        assert events == ["progress", "progress", "evidence", "verdict"]
        known = await client.scan(UrlSource(url="https://video.example/a.mp4"), on_event)
        assert known == scan and events[4:] == ["verdict"]
        scan = await client.scan(FileSource(path=relative))
        assert scan.source.name == relative
        assert scanner.asked[-1] == FileSource(path=str(absolute))
        state = await client.upload(clip, UploadSource(page_url="https://page.example/"))
        assert state.page_url == "https://page.example/"
        assert [found.id for found in (await client.history(limit=1)).scans] == [state.id]
        await client.forget(state.id)
        with pytest.raises(DaemonError, match=state.id) as problem:
            await client.state(state.id)
        assert (problem.value.status, problem.value.type) == (404, "urn:touchstone:problem:unknown-scan")


async def test_a_client_waits_for_a_daemon_that_is_started_again(
    paths: Paths, scanner: PacedScanner, client_of: Any
) -> None:
    scanner.go.clear()
    async with client_of(paths) as client:
        async with running(paths, scanner):
            scan = asyncio.create_task(client.scan(UrlSource(url="https://video.example/a.mp4")))
            await eventually(lambda: len(scanner.asked) == 1)
            stopping = time.monotonic()
        assert time.monotonic() - stopping < 8
        scanner.go.set()
        async with running(paths, scanner):
            assert (await asyncio.wait_for(scan, 20)).verdict.label.value == "ai_generated"


async def test_a_scan_outlives_a_token_that_is_rotated(
    paths: Paths, scanner: PacedScanner, client_of: Any
) -> None:
    """The daemon starts again with the new token while a client follows a scan with the old one."""
    scanner.go.clear()
    current = [TOKEN]
    async with client_of(paths, read_token=lambda: current[0]) as client:
        async with running(paths, scanner):
            scan = asyncio.create_task(client.scan(UrlSource(url="https://video.example/a.mp4")))
            await eventually(lambda: len(scanner.asked) == 1)
            current[0] = "n" * 43
        async with running(paths, scanner, token=current[0]):
            await eventually(lambda: len(scanner.asked) == 2)
            scanner.go.set()
            assert (await scan).verdict.label.value == "ai_generated"
            assert (await client.health()).version


async def test_a_token_that_was_not_rotated_is_refused_at_once(
    paths: Paths, scanner: PacedScanner, client_of: Any
) -> None:
    async with running(paths, scanner), client_of(paths, "x" * 43, read_token=lambda: "x" * 43) as client:
        with pytest.raises(DaemonError) as problem:
            await client.scan(UrlSource(url="https://video.example/a.mp4"))
    assert problem.value.status == 401


async def test_a_scan_that_is_asked_for_while_the_daemon_is_started_again_is_not_lost(
    paths: Paths, scanner: PacedScanner, client_of: Any
) -> None:
    """`touchstone scan` of a folder ended with an error when the daemon was restarted in its middle."""
    async with client_of(paths) as client:
        async with running(paths, scanner):
            await client.health()
        scan = asyncio.create_task(client.scan(UrlSource(url="https://video.example/a.mp4")))
        await asyncio.sleep(0.5)
        assert not scan.done()
        async with running(paths, scanner):
            assert (await asyncio.wait_for(scan, 20)).verdict.label.value == "ai_generated"


async def test_a_client_of_a_busy_daemon_comes_back(
    paths: Paths, scanner: PacedScanner, client_of: Any
) -> None:
    async with (
        running(paths, scanner, concurrency=1, queue_limit=1, reuse_hours=0),
        client_of(paths) as client,
    ):
        sources = [UrlSource(url=f"https://video.example/{number}.mp4") for number in range(4)]
        scans = await asyncio.gather(*map(client.scan, sources))
        assert [scan.source.url for scan in scans] == [source.url for source in sources]


async def test_a_client_says_what_is_wrong(paths: Paths, scanner: PacedScanner, client_of: Any) -> None:
    async with client_of(paths) as client:
        with pytest.raises(DaemonLost, match="touchstone serve"):
            await client.health()
    async with running(paths, scanner), client_of(paths, token="wrong") as client:
        with pytest.raises(DaemonError, match="touchstone token show"):
            await client.submit(UrlSource(url="https://video.example/a.mp4"))
