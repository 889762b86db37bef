"""Keeps a store on a thread of its own, so that the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

from .database import Store

P = ParamSpec("P")
T = TypeVar("T")


class StoreThread:
    """A store behind one thread: calls run one after the other, in the order they were made.

    `await db.do(Store.get, scan_id)` is `store.get(scan_id)` on that thread.
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open = open_store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._store: Store | None = None

    async def __aenter__(self) -> StoreThread:
        self._store = await self._run(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._store is not None:
            await self._run(self._store.close)
        self._thread.shutdown(wait=False)

    async def do(self, method: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of the store.

        A write is finished even when the caller is cancelled while it waits.
        """
        if self._store is None:
            raise RuntimeError("the store is not open; use `async with`")
        return await asyncio.shield(self._run(partial(method, self._store, *args, **kwargs)))

    def _run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, call)
