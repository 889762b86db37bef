"""Keeps fetches few: so many at once, so many requests to one host per second."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from ..messages import say
from . import IntakeError
from .limits import FetchLimits

REMEMBERED_HOSTS = 1024
"""Hosts whose pace is kept in mind; one that has not been asked for longest is forgotten first."""


@dataclass
class _Host:
    turns: asyncio.Semaphore
    tokens: float
    seen: float
    using: int = field(default=0)


class Pacing:
    """Hands out turns to fetch, and makes requests to one host wait for each other.

    Args:
        limits: how many and how fast.
        clock: seconds, never going back.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        limits: FetchLimits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self._turns = asyncio.Semaphore(limits.fetches)
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a turn to fetch from `host` and hold it while the context is open.

        Raises:
            IntakeError: `busy` when none came free in time.
        """
        state = self._host(host)
        state.using += 1
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(self._limits.queue_s):
                        # The host's turn first: waiting for one busy host must not take turns from others.
                        await held.enter_async_context(state.turns)
                        await held.enter_async_context(self._turns)
                except TimeoutError as problem:
                    raise IntakeError("busy", say("intake.fetch.busy", host=host)) from problem
                yield
        finally:
            state.using -= 1

    async def request(self, host: str) -> None:
        """Wait until one more request to `host` keeps within its rate (a token bucket)."""
        state = self._host(host)
        now = self._clock()
        gained = (now - state.seen) * self._limits.requests_per_host_s
        state.tokens = min(self._limits.burst_per_host, state.tokens + gained) - 1
        state.seen = now
        if state.tokens < 0:  # those who come meanwhile wait longer, in the order they came
            await self._sleep(-state.tokens / self._limits.requests_per_host_s)

    def _host(self, host: str) -> _Host:
        state = self._hosts.get(host)
        if state is None:
            turns = asyncio.Semaphore(self._limits.fetches_per_host)
            state = _Host(turns, tokens=self._limits.burst_per_host, seen=self._clock())
            self._hosts[host] = state
            self._forget()
        self._hosts.move_to_end(host)
        return state

    def _forget(self) -> None:
        if len(self._hosts) > REMEMBERED_HOSTS:
            for host in [name for name, state in self._hosts.items() if not state.using][:1]:
                del self._hosts[host]
