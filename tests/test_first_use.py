"""What is done once, after the first scan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from touchstone.first_use import AfterFirstUse
from touchstone.intake import Material
from touchstone.media.workers import Checked, Confined, Message

CLIP = Material(Path("clip.mp4"), 1)


class Noting:
    """Workers that note what becomes of them."""

    def __init__(self) -> None:
        self.closed = False

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        for name in examiners:
            yield Checked(name)

    async def warm(self) -> None:
        return None

    def sandboxes(self) -> Sequence[Confined]:
        return []

    async def close(self) -> None:
        self.closed = True


async def test_it_is_done_once_after_the_first_scan() -> None:
    done: list[str] = []

    async def then() -> None:
        done.append("x")

    workers = AfterFirstUse(Noting(), then)
    for _ in range(3):
        messages = [message async for message in workers.examine(CLIP, ["labels"])]
        assert messages == [Checked("labels")]
        await asyncio.sleep(0)
    assert done == ["x"]
    await workers.close()


async def test_it_ends_with_the_workers() -> None:
    inner, ended = Noting(), asyncio.Event()

    async def then() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.set()

    workers = AfterFirstUse(inner, then)
    assert [message async for message in workers.examine(CLIP, ["labels"])]
    await asyncio.sleep(0)
    await workers.close()
    assert ended.is_set()
    assert inner.closed
