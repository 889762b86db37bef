"""The host as a process: how it starts and ends, and what it answers to what no extension should send."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from touchstone import native_messages
from touchstone.native_host import greeting
from touchstone.native_host.framing import MAX_FROM_BROWSER
from touchstone.native_host.scans import MAX_SCANS
from touchstone.system.daemon_process import RunningDaemon, find
from touchstone.system.paths import Paths

from .conftest import HELLO, WAIT_S, OpenPort, end_daemon

STATUS = {"type": "status", "request": "s"}


def scan(name: str, request: str = "scan") -> dict[str, Any]:
    source = {"kind": "url", "url": f"https://media.example/{name}"}
    return {"type": "scan", "request": request, "source": source}


def test_the_first_message_is_one_of_the_protocol_s() -> None:
    assert greeting.PROTOCOL == native_messages.PROTOCOL
    state = TypeAdapter(native_messages.State)
    state.validate_python(greeting.state_message("up", "1.2.3"))
    state.validate_python(greeting.state_message("absent", None, "no reason"))


async def test_says_starting_then_up_and_the_daemon_outlives_the_port(
    open_port: OpenPort, paths: Paths
) -> None:
    port = await open_port(greet=False)
    first = await port.receive()
    assert first is not None
    assert (first["type"], first["daemon"]) == ("state", "starting")
    up = await port.until("state", daemon="up")
    assert up["daemon_version"]
    assert await port.close() == 0
    assert find(paths) is not None


async def test_says_up_at_once_when_the_daemon_is(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    daemon = start_daemon()
    port = await open_port(greet=False)
    state = await port.receive()
    assert state == greeting.state_message("up", daemon.version)


async def test_two_ports_at_once_start_one_daemon(open_port: OpenPort, paths: Paths) -> None:
    ports = await asyncio.gather(*(open_port(greet=False) for _ in range(3)))
    await asyncio.gather(*(port.until("state", daemon="up") for port in ports))
    pids = set()
    for number, port in enumerate(ports):
        await port.send({**HELLO, "request": f"h{number}"})
        health = (await port.ask({**STATUS, "request": f"s{number}"}))["health"]
        pids.add(health["pid"])
    running = find(paths)
    assert running is not None
    assert pids == {running.pid}


async def test_a_daemon_that_cannot_start_is_absent_with_the_reason_and_found_once_it_can(
    open_port: OpenPort, paths: Paths, touchstone_home: Path
) -> None:
    (touchstone_home / "broken").touch()
    port = await open_port(greet=False)
    absent = await port.until("state", daemon="absent")
    assert "told to be broken" in absent["reason"]
    await port.send(HELLO)
    refused = await port.ask(scan("clip.mp4"))
    assert (refused["code"], refused["name"]) == (201, "daemon_absent")
    assert "told to be broken" in refused["message"]
    assert (await port.ask(STATUS))["daemon"] == "absent"
    (touchstone_home / "broken").unlink()
    deadline = time.monotonic() + 20
    answer = await port.ask(scan("clip.mp4", "r0"))
    while answer["type"] == "error" and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
        answer = await port.ask(scan("clip.mp4", f"r{time.monotonic()}"))
    assert answer["type"] == "accepted"
    await port.until("result", scan_id=answer["scan_id"])


BAD_MESSAGES: list[tuple[str, bytes, str, str]] = [
    ("not UTF-8", b'{"type": "\xff\xfe"}', "not_utf8", ""),
    ("not JSON", b"hello", "not_json", ""),
    ("empty", b"", "not_json", ""),
    ("a list", b'["hello"]', "not_json", "list"),
    ("nested too deep", b"[" * 200_000, "not_json", ""),
    ("over the limit", b" " * (MAX_FROM_BROWSER + 1), "message_too_large", "1048577"),
    ("no type", b'{"request": "x"}', "unknown_type", "None"),
    ("a type that is no text", b'{"type": {"a": 1}}', "unknown_type", ""),
    ("unknown type", b'{"type": "levitate"}', "unknown_type", "levitate"),
    ("a reply sent to the host", b'{"type": "result"}', "unknown_type", "result"),
    ("no request id", b'{"type": "status"}', "invalid_message", "request"),
    ("a request id that is none", b'{"type": "status", "request": 7}', "invalid_message", "request"),
    (
        "an endless request id",
        b'{"type":"status","request":"' + b"x" * 500_000 + b'"}',
        "invalid_message",
        "",
    ),
    ("an unknown field", b'{"type":"status","request":"x","sudo":true}', "invalid_message", "sudo"),
    ("half of a surrogate pair", b'{"type":"status","request":"\\ud800"}', "invalid_message", "request"),
    (
        "a file of this computer",
        b'{"type":"scan","request":"x","source":{"kind":"file","path":"/etc/passwd"}}',
        "invalid_message",
        "source",
    ),
    (
        "a path as scan id",
        b'{"type":"get","request":"x","scan_id":"../health"}',
        "invalid_message",
        "scan_id",
    ),
]


async def test_bad_messages_are_refused_by_name_and_the_port_lives_on(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    start_daemon()
    port = await open_port()
    for what, body, name, named in BAD_MESSAGES:
        await port.send_bytes(body)
        answer = await port.receive()
        assert answer is not None, what
        assert answer["type"] == "error", what
        assert answer["name"] == name, what
        assert named in answer["message"], what
        assert len(answer["message"]) < 1000, what
        assert not answer["fatal"], what
    assert (await port.ask(STATUS))["type"] == "status"


FATAL = [
    ("a message cut in half", struct.pack("=I", 100) + b'{"type"', "message_truncated"),
    ("a length cut in half", b"\x10\x00", "message_truncated"),
    ("a length that is none", struct.pack("=I", 0xFFFFFFFF) + b"{}", "message_too_large"),
]


@pytest.mark.parametrize(("data", "name"), [row[1:] for row in FATAL], ids=[row[0] for row in FATAL])
async def test_where_framing_is_lost_the_host_says_so_and_ends(
    data: bytes, name: str, open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], paths: Paths
) -> None:
    start_daemon()
    port = await open_port()
    port.stdin.write(data)
    if name == "message_truncated":
        port.stdin.close()
    error = await port.until("error")
    assert (error["name"], error["fatal"]) == (name, True)
    assert await port.receive() is None
    assert await port.close() == 0
    assert find(paths) is not None


async def test_stray_prints_do_not_reach_the_browser(open_port: OpenPort) -> None:
    port = await open_port(program="noisy_host.py")
    assert (await port.ask(STATUS))["type"] == "status"


async def test_ends_with_the_port_even_while_the_daemon_is_starting(
    open_port: OpenPort, touchstone_home: Path, paths: Paths
) -> None:
    (touchstone_home / "slow").touch()
    port = await open_port()
    await port.send(scan("clip.mp4"))
    started = time.monotonic()
    assert await port.close() == 0
    assert time.monotonic() - started < 3
    # The start that was under way goes on by itself; the fixture ends what came of it.
    async with asyncio.timeout(WAIT_S):
        while find(paths) is None:  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.1)


async def test_a_scan_asked_for_just_before_the_browser_died_reaches_the_daemon(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], paths: Paths
) -> None:
    start_daemon()
    port = await open_port()
    await port.send(scan("hold.mp4"))
    await port.close()
    again = await open_port()
    health = (await again.ask(STATUS))["health"]
    assert health["running"] == 1


async def test_more_scans_than_a_port_may_have_are_refused_by_number(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    start_daemon()
    port = await open_port()
    for number in range(MAX_SCANS):
        source = {"kind": "url", "url": f"https://media.example/{number}/hold.mp4"}
        answer = await port.ask({"type": "scan", "request": f"r{number}", "source": source})
        assert answer["type"] == "accepted", answer
    refused = await port.ask(scan("one-more/hold.mp4"))
    assert (refused["code"], refused["name"]) == (109, "too_many_scans")


async def test_a_busy_daemon_says_when_to_come_back(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], touchstone_home: Path
) -> None:
    (touchstone_home / "small").touch()
    start_daemon()
    port = await open_port()
    answers = [
        await port.ask(
            {
                "type": "scan",
                "request": f"r{number}",
                "source": {"kind": "url", "url": f"https://media.example/{number}/hold.mp4"},
            }
        )
        for number in range(8)
    ]
    busy = [answer for answer in answers if answer["type"] == "error"]
    assert busy
    assert {answer["name"] for answer in busy} == {"daemon_busy"}
    assert all(answer["retry_after_s"] > 0 for answer in busy)


async def test_a_flood_of_requests_is_answered_in_full(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    start_daemon()
    port = await open_port()

    async def flood() -> None:
        for number in range(600):
            await port.send({"type": "get", "request": f"r{number}", "scan_id": "0" * 32})

    sending = asyncio.create_task(flood())
    seen = set()
    while len(seen) < 600:
        answer = await port.receive()
        assert answer is not None
        assert answer["name"] == "scan_unknown"
        seen.add(answer["request"])
    await sending


async def test_a_token_that_was_rotated_with_the_daemon_is_read_again(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], paths: Paths
) -> None:
    start_daemon()
    port = await open_port()
    end_daemon(paths)
    paths.token_file.unlink()
    start_daemon()
    assert (await port.ask(scan("clip.mp4")))["type"] == "accepted"


async def test_a_token_that_the_daemon_does_not_take_is_refused_by_name_and_not_told(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon], paths: Paths
) -> None:
    start_daemon()
    other = "A" * 43
    paths.token_file.write_text(other)
    port = await open_port()
    refused = await port.ask(scan("clip.mp4"))
    assert (refused["code"], refused["name"]) == (202, "token_refused")
    assert other not in str(refused)
    log = (
        (paths.log_dir / "native-host.log").read_text()
        if (paths.log_dir / "native-host.log").exists()
        else ""
    )
    assert other not in log


async def test_settings_and_status_are_the_daemon_s(
    open_port: OpenPort, start_daemon: Callable[[], RunningDaemon]
) -> None:
    start_daemon()
    port = await open_port()
    settings = await port.ask({"type": "settings_get", "request": "r"})
    assert settings["values"] == {"fetch_urls": True, "max_bytes": 1 << 30}
    status = await port.ask(STATUS)
    assert (status["daemon"], status["scans"], status["uploads"]) == ("up", 0, 0)
    assert status["health"]["version"] == status["daemon_version"]
