"""Scans that nobody asked for wait behind the others, and are put off on battery."""

from __future__ import annotations

from typing import Any, Literal

import aiohttp
import pytest

from server.daemons import eventually
from touchstone.server.sparing import KNOWN_FOR_S, Sparing
from touchstone.settings import Settings
from touchstone.system.power import PowerState
from touchstone.wire import FramesSource

FULL = PowerState(on_battery=False, hot=False)
BATTERY = PowerState(on_battery=True)
HOT = PowerState(hot=True)


@pytest.mark.parametrize(
    ("setting", "state", "says"),
    [
        ("auto", FULL, None),
        ("auto", PowerState(), None),
        ("auto", BATTERY, "runs on its battery"),
        ("auto", HOT, "is hot"),
        ("on", FULL, "by your settings"),
        ("off", BATTERY, None),
    ],
)
async def test_when_scans_are_put_off(
    setting: Literal["auto", "on", "off"], state: PowerState, says: str | None
) -> None:
    reason = await Sparing(setting, lambda: state, lambda: 0.0).reason()
    assert (reason is None) if says is None else says in str(reason)


async def test_the_machine_is_asked_once_in_a_while() -> None:
    asked: list[float] = []
    now = 0.0

    def state() -> PowerState:
        asked.append(now)
        return BATTERY if now else FULL

    sparing = Sparing("auto", state, lambda: now)
    assert [await sparing.reason(), await sparing.reason()] == [None, None]
    now = KNOWN_FOR_S + 1
    assert await sparing.reason()
    assert asked == [0.0, now]


async def post(served: Any, **body: Any) -> aiohttp.ClientResponse:
    async with served.client.post("/v1/scans", json=body) as response:
        await response.read()
        return response


async def test_on_battery_only_what_somebody_asks_for_is_scanned(serving: Any) -> None:
    url = {"kind": "url", "url": "https://video.example/a.mp4"}
    async with serving(power=lambda: BATTERY) as served:
        refused = await post(served, source=url, automatic=True)
        assert refused.status == 409
        problem = await refused.json()
        assert problem["type"] == "urn:touchstone:problem:put-off"
        assert "runs on its battery" in problem["detail"]
        frames = FramesSource(width=64, height=64).model_dump(mode="json")
        assert (await post(served, source=frames, automatic=True)).status == 409
        form = aiohttp.FormData()
        form.add_field("file", b"bytes", filename="a.mp4")
        async with served.client.post("/v1/scans?automatic=true", data=form) as response:
            assert response.status == 409
        assert served.scanner.asked == []

        asked = await post(served, source=url)
        assert asked.status == 202
        await served.done((await asked.json())["id"])
        # A known answer costs nothing.
        assert (await post(served, source=url, automatic=True)).status == 202
        async with served.client.get("/metrics") as response:
            assert "touchstone_scans_put_off_total 3" in await response.text()


async def test_who_waits_goes_before_what_came_into_view(serving: Any) -> None:
    async with serving(settings=Settings(concurrency=1)) as served:
        served.scanner.go.clear()
        names = {"running": False, "seen": True, "seen too": True, "asked": False, "asked again": False}
        ids = [
            (await served.ask(f"https://video.example/{name}", automatic=automatic))["id"]
            for name, automatic in names.items()
        ]
        await served.ask("https://video.example/seen too")  # and now somebody asks for it
        await eventually(lambda: bool(served.scanner.asked))
        served.scanner.go.set()
        for scan_id in ids:
            await served.done(scan_id)
        order = [source.url.rpartition("/")[2] for source in served.scanner.asked]
    assert order == ["running", "asked", "asked again", "seen too", "seen"]
