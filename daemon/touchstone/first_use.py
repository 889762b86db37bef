"""Does something once, after the first scan: what would only get in the way of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from .intake import Material
from .media.workers import Confined, Message, Workers


class AfterFirstUse:
    """`Workers` that call `then` once, in the background, when their first job is over.

    Args:
        workers: that do the work.
        then: what to do. It is cancelled when the workers are closed.
    """

    def __init__(self, workers: Workers, then: Callable[[], Awaitable[None]]) -> None:
        self._workers = workers
        self._then = then
        self._task: asyncio.Future[None] | None = None

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        """See Workers."""
        async with aclosing(self._workers.examine(material, examiners)) as messages:
            async for message in messages:
                yield message
        if self._task is None:
            self._task = asyncio.ensure_future(self._then())

    async def warm(self) -> None:
        """See Workers."""
        await self._workers.warm()

    def sandboxes(self) -> Sequence[Confined]:
        """See Workers."""
        return self._workers.sandboxes()

    async def close(self) -> None:
        """See Workers."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._workers.close()
