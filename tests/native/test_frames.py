"""Pictures over a port: chunk by chunk, scanned while more may come, and read by the real daemon."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from typing import Any

from browser_frames import HEIGHT, WIDTH, clip
from touchstone.frame_batches import encode_head
from touchstone.native_host.uploads import CHUNK_BYTES
from touchstone.system.daemon_process import RunningDaemon, find_or_start
from touchstone.system.paths import Paths
from touchstone.wire import FrameBatch

from .conftest import WAIT_S, OpenPort, Port
from .test_scans import begin, chunk, end

START_S = 60.0


def batch(run: int, form: str = "I420") -> bytes:
    head = FrameBatch(run=run, width=2, height=2, format=form, times_s=[run, run + 0.04, run + 0.08])  # type: ignore[arg-type]
    return encode_head(head) + bytes([run] * 18)


def scan_so_far(upload_id: str, chunks: int) -> dict[str, Any]:
    return {
        "type": "upload_scan",
        "request": f"s-{upload_id}-{chunks}",
        "upload_id": upload_id,
        "chunks": chunks,
    }


def frames(width: int = 2, height: int = 2) -> dict[str, Any]:
    return {"width": width, "height": height, "duration_s": 10.0}


async def send(port: Port, upload_id: str, content: bytes, seq: int = 0) -> int:
    """Send chunks; returns the number of the next one."""
    for at in range(0, len(content), CHUNK_BYTES):
        assert (await port.ask(chunk(upload_id, seq, content[at : at + CHUNK_BYTES])))["type"] == "upload_ack"
        seq += 1
    return seq


async def verdict(port: Port, answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["type"] == "accepted", answer
    return dict((await port.until("result", scan_id=answer["scan_id"]))["scan"])


async def test_what_has_come_is_scanned_and_then_all_of_it(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], paths: Paths
) -> None:
    start_daemon()
    port = await open_port()
    assert (await port.ask(begin("f", frames=frames())))["type"] == "upload_ack"
    first, second = batch(0), batch(1)
    seq = await send(port, "f", first)
    so_far = await verdict(port, await port.ask(scan_so_far("f", seq)))
    seq = await send(port, "f", second, seq)
    whole = await verdict(port, await port.ask(end("f", seq)))
    for scan, content in ((so_far, first), (whole, first + second)):
        assert scan["source"]["kind"] == "frames"
        assert scan["source"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert await port.close() == 0
    assert list((paths.cache_dir / "native-host").iterdir()) == []


async def test_an_upload_that_is_aborted_does_not_take_its_scan_along(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], paths: Paths
) -> None:
    start_daemon()
    port = await open_port()
    await port.ask(begin("f", frames=frames()))
    answer = await port.ask(scan_so_far("f", await send(port, "f", batch(0))))
    abort = {"type": "upload_abort", "request": "x", "upload_id": "f"}
    assert (await port.ask(abort))["type"] in ("upload_aborted", "result")
    assert answer["type"] == "accepted"
    assert await port.close() == 0
    assert list((paths.cache_dir / "native-host").iterdir()) == []


async def test_refusals_name_what_is_wrong_and_leave_the_upload_open(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    start_daemon()
    port = await open_port()
    await port.ask(begin("file"))
    await port.ask(begin("f", frames=frames()))
    half = batch(0)[:-1]
    steps = [
        (scan_so_far("none", 0), "upload_unknown", "none"),
        (scan_so_far("file", 0), "upload_not_frames", "begun as a file"),
        (scan_so_far("f", 0), "upload_not_frames", "no pictures"),
        (chunk("f", 0, half), None, ""),
        (scan_so_far("f", 1), "upload_not_frames", "cut off"),
        (end("f", 1), "upload_not_frames", "cut off"),
        (chunk("f", 1, batch(0)[-1:]), None, ""),
    ]
    for message, name, why in steps:
        answer = await port.ask(message)
        assert answer.get("name") == name, answer
        assert why in answer.get("message", "")
    await verdict(port, await port.ask(end("f", 2)))
    # Pictures of another size than announced are refused by the daemon, in its words.
    await port.ask(begin("g", frames=frames(width=4)))
    answer = await port.ask(end("g", await send(port, "g", batch(0))))
    assert answer["name"] == "daemon_refused"
    assert "2 by 2" in answer["message"]


async def test_files_and_pictures_do_not_take_each_others_places(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    start_daemon()
    port = await open_port()
    for number in range(4):
        await port.ask(begin(f"f{number}", frames=frames()))
    assert (await port.ask(begin("f4", frames=frames())))["name"] == "too_many_uploads"
    assert (await port.ask(begin("file")))["type"] == "upload_ack"


async def test_a_mark_in_pictures_is_read_by_the_real_daemon(
    open_port: OpenPort, paths: Paths, host_environment: dict[str, str]
) -> None:
    find_or_start(paths, (sys.executable, "-m", "touchstone"), host_environment, START_S)
    port = await open_port()
    about = frames(WIDTH, HEIGHT)
    await port.ask(begin("f", frames=about, page_url="https://video.example/watch"))
    content = b"".join(clip(marked=True, runs=2))
    answer = await port.ask(end("f", await send(port, "f", content)))
    assert answer["type"] == "accepted", answer
    found = await port.until("evidence", scan_id=answer["scan_id"])
    assert found["evidence"]["details"]["message_name"] == "sdxl"
    scan = (await port.until("result", scan_id=answer["scan_id"]))["scan"]
    assert (scan["verdict"]["label"], scan["verdict"]["basis"]) == ("ai_generated", "watermark")
    assert scan["took_ms"] / 1000 < WAIT_S
