"""Runs examiners of different weight side by side, each kind in workers of its own.

Headers and signatures are read in milliseconds by small processes; what looks at pictures loads models and
takes a hundred times as long. In one process the first would wait for the second to load.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from ..intake import Material
from .workers import Checked, Confined, ContainerRead, Message, Skipped, Unreadable, Workers


@dataclass(frozen=True)
class Lane:
    """Workers, and the names of the examiners that run in them."""

    workers: Workers
    examiners: Sequence[str]


class Lanes:
    """Several `Workers` as one. All lanes with something to do start at once.

    Args:
        lanes: an examiner that is in none of them is left to the first, which says that it is not here.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        """Messages of all lanes as they come; the container is told once.

        A clip that one lane could read and another could not is not unreadable: only the examiners of the
        lane that could not are skipped. If no lane could, that is the last message.
        """
        shares = [(lane, names) for lane, names in self._shares(examiners) if names]
        arrived: asyncio.Queue[tuple[Sequence[str], Message | BaseException | None]] = asyncio.Queue()
        runs = [asyncio.create_task(_run(lane.workers, material, names, arrived)) for lane, names in shares]
        told = False
        unreadable: list[tuple[Sequence[str], Unreadable]] = []
        try:
            going = len(runs)
            while going:
                names, message = await arrived.get()
                match message:
                    case None:
                        going -= 1
                    case BaseException():
                        raise message
                    case ContainerRead():
                        if not told:
                            told = True
                            yield message
                    case Unreadable():
                        unreadable.append((names, message))
                    case _:
                        yield message
            for names, reason in unreadable:
                if not told:
                    yield reason
                    return
                for name in names:
                    yield Skipped(name, reason.reason)
        finally:
            for run in runs:
                run.cancel()
            await asyncio.gather(*runs, return_exceptions=True)

    async def warm(self) -> None:
        """Have workers of all lanes ready."""
        await asyncio.gather(*(lane.workers.warm() for lane in self._lanes))

    def sandboxes(self) -> Sequence[Confined]:
        """Of all lanes that have started a worker."""
        return [confined for lane in self._lanes for confined in lane.workers.sandboxes()]

    async def close(self) -> None:
        """End the workers of all lanes."""
        await asyncio.gather(*(lane.workers.close() for lane in self._lanes))

    def _shares(self, examiners: Sequence[str]) -> list[tuple[Lane, list[str]]]:
        first, *others = self._lanes
        elsewhere = {name for lane in others for name in lane.examiners}
        shares = [(first, [name for name in examiners if name not in elsewhere])]
        return shares + [(lane, [name for name in examiners if name in lane.examiners]) for lane in others]


async def _run(
    workers: Workers,
    material: Material,
    names: Sequence[str],
    arrived: asyncio.Queue[tuple[Sequence[str], Message | BaseException | None]],
) -> None:
    """Put everything that `workers` say into the queue, then None, or the exception that ended it."""
    left = list(names)
    try:
        async with aclosing(workers.examine(material, names)) as messages:
            async for message in messages:
                if isinstance(message, Checked | Skipped) and message.examiner in left:
                    left.remove(message.examiner)
                arrived.put_nowait((tuple(left), message))
    except Exception as error:  # noqa: BLE001 - handed to whoever reads the queue, who raises it
        arrived.put_nowait((tuple(left), error))
    else:
        arrived.put_nowait((tuple(left), None))
