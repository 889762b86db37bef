"""A daemon that stops, dies or is started again loses no scan."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.daemons import PacedScanner, eventually
from touchstone.server.scans import MAX_ATTEMPTS
from touchstone.settings import Settings
from touchstone.store import Store
from touchstone.wire import UploadSource, UrlSource


async def test_running_and_waiting_scans_are_taken_up_again(
    serving: Any, scanner: PacedScanner, read_events: Any
) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(concurrency=1)) as served:
        running = await served.ask("https://video.example/1.mp4")
        waiting = await served.ask("https://video.example/2.mp4")
        await eventually(lambda: len(scanner.asked) == 1)
        async with served.client.get(f"/v1/scans/{running['id']}/events") as response:
            seen = await read_events(response, most=3)
    assert scanner.stopped == [running["id"]]
    scanner.go.set()
    async with serving(settings=Settings(concurrency=1)) as served:
        for scan in (running, waiting):
            done = await served.done(scan["id"])
            assert done["scan"]["verdict"]["label"] == "ai_generated"
            assert done["created_at"] == scan["created_at"]
        # Who followed before the restart is told everything anew.
        headers = {"Last-Event-ID": seen[-1]["id"]}
        async with served.client.get(f"/v1/scans/{running['id']}/events", headers=headers) as response:
            events = await read_events(response)
        assert [event["event"] for event in events] == ["progress", "progress", "evidence", "verdict"]


async def test_a_scan_that_can_end_in_time_does(
    serving: Any, scanner: PacedScanner, read_events: Any
) -> None:
    scanner.go.clear()
    async with serving(stop_grace_s=5) as served:
        scan_id = (await served.ask())["id"]
        await eventually(lambda: len(scanner.asked) == 1)
        response = await served.client.get(f"/v1/scans/{scan_id}/events")
        following = asyncio.ensure_future(read_events(response))
        await asyncio.sleep(0.05)
        asyncio.get_running_loop().call_later(0.2, scanner.go.set)
        await served.runner.cleanup()
        # Who follows still gets the verdict.
        assert (await following)[-1]["event"] == "verdict"
    assert scanner.stopped == []


async def test_a_stopping_daemon_takes_nothing_more(serving: Any, scanner: PacedScanner) -> None:
    scanner.go.clear()
    async with serving(stop_grace_s=5) as served:
        await served.ask()
        await eventually(lambda: len(scanner.asked) == 1)
        closing = asyncio.ensure_future(served.services.scans.close(5))
        await asyncio.sleep(0.05)
        body = {"source": {"kind": "url", "url": "https://video.example/other.mp4"}}
        async with served.client.post("/v1/scans", json=body) as response:
            assert response.status == 503
            assert (await response.json())["type"] == "urn:touchstone:problem:stopping"
        async with served.client.get("/v1/health") as response:
            assert (await response.json())["status"] == "stopping"
        scanner.go.set()
        await closing


def crashed(folder: Path, attempts: int, source: UrlSource | UploadSource) -> str:
    """What a daemon leaves behind that is killed in the middle of a scan, for the n-th time."""
    with Store(folder / "store.sqlite3") as store:
        store.add("feed" * 8, source)
        for _ in range(attempts):
            store.start("feed" * 8)
    return "feed" * 8


@pytest.mark.parametrize("attempts", range(1, MAX_ATTEMPTS + 1))
async def test_a_scan_that_kills_the_daemon_is_given_up(
    serving: Any, scanner: PacedScanner, tmp_path: Path, attempts: int
) -> None:
    scan_id = crashed(tmp_path, attempts, UrlSource(url="https://video.example/evil.mp4"))
    async with serving() as served:
        done = await served.done(scan_id)
    if attempts < MAX_ATTEMPTS:
        assert done["scan"]["verdict"]["label"] == "ai_generated"
    else:
        assert done["scan"]["verdict"]["label"] == "unreadable"
        assert "stopped 3 times" in done["scan"]["verdict"]["headline"]
        assert not scanner.asked


async def test_an_upload_outlives_the_daemon(serving: Any, scanner: PacedScanner, tmp_path: Path) -> None:
    scanner.go.clear()
    async with serving() as served:
        form = aiohttp.FormData()
        form.add_field("file", b"video bytes", filename="a.mp4")
        async with served.client.post("/v1/scans", data=form) as response:
            scan_id = (await response.json())["id"]
    scanner.go.set()
    seen: list[bytes] = []

    class Reading(PacedScanner):
        async def scan(self, source: Any, *args: Any, **kwargs: Any) -> Any:
            seen.append(source.path.read_bytes())
            return await scanner.scan(source, *args, **kwargs)

    async with serving(scanner=Reading()) as served:
        await served.done(scan_id)
    assert seen == [b"video bytes"]
    assert list((tmp_path / "spool").iterdir()) == []


async def test_uploads_that_nobody_waits_for_are_swept_away(serving: Any, tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o700)
    (tmp_path / "spool" / "left-over.upload").write_bytes(b"half an upload")
    async with serving():
        assert list((tmp_path / "spool").iterdir()) == []


async def test_history_is_pruned_as_scans_end(serving: Any) -> None:
    async with serving(settings=Settings(history_limit=2)) as served:
        for number in range(4):
            await served.done((await served.ask(f"https://video.example/{number}.mp4"))["id"])
        page = await served.services.db.do(Store.history)
        await eventually(lambda: served.services.scans.running == 0)
        page = await served.services.db.do(Store.history)
    assert [scan.url[-5] for scan in page.scans] == ["3", "2"]
