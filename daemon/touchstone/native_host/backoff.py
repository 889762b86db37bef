"""Exponential back-off with full jitter: many hosts that lose one daemon must not come back all at once."""

from __future__ import annotations

import asyncio
import random

FIRST_S = 0.2
CAP_S = 10.0


class Backoff:
    """How long to wait before the next attempt.

    The n-th wait is drawn evenly between half of and the whole of min(10, 0.2 * 2**n) seconds.
    """

    def __init__(self) -> None:
        self.count = 0

    def reset(self) -> None:
        """It worked: the next wait is a short one again."""
        self.count = 0

    def next_s(self) -> float:
        """Count one more failure and say how long to wait for it, in seconds."""
        whole = min(CAP_S, FIRST_S * 2.0 ** min(self.count, 16))
        self.count += 1
        return random.uniform(whole / 2, whole)  # noqa: S311 - spreads load, guards nothing

    async def sleep(self) -> None:
        """Wait."""
        await asyncio.sleep(self.next_s())
