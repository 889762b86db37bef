"""Asking for scans, following them and looking them up again, over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from server.daemons import SANDBOX, eventually
from touchstone.settings import Settings
from touchstone.store import Store
from touchstone.verdict import Label
from touchstone.wire import ScanState


async def test_a_scan_is_accepted_and_answered(served: Any) -> None:
    accepted = await served.ask()
    ScanState.model_validate(accepted)
    done = await served.done(accepted["id"])
    assert done["scan"]["verdict"]["label"] == "ai_generated"
    assert done["scan"]["schema"] == "touchstone.scan/1"
    assert done["scan"]["id"] == accepted["id"]


async def test_events_are_replayed_and_end_with_the_verdict(served: Any, read_events: Any) -> None:
    served.scanner.go.clear()
    scan_id = (await served.ask())["id"]
    async with served.client.get(f"/v1/scans/{scan_id}/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        first = await read_events(response, most=4)
    assert [event.get("event", ":") for event in first] == ["progress", "progress", "evidence", ":"]
    served.scanner.go.set()
    after = {"Last-Event-ID": first[1]["id"]}
    async with served.client.get(f"/v1/scans/{scan_id}/events", headers=after) as response:
        rest = await read_events(response)
    assert [event["event"] for event in rest] == ["evidence", "verdict"]
    assert rest[0]["id"] == first[2]["id"]
    assert json.loads(rest[1]["data"])["scan"]["verdict"]["headline"] == "Declared as AI-generated"
    assert (await served.done(scan_id))["scan"] == json.loads(rest[1]["data"])["scan"]


@pytest.mark.parametrize("last", ["", "other-1", "-", "x", "99999999999999999999", "stored-99"])
async def test_an_event_id_of_another_run_replays_everything(
    served: Any, read_events: Any, last: str
) -> None:
    scan_id = (await served.ask())["id"]
    await served.done(scan_id)
    headers = {"Last-Event-ID": last}
    async with served.client.get(f"/v1/scans/{scan_id}/events", headers=headers) as response:
        events = await read_events(response)
    assert [event["event"] for event in events] == ["progress", "progress", "evidence", "verdict"]


async def test_events_of_an_earlier_daemon_come_from_the_store(serving: Any, read_events: Any) -> None:
    async with serving() as served:
        scan_id = (await served.ask())["id"]
        await served.done(scan_id)
    async with serving() as served:
        async with served.client.get(f"/v1/scans/{scan_id}/events") as response:
            events = await read_events(response)
        assert [event["event"] for event in events] == ["evidence", "verdict"]
        headers = {"Last-Event-ID": events[0]["id"]}
        async with served.client.get(f"/v1/scans/{scan_id}/events", headers=headers) as response:
            assert [event["event"] for event in await read_events(response)] == ["verdict"]


async def test_three_tabs_make_one_scan_that_the_last_of_them_cancels(served: Any) -> None:
    served.scanner.go.clear()
    scans = await asyncio.gather(*(served.ask() for _ in range(3)))
    (scan_id,) = {scan["id"] for scan in scans}
    await eventually(lambda: len(served.scanner.asked) == 1)
    for left in (2, 1, 0):
        async with served.client.delete(f"/v1/scans/{scan_id}") as response:
            assert response.status == 204
        async with served.client.get(f"/v1/scans/{scan_id}") as response:
            assert response.status == (200 if left else 404)
    assert len(served.scanner.asked) == 1
    assert served.scanner.stopped == [scan_id]


async def test_a_known_answer_is_given_again_unless_fresh(served: Any) -> None:
    first = await served.ask()
    await served.done(first["id"])
    again = await served.ask()
    assert again["id"] == first["id"]
    assert again["state"] == "done"
    assert again["scan"]["verdict"]["label"] == "ai_generated"
    fresh = await served.ask(fresh=True)
    assert fresh["id"] != first["id"]
    await served.done(fresh["id"])
    assert len(served.scanner.asked) == 2


async def test_what_could_not_be_read_is_tried_again(served: Any) -> None:
    served.scanner.label = Label.UNREADABLE
    first = await served.ask()
    await served.done(first["id"])
    assert (await served.ask())["id"] != first["id"]


async def test_an_answer_of_another_edition_is_not_given(serving: Any) -> None:
    async with serving() as served:
        first = await served.ask()
        await served.done(first["id"])
    async with serving(edition="newer") as served:
        assert (await served.ask())["id"] != first["id"]


async def test_zero_reuse_hours_scan_every_time(serving: Any) -> None:
    async with serving(settings=Settings(reuse_hours=0)) as served:
        first = await served.ask()
        await served.done(first["id"])
        assert (await served.ask())["id"] != first["id"]


async def test_a_full_queue_says_when_to_come_back(serving: Any, scanner: Any) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(concurrency=1, queue_limit=2)) as served:
        for number in range(3):
            await served.ask(f"https://video.example/{number}.mp4")
        body = {"source": {"kind": "url", "url": "https://video.example/3.mp4"}}
        async with served.client.post("/v1/scans", json=body) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 60
            assert (await response.json())["type"] == "urn:touchstone:problem:busy"
        scanner.go.set()
        await eventually(lambda: served.services.scans.queued == 0)
        await served.ask("https://video.example/3.mp4")


async def test_no_more_run_at_once_than_the_setting_says(serving: Any, scanner: Any) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(concurrency=2)) as served:
        states = [await served.ask(f"https://video.example/{number}.mp4") for number in range(5)]
        await asyncio.sleep(0.1)
        assert len(scanner.asked) == 2
        assert served.services.scans.queued == 3
        scanner.go.set()
        for state in states:
            await served.done(state["id"])


async def test_a_queued_scan_can_be_deleted(serving: Any, scanner: Any) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(concurrency=1)) as served:
        await served.ask("https://video.example/1.mp4")
        second = await served.ask("https://video.example/2.mp4")
        async with served.client.delete(f"/v1/scans/{second['id']}") as response:
            assert response.status == 204
        assert served.services.scans.queued == 0
        scanner.go.set()
        await served.done((await served.ask("https://video.example/3.mp4"))["id"])
    assert [source.url[-5] for source in scanner.asked] == ["1", "3"]


async def test_deleting_ends_the_stream_of_those_who_follow(served: Any, read_events: Any) -> None:
    served.scanner.go.clear()
    scan_id = (await served.ask())["id"]
    async with served.client.get(f"/v1/scans/{scan_id}/events") as response:
        await read_events(response, most=1)
        async with served.client.delete(f"/v1/scans/{scan_id}") as deleted:
            assert deleted.status == 204
        async with asyncio.timeout(5):
            rest = await read_events(response)
    assert "verdict" not in {event.get("event") for event in rest}


async def test_a_scan_that_takes_too_long_says_so(serving: Any, scanner: Any) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(max_seconds=0.05)) as served:
        done = await served.done((await served.ask())["id"])
    assert done["scan"]["verdict"]["label"] == "unreadable"
    assert "0.05 seconds" in done["scan"]["verdict"]["headline"]
    assert scanner.stopped == [done["id"]]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"failure": RuntimeError("boom")}, "a mistake of ours"),
        ({"failure": asyncio.CancelledError()}, "a mistake of ours"),
        ({"finding": "half a character: \ud83d"}, "a mistake of ours"),
    ],
)
async def test_a_mistake_of_ours_costs_one_scan(served: Any, change: dict[str, Any], why: str) -> None:
    before = dict(vars(served.scanner))
    vars(served.scanner).update(change)
    done = await served.done((await served.ask())["id"])
    assert done["scan"]["verdict"]["label"] == "unreadable"
    assert why in done["scan"]["verdict"]["headline"]
    vars(served.scanner).update({name: before[name] for name in change})
    assert (await served.done((await served.ask())["id"]))["scan"]["verdict"]["label"] == "ai_generated"


async def test_history_filters_and_pages(served: Any) -> None:
    for number in range(5):
        served.scanner.label = Label.AI_GENERATED if number % 2 else Label.NO_SIGNS
        await served.done((await served.ask(f"https://video.example/{number}.mp4"))["id"])

    async def page(**query: str) -> tuple[list[str], int | None]:
        async with served.client.get("/v1/scans", params=query) as response:
            assert response.status == 200
            found = await response.json()
        return [scan["url"][-5] for scan in found["scans"]], found["before"]

    assert await page() == (["4", "3", "2", "1", "0"], None)
    assert await page(label="ai_generated") == (["3", "1"], None)
    assert await page(url="https://video.example/2.mp4") == (["2"], None)
    assert await page(text="EXAMPLE/3") == (["3"], None)
    assert await page(text="100%_") == ([], None)
    first, before = await page(limit="2")
    second, before = await page(limit="2", before=str(before))
    third, before = await page(limit="2", before=str(before))
    assert (first, second, third, before) == (["4", "3"], ["2", "1"], ["0"], None)


async def test_feedback_is_kept_and_replaced(served: Any) -> None:
    scan_id = (await served.ask())["id"]
    for body in ({"agrees": True}, {"agrees": False, "label": "camera_original", "comment": "I filmed it"}):
        async with served.client.post(f"/v1/scans/{scan_id}/feedback", json=body) as response:
            assert response.status == 204
        kept = await served.services.db.do(Store.feedback, scan_id)
        assert kept.model_dump(exclude_none=True, mode="json") == body


async def test_a_client_that_vanishes_from_a_stream_costs_nothing(served: Any) -> None:
    def handlers() -> int:
        return sum("RequestHandler.start" in repr(task.get_coro()) for task in asyncio.all_tasks())

    served.scanner.go.clear()
    scan_id = (await served.ask())["id"]
    before = handlers()
    for _ in range(5):
        response = await served.client.get(f"/v1/scans/{scan_id}/events")
        await response.content.readline()
        response.close()
    assert handlers() > before
    await eventually(lambda: handlers() <= before)  # the next heartbeat finds out that nobody listens
    served.scanner.go.set()
    assert (await served.done(scan_id))["state"] == "done"


async def test_health_without_token_tells_nothing(served: Any) -> None:
    async with aiohttp.ClientSession() as stranger, stranger.get(f"{served.base}/v1/health") as response:
        assert response.status == 200
        assert await response.json() == {"service": "touchstone", "status": "ok"}
    async with served.client.get("/v1/health") as response:
        told = await response.json()
    assert told["version"] and told["pid"] and told["queued"] == 0 and told["fetch_urls"] is True
    assert told["sandboxes"] == [SANDBOX.model_dump()]


async def test_metrics_count_scans_and_requests(served: Any) -> None:
    await served.done((await served.ask())["id"])
    async with served.client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await response.text()
    assert 'touchstone_scans_total{label="ai_generated"} 1\n' in text
    assert 'touchstone_http_requests_total{method="POST",route="/v1/scans",status="202"} 1\n' in text
    assert "video.example" not in text
