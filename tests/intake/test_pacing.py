"""Turns and rates, with a clock of the test's own where time matters."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from intake.websites import serve_bytes, site
from touchstone.intake import IntakeError
from touchstone.intake.fetch import WebVideos
from touchstone.intake.limits import FetchLimits
from touchstone.intake.pacing import REMEMBERED_HOSTS, Pacing

VIDEO = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))


async def test_requests_beyond_a_burst_wait_for_the_rate_of_their_host() -> None:
    clock = Clock()
    pacing = Pacing(FetchLimits(requests_per_host_s=2, burst_per_host=3), clock, clock.sleep)
    for _ in range(3):
        await pacing.request("a.example")
    assert clock.slept == []
    await pacing.request("a.example")
    await pacing.request("a.example")
    assert clock.slept == [0.5, 1.0]
    await pacing.request("b.example")
    assert clock.slept == [0.5, 1.0], "another host is not held up"
    clock.now += 10
    for _ in range(3):
        await pacing.request("a.example")
    assert clock.slept == [0.5, 1.0], "the burst is there again, and no more than it"
    await pacing.request("a.example")
    assert clock.slept[2:] == [0.5]


async def test_hosts_that_were_not_asked_for_long_are_forgotten() -> None:
    clock = Clock()
    pacing = Pacing(FetchLimits(), clock, clock.sleep)
    for number in range(REMEMBERED_HOSTS + 50):
        await pacing.request(f"{number}.example")
    assert len(pacing._hosts) == REMEMBERED_HOSTS
    assert "0.example" not in pacing._hosts


@pytest.mark.parametrize(("fetches", "per_host", "most"), [(8, 2, 2), (3, 8, 3)])
async def test_no_more_fetches_run_at_once_than_are_allowed(
    tmp_path: Path, fetches: int, per_host: int, most: int
) -> None:
    running = peak = 0

    async def slow(request: web.Request) -> web.StreamResponse:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0.02)
        running -= 1
        return await serve_bytes(VIDEO)(request)

    async def one(videos: WebVideos, url: str) -> None:
        async with videos.open(url) as material:
            assert material.complete

    async with site(slow) as server:
        limits = FetchLimits(fetches=fetches, fetches_per_host=per_host, requests_per_host_s=1000)
        videos = WebVideos(tmp_path, policy=server.policy, limits=limits)
        await asyncio.gather(*(one(videos, server.url(f"/{number}.mp4")) for number in range(12)))
        await videos.close()
    assert peak == most


async def test_a_turn_that_never_comes_ends_as_busy(tmp_path: Path) -> None:
    pacing = Pacing(FetchLimits(fetches=1, queue_s=0.05))
    async with pacing.turn("a.example"):
        with pytest.raises(IntakeError, match=r"b\.example was not asked") as problem:
            async with pacing.turn("b.example"):
                pass
    assert problem.value.code == "busy"
    async with pacing.turn("b.example"):
        pass
