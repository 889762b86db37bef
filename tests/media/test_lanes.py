"""Lanes: several pools as one, without one waiting for the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from touchstone.intake import Material
from touchstone.media.container import Container
from touchstone.media.lanes import Lane, Lanes
from touchstone.media.workers import Checked, Confined, ContainerRead, Message, Skipped, Unreadable

MATERIAL = Material(Path("clip.mp4"), 1)
CONTAINER = ContainerRead(Container(format="mp4", mime="video/mp4"))


class Scripted:
    """Workers that say what they were told to, the first message once `start` is set."""

    def __init__(self, messages: Sequence[Message | Exception], start: asyncio.Event | None = None) -> None:
        self.messages = messages
        self.start = start
        self.asked: list[str] = []
        self.ended = 0
        self.closed = False

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        self.asked += examiners
        try:
            if self.start is not None:
                await self.start.wait()
            for message in self.messages:
                if isinstance(message, Exception):
                    raise message
                yield message
        finally:
            self.ended += 1

    async def warm(self) -> None:
        return None

    def sandboxes(self) -> list[Confined]:
        return []

    async def close(self) -> None:
        self.closed = True


def lanes(quick: Scripted, slow: Scripted) -> Lanes:
    return Lanes([Lane(quick, ("a", "b")), Lane(slow, ("c", "d"))])


async def collect(both: Lanes, examiners: Sequence[str]) -> list[Message]:
    async with asyncio.timeout(5):
        return [message async for message in both.examine(MATERIAL, examiners)]


async def test_the_quick_lane_does_not_wait_for_the_slow_one() -> None:
    start = asyncio.Event()
    quick = Scripted([CONTAINER, Checked("a")])
    slow = Scripted([CONTAINER, Checked("c")], start)
    messages: list[Message] = []
    async with asyncio.timeout(5):
        async for message in lanes(quick, slow).examine(MATERIAL, ["a", "c"]):
            messages.append(message)
            if message == Checked("a"):
                start.set()
    assert messages == [CONTAINER, Checked("a"), Checked("c")]
    assert (quick.asked, slow.asked) == (["a"], ["c"])


async def test_a_lane_with_nothing_to_do_is_left_alone() -> None:
    quick, slow = Scripted([CONTAINER, Checked("a")]), Scripted([])
    assert await collect(lanes(quick, slow), ["a"]) == [CONTAINER, Checked("a")]
    assert slow.ended == 0


async def test_a_name_in_no_lane_is_left_to_the_first() -> None:
    quick, slow = Scripted([CONTAINER, Skipped("x", "not here")]), Scripted([])
    assert await collect(lanes(quick, slow), ["x"]) == [CONTAINER, Skipped("x", "not here")]
    assert quick.asked == ["x"]


@pytest.mark.parametrize(
    ("quick", "slow", "expected"),
    [
        ([Unreadable("no media")], [Unreadable("no media")], [Unreadable("no media")]),
        (
            [CONTAINER, Checked("a")],
            [Unreadable("no worker")],
            [CONTAINER, Checked("a"), Skipped("c", "no worker"), Skipped("d", "no worker")],
        ),
        (
            [Unreadable("no worker")],
            [CONTAINER, Checked("c"), Checked("d")],
            [CONTAINER, Checked("c"), Checked("d"), Skipped("a", "no worker")],
        ),
    ],
    ids=["both", "only the slow one", "only the quick one"],
)
async def test_a_clip_is_unreadable_only_if_no_lane_could_read_it(
    quick: list[Message], slow: list[Message], expected: list[Message]
) -> None:
    assert await collect(lanes(Scripted(quick), Scripted(slow)), ["a", "c", "d"]) == expected


async def test_what_goes_wrong_in_a_lane_is_raised_and_the_other_ended() -> None:
    quick, slow = Scripted([CONTAINER], asyncio.Event()), Scripted([RuntimeError("broken")])
    with pytest.raises(RuntimeError, match="broken"):
        await collect(lanes(quick, slow), ["a", "c"])
    assert quick.ended == slow.ended == 1


async def test_a_scan_that_is_given_up_ends_both_lanes() -> None:
    quick, slow = Scripted([CONTAINER, Checked("a")]), Scripted([CONTAINER], asyncio.Event())
    messages = lanes(quick, slow).examine(MATERIAL, ["a", "c"])
    assert await anext(messages) == CONTAINER
    await messages.aclose()  # type: ignore[attr-defined]
    assert quick.ended == slow.ended == 1


async def test_closing_closes_all() -> None:
    quick, slow = Scripted([]), Scripted([])
    await lanes(quick, slow).close()
    assert quick.closed
    assert slow.closed
