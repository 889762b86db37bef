"""Scans over a port: uploads, and what must not be lost when a part of Touchstone dies."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from touchstone.native_host.uploads import CHUNK_BYTES
from touchstone.system.daemon_process import RunningDaemon
from touchstone.system.paths import Paths

from .conftest import OpenPort, Port, end_daemon

StartDaemon = Callable[[], RunningDaemon]


def scan(name: str, request: str = "scan") -> dict[str, Any]:
    source = {"kind": "url", "url": f"https://media.example/{name}"}
    return {"type": "scan", "request": request, "source": source}


def begin(upload_id: str, name: str = "clip.mp4", **more: object) -> dict[str, Any]:
    return {"type": "upload_begin", "request": f"b-{upload_id}", "upload_id": upload_id, "name": name, **more}


def chunk(upload_id: str, seq: int, data: bytes | str) -> dict[str, Any]:
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    return {
        "type": "upload_chunk",
        "request": f"c-{upload_id}-{seq}",
        "upload_id": upload_id,
        "seq": seq,
        "data": text,
    }


def end(upload_id: str, chunks: int) -> dict[str, Any]:
    return {"type": "upload_end", "request": f"e-{upload_id}", "upload_id": upload_id, "chunks": chunks}


async def upload(port: Port, upload_id: str, content: bytes, name: str = "clip.mp4") -> str:
    """Upload in chunks as large as may be and return the id of the scan."""
    assert (await port.ask(begin(upload_id, name, size=len(content))))["type"] == "upload_ack"
    pieces = [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
    for seq, piece in enumerate(pieces):
        ack = await port.ask(chunk(upload_id, seq, piece))
        assert (ack["type"], ack["next_seq"]) == ("upload_ack", seq + 1)
    accepted = await port.ask(end(upload_id, len(pieces)))
    assert accepted["type"] == "accepted"
    return str(accepted["scan_id"])


async def test_an_upload_arrives_bit_for_bit_and_leaves_nothing_behind(
    open_port: OpenPort, start_daemon: StartDaemon, paths: Paths
) -> None:
    start_daemon()
    port = await open_port()
    content = random.Random(7).randbytes(3 * CHUNK_BYTES + 4321)
    scan_id = await upload(port, "u1", content)
    result = await port.until("result", scan_id=scan_id)
    assert result["scan"]["source"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert await port.close() == 0
    assert list((paths.cache_dir / "native-host").iterdir()) == []


async def test_two_uploads_may_be_mixed(open_port: OpenPort, start_daemon: StartDaemon) -> None:
    start_daemon()
    port = await open_port()
    for name in ("a", "b"):
        await port.ask(begin(name))
    for seq in range(3):
        for name in ("a", "b"):
            await port.ask(chunk(name, seq, name.encode() * (seq + 1)))
    for name in ("a", "b"):
        scan_id = (await port.ask(end(name, 3)))["scan_id"]
        result = await port.until("result", scan_id=scan_id)
        assert result["scan"]["source"]["sha256"] == hashlib.sha256(name.encode() * 6).hexdigest()


Step = tuple[dict[str, Any], str]
UPLOAD_CASES: list[tuple[str, list[Step]]] = [
    ("a chunk without its upload", [(chunk("u", 0, b"x"), "upload_unknown")]),
    ("an end without its upload", [(end("u", 0), "upload_unknown")]),
    ("an id in use", [(begin("u"), "upload_ack"), (begin("u"), "upload_exists")]),
    (
        "a chunk that is missing, then sent",
        [
            (begin("u"), "upload_ack"),
            (chunk("u", 1, b"y"), "chunk_missing"),
            (chunk("u", 0, b"x"), "upload_ack"),
            (chunk("u", 1, b"y"), "upload_ack"),
            (end("u", 2), "accepted"),
        ],
    ),
    (
        "a chunk that is sent twice",
        [
            (begin("u"), "upload_ack"),
            (chunk("u", 0, b"x"), "upload_ack"),
            (chunk("u", 0, b"x"), "chunk_out_of_order"),
            (end("u", 1), "accepted"),
        ],
    ),
    (
        "a chunk that is too large, then cut",
        [
            (begin("u"), "upload_ack"),
            (chunk("u", 0, b"x" * (CHUNK_BYTES + 1)), "chunk_too_large"),
            (chunk("u", 0, b"x" * CHUNK_BYTES), "upload_ack"),
        ],
    ),
    ("not base64", [(begin("u"), "upload_ack"), (chunk("u", 0, "a b"), "chunk_not_base64")]),
    ("base64 cut short", [(begin("u"), "upload_ack"), (chunk("u", 0, "AAA"), "chunk_not_base64")]),
    (
        "base64 of another alphabet",
        [(begin("u"), "upload_ack"), (chunk("u", 0, "人工智能"), "chunk_not_base64")],
    ),
    (
        "more than was announced",
        [
            (begin("u", size=3), "upload_ack"),
            (chunk("u", 0, b"xxxx"), "upload_too_large"),
            (end("u", 1), "upload_unknown"),
        ],
    ),
    ("announced over the limit", [(begin("u", size=1 << 41), "upload_too_large")]),
    (
        "fewer bytes than announced",
        [
            (begin("u", size=3), "upload_ack"),
            (chunk("u", 0, b"xx"), "upload_ack"),
            (end("u", 1), "upload_incomplete"),
            (end("u", 1), "upload_unknown"),
        ],
    ),
    (
        "fewer chunks than sent",
        [(begin("u"), "upload_ack"), (chunk("u", 0, b"x"), "upload_ack"), (end("u", 2), "upload_incomplete")],
    ),
    ("nothing in it", [(begin("u"), "upload_ack"), (end("u", 0), "daemon_refused")]),
    (
        "five at once, and one after an abort",
        [
            *[(begin(f"u{n}"), "upload_ack") for n in range(4)],
            (begin("u4"), "too_many_uploads"),
            ({"type": "upload_abort", "request": "x", "upload_id": "u0"}, "upload_aborted"),
            (begin("u4"), "upload_ack"),
        ],
    ),
]


@pytest.mark.parametrize("steps", [c[1] for c in UPLOAD_CASES], ids=[c[0] for c in UPLOAD_CASES])
async def test_uploads_step_by_step(
    steps: list[Step], open_port: OpenPort, start_daemon: StartDaemon
) -> None:
    start_daemon()
    port = await open_port()
    for message, expected in steps:
        answer = await port.ask(message)
        assert answer.get("name", answer["type"]) == expected, message["type"]


async def test_an_upload_over_the_daemon_s_own_limit_is_refused_before_it_is_sent(
    open_port: OpenPort, start_daemon: StartDaemon, touchstone_home: Path
) -> None:
    (touchstone_home / "small").touch()
    start_daemon()
    port = await open_port()
    await port.ask({"type": "settings_get", "request": "r"})
    refused = await port.ask(begin("u", size=(8 << 20) + 1))
    assert refused["name"] == "upload_too_large"


async def test_what_is_too_large_for_a_message_comes_in_parts(
    open_port: OpenPort, start_daemon: StartDaemon
) -> None:
    start_daemon()
    port = await open_port()
    await port.send(scan("large.mp4"))
    parts: list[tuple[str, int, bool]] = []
    while sum(last for _, _, last in parts) < 2:  # the evidence, and the result that has it too
        frame = await port.receive_frame()
        assert frame is not None
        if frame["type"] == "part":
            parts.append((frame["part_id"], frame["seq"], frame["last"]))
    for part_id in ("p1", "p2"):
        own = [(seq, last) for name, seq, last in parts if name == part_id]
        assert own == [(seq, seq == len(own) - 1) for seq in range(len(own))]
    assert [name for name, _, _ in parts] == sorted(name for name, _, _ in parts), "parts are not mixed"


async def accepted(port: Port, name: str) -> str:
    answer = await port.ask(scan(name))
    assert answer["type"] == "accepted", answer
    return str(answer["scan_id"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
async def test_a_daemon_that_goes_mid_scan_costs_no_scan(
    how: int, open_port: OpenPort, start_daemon: StartDaemon, paths: Paths, touchstone_home: Path
) -> None:
    before = start_daemon()
    port = await open_port()
    scan_id = await accepted(port, "found.mp4")
    await port.until("evidence", scan_id=scan_id)
    assert end_daemon(paths, how) == before.pid
    (touchstone_home / "release").touch()
    told = []
    while (message := await port.receive()) is not None:
        told.append(message)
        if message["type"] == "result":
            break
    assert told[-1]["scan_id"] == scan_id
    assert told[-1]["scan"]["verdict"]["label"] == "ai_generated"
    states = [message["daemon"] for message in told if message["type"] == "state"]
    assert states == ["starting", "up"]
    assert not [message for message in told if message["type"] == "evidence"], "it was told before"


@pytest.mark.parametrize("source", ["address", "upload"])
async def test_a_scan_that_the_daemon_has_forgotten_is_sent_anew(
    source: str, open_port: OpenPort, start_daemon: StartDaemon, paths: Paths, touchstone_home: Path
) -> None:
    start_daemon()
    port = await open_port()
    if source == "upload":
        scan_id = await upload(port, "u", b"bytes", "hold.mp4")
    else:
        scan_id = await accepted(port, "hold.mp4")
    end_daemon(paths, signal.SIGKILL)
    for file in paths.data_dir.glob("*.sqlite3*"):
        file.unlink()
    (touchstone_home / "release").touch()
    result = await port.until("result")
    assert result["scan_id"] == scan_id
    if source == "upload":
        assert result["scan"]["source"]["sha256"] == hashlib.sha256(b"bytes").hexdigest()


async def test_a_scan_is_taken_up_by_the_next_port(
    open_port: OpenPort, start_daemon: StartDaemon, touchstone_home: Path
) -> None:
    start_daemon()
    first = await open_port()
    scan_id = await accepted(first, "found.mp4")
    await first.until("evidence")
    os.kill(first.process.pid, signal.SIGKILL)
    second = await open_port()
    state = await second.ask({"type": "get", "request": "r", "scan_id": scan_id})
    assert (state["type"], state["state"]) == ("scan_state", "running")
    assert (await second.until("evidence"))["scan_id"] == scan_id
    (touchstone_home / "release").touch()
    assert (await second.until("result"))["scan_id"] == scan_id
    third = await open_port()
    state = await third.ask({"type": "get", "request": "r", "scan_id": scan_id})
    assert state["state"] == "done"
    assert (await third.until("result"))["scan_id"] == scan_id


async def test_a_scan_that_two_asked_for_runs_until_both_cancel(
    open_port: OpenPort, start_daemon: StartDaemon
) -> None:
    start_daemon()
    port = await open_port()
    scan_id = await accepted(port, "hold.mp4")
    assert (await port.ask(scan("hold.mp4", "again")))["scan_id"] == scan_id
    for number, running in ((1, 1), (2, 0)):
        cancelled = await port.ask({"type": "cancel", "request": f"c{number}", "scan_id": scan_id})
        assert cancelled["type"] == "cancelled"
        status = await port.ask({"type": "status", "request": f"s{number}"})
        assert (status["scans"], status["health"]["running"]) == (running, running)


async def test_a_finished_scan_is_not_cancelled_out_of_the_history(
    open_port: OpenPort, start_daemon: StartDaemon
) -> None:
    start_daemon()
    port = await open_port()
    scan_id = await accepted(port, "clip.mp4")
    await port.until("result")
    assert (await port.ask({"type": "cancel", "request": "c", "scan_id": scan_id}))["type"] == "cancelled"
    assert (await port.ask({"type": "get", "request": "g", "scan_id": scan_id}))["state"] == "done"


async def test_feedback_on_a_scan_that_is_not_there(open_port: OpenPort, start_daemon: StartDaemon) -> None:
    start_daemon()
    port = await open_port()
    answer = await port.ask({"type": "feedback", "request": "f", "scan_id": "nowhere", "agrees": True})
    assert (answer["name"], answer["scan_id"]) == ("scan_unknown", "nowhere")
