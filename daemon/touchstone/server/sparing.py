"""Whether scans that nobody asked for are put off: on battery, or when the machine is hot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from ..messages import say
from ..system.power import PowerState

KNOWN_FOR_S = 15.0
"""How long an answer of the machine stands: a feed full of videos must not ask it for each."""


class Sparing:
    """Decides for each scan that nobody asked for.

    Args:
        on_demand_only: the setting.
        state: asks the machine; may take a moment.
        monotonic: seconds.
    """

    def __init__(
        self,
        on_demand_only: Literal["auto", "on", "off"],
        state: Callable[[], PowerState],
        monotonic: Callable[[], float],
    ) -> None:
        self._setting = on_demand_only
        self._state = state
        self._monotonic = monotonic
        self._known: tuple[float, PowerState] | None = None

    async def reason(self) -> str | None:
        """Why such a scan is put off now, for people; None where it is not."""
        if self._setting == "off":
            return None
        if self._setting == "on":
            return say("server.put_off.always")
        state = await self._now()
        if state.on_battery:
            return say("server.put_off.battery")
        return say("server.put_off.hot") if state.hot else None

    async def _now(self) -> PowerState:
        if self._known is None or self._monotonic() - self._known[0] > KNOWN_FOR_S:
            self._known = self._monotonic(), await asyncio.to_thread(self._state)
        return self._known[1]
