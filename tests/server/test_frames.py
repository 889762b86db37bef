"""Scans of frames over the API: opened, filled batch by batch, started; refused, dropped, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser_frames import HEIGHT, WIDTH, batch, clip, picture
from server.daemons import PacedScanner, Served, eventually
from touchstone.engine import open_pipeline
from touchstone.frame_batches import LENGTH, encode_head
from touchstone.intake.uploads import ReceivedFrames
from touchstone.server.client import DaemonClient
from touchstone.server.services import Limits
from touchstone.settings import Settings
from touchstone.system.daemon_process import RunningDaemon
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.wire import FrameBatch, FramesSource

OCTETS = {"Content-Type": "application/octet-stream"}
SOURCE = {"kind": "frames", "width": WIDTH, "height": HEIGHT, "page_url": "https://video.example/watch"}
SMALL = {**SOURCE, "width": 16, "height": 16}


def small(run: int, form: str = "I420", **more: Any) -> bytes:
    head = FrameBatch(run=run, width=16, height=16, format=form, times_s=[run, run + 0.04], **more)  # type: ignore[arg-type]
    return encode_head(head) + bytes([run + 1]) * (2 * (16 * 16 * 3 // 2))


async def opened(served: Served, source: dict[str, Any] = SMALL) -> str:
    async with served.client.post("/v1/scans", json={"source": source}) as response:
        answer = await response.json()
        assert (response.status, answer["state"]) == (202, "receiving"), answer
        assert response.headers["Location"] == f"/v1/scans/{answer['id']}"
        return str(answer["id"])


async def add(served: Served, scan_id: str, body: bytes, **query: str) -> tuple[int, dict[str, Any]]:
    where = f"/v1/scans/{scan_id}/frames"
    async with served.client.post(where, data=body, params=query, headers=OCTETS) as response:
        return response.status, await response.json()


def spooled(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "spool").iterdir())


async def test_a_marked_clip_is_found_through_the_api(
    environment: dict[str, str], home: Path, tmp_path: Path, serving: Callable[..., Any]
) -> None:
    env = Environment(Paths.under(home / "touchstone"), home, "linux", environment)
    async with open_pipeline(env, Settings()) as pipeline, serving(scanner=pipeline) as served:
        scan_id = await opened(served, SOURCE)
        first, last = clip(marked=True, runs=2)
        assert await add(served, scan_id, first) == (202, await of(served, scan_id))
        status, answer = await add(served, scan_id, last, last="true")
        assert (status, answer["id"]) == (202, scan_id)
        assert answer["state"] in ("queued", "running")
        scan = (await served.done(scan_id, within_s=60))["scan"]
    assert scan["source"]["kind"] == "frames"
    assert (scan["verdict"]["label"], scan["verdict"]["basis"]) == ("ai_generated", "watermark")
    assert "watermarks" in scan["checked"]
    assert scan["skipped"]["labels"] == "The browser could hand over pictures only, not the file."
    marks = [e for e in scan["evidence"] if e["examiner"] == "watermarks"]
    assert [mark["details"]["message_name"] for mark in marks] == ["sdxl"]
    assert spooled(tmp_path) == []


async def of(served: Served, scan_id: str) -> dict[str, Any]:
    async with served.client.get(f"/v1/scans/{scan_id}") as response:
        return dict(await response.json())


async def test_the_last_may_come_without_frames(
    served: Served, scanner: PacedScanner, tmp_path: Path
) -> None:
    scan_id = await opened(served)
    for run in range(3):
        assert (await add(served, scan_id, small(run)))[1]["state"] == "receiving"
    status, answer = await add(served, scan_id, b"", last="true")
    assert (status, answer["id"]) == (202, scan_id)
    await served.done(scan_id)
    (source,) = scanner.asked
    assert isinstance(source, ReceivedFrames)
    await eventually(lambda: spooled(tmp_path) == [])


JSON = LENGTH.pack(2) + b"{}"
REFUSED: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 400, "cut off"),
    "no head": (b"\0\0\0", 400, "cut off"),
    "an endless head": (b"\xff" * 100, 400, "head of a batch"),
    "a head without fields": (JSON, 400, "run"),
    "another format": (small(0).replace(b"I420", b"I4CC"), 400, "format"),
    "times that fall": (small(0).replace(b"0.04", b"0.00"), 400, "times_s"),
    "another size": (batch(0, [picture(marked=False)]), 400, "1024 by 576"),
    "a run too soon": (small(2), 400, "run 2 came, but 1 is next"),
    "a run that came": (small(0), 400, "run 0 came, but 1 is next"),
    "a short body": (small(1)[:-1], 400, "announces"),
    "a long body": (small(1) + b"x", 400, "announces"),
}


async def test_what_is_refused_leaves_the_scan_as_it_was(served: Served, scanner: PacedScanner) -> None:
    scan_id = await opened(served)
    assert (await add(served, scan_id, small(0)))[0] == 202
    for what, (body, status, why) in REFUSED.items():
        got, problem = await add(served, scan_id, body)
        assert (got, what) == (status, what), problem
        assert why in problem["detail"], what
    status, answer = await add(served, scan_id, small(1), last="true")
    assert status == 202
    await served.done(answer["id"])


async def test_a_batch_that_breaks_off_ends_the_scan(served: Served, tmp_path: Path) -> None:
    scan_id = await opened(served)

    async def half() -> Any:
        yield small(0)[:200]

    where = f"/v1/scans/{scan_id}/frames"
    async with served.client.post(where, data=half(), headers=OCTETS) as response:
        assert response.status == 400
    assert (await add(served, scan_id, small(0)))[0] == 404
    assert spooled(tmp_path) == []


async def test_limits(serving: Callable[..., Any], tmp_path: Path) -> None:
    limits = Limits(frames_bytes=1500, frames_idle_s=0.3)
    async with serving(limits=limits) as served:
        scan_id = await opened(served)
        assert (await add(served, scan_id, small(0)))[0] == 202
        status, problem = await add(served, scan_id, small(1))
        assert (status, problem["type"]) == (413, "urn:touchstone:problem:too-large")
        assert len(spooled(tmp_path)) == 1
        await eventually(lambda: spooled(tmp_path) == [])
        assert (await add(served, scan_id, small(1)))[0] == 404
        for _ in range(8):
            await opened(served)
        async with served.client.post("/v1/scans", json={"source": SMALL}) as response:
            assert response.status == 429


async def test_delete_and_nothing_to_start(served: Served, tmp_path: Path) -> None:
    scan_id = await opened(served)
    assert (await add(served, scan_id, b"", last="true"))[0] == 400
    assert (await add(served, scan_id, small(0)))[0] == 202
    async with served.client.delete(f"/v1/scans/{scan_id}") as response:
        assert response.status == 204
    assert spooled(tmp_path) == []
    assert (await add(served, scan_id, small(1)))[0] == 404
    async with served.client.delete(f"/v1/scans/{scan_id}") as response:
        assert response.status == 404


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data", None])
async def test_frames_come_as_octets_only(served: Served, content_type: str | None) -> None:
    scan_id = await opened(served)
    headers = {"Content-Type": content_type} if content_type else {}
    skip = () if content_type else ("Content-Type",)
    where = f"/v1/scans/{scan_id}/frames"
    async with served.client.post(where, data=small(0), headers=headers, skip_auto_headers=skip) as response:
        assert response.status == 415
        assert "application/octet-stream" in (await response.json())["detail"]


async def test_a_daemon_takes_started_scans_of_frames_up_again(
    serving: Callable[..., Any], scanner: PacedScanner
) -> None:
    scanner.go.clear()
    async with serving() as served:
        scan_id = await opened(served)
        assert (await add(served, scan_id, small(0), last="true"))[0] == 202
        await eventually(lambda: len(scanner.asked) == 1)
    scanner.go.set()
    async with serving() as served:
        assert (await served.done(scan_id))["scan"]["source"]["kind"] == "frames"
    assert all(isinstance(source, ReceivedFrames) for source in scanner.asked)


async def test_the_client_sends_a_file_of_batches(
    served: Served, scanner: PacedScanner, tmp_path: Path
) -> None:
    path = tmp_path / "batches"
    path.write_bytes(small(0) + small(1, "NV12") + small(2))
    daemon = RunningDaemon(pid=1, port=served.port, version="0", started_at=0)
    async with DaemonClient(lambda: daemon, "t" * 43) as client:
        state = await client.frames(path, FramesSource(width=16, height=16), path.stat().st_size)
        await served.done(state.id)
    (source,) = scanner.asked
    assert source.kind == "frames"
    assert json.loads(source.model_dump_json())["width"] == 16
    assert not Paths.under(tmp_path).daemon_file.exists()
