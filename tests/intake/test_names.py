"""The system's resolver: asked in threads of its own, its answers passed on as they are."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import pytest

from touchstone.intake.names import THREADS, SystemResolver

INET = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))
INET6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:4700::1", 80, 0, 0))
ZONED = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("fe80::1", 80, 0, 2))
NO_IPV6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (10, b"raw"))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Any:
    def give(*found: Any) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: list(found))

    return give


async def test_answers_are_passed_on_with_their_interface(answers: Any) -> None:
    answers(INET, INET6, ZONED, NO_IPV6)
    resolver = SystemResolver()
    found = await resolver.resolve("video.example", 80)
    assert [each["host"] for each in found] == ["93.184.215.14", "2606:4700::1", "fe80::1%2"]
    assert {each["hostname"] for each in found} == {"video.example"}
    await resolver.close()


async def test_an_address_needs_no_name_server() -> None:
    resolver = SystemResolver()
    [found] = await resolver.resolve("127.0.0.1", 8080)
    assert (found["host"], found["port"], found["family"]) == ("127.0.0.1", 8080, socket.AF_INET)
    await resolver.close()


async def test_names_that_are_never_answered_hold_nothing_else_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
    resolver = SystemResolver()
    lookups = [asyncio.create_task(resolver.resolve(f"{n}.example")) for n in range(8 * THREADS)]
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await asyncio.to_thread(int)
    assert time.monotonic() - started < 1
    for lookup in lookups:
        lookup.cancel()
    release.set()
    await asyncio.gather(*lookups, return_exceptions=True)
    await resolver.close()
