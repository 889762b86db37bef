"""Workers are killed at random while scans run: no scan is lost, and the daemon stays as it was."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
import sys
import threading
from pathlib import Path

import pytest
from pools import clip, collect, hostile_pool

from touchstone.media.workers import Checked, Message, Skipped, Unreadable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SCANS, KILLS = 500, 200
EXAMINERS = ["nap#1", "nap#2", "read"]
GROWTH_MIB = 24


def resident_mib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def answered(messages: list[Message]) -> bool:
    """Every examiner has run or says why not, or the whole scan says why not."""
    if any(isinstance(m, Unreadable) and m.reason for m in messages):
        return True
    outcomes = [m for m in messages if isinstance(m, Checked | Skipped)]
    return sorted(m.examiner for m in outcomes) == sorted(EXAMINERS)


async def test_two_hundred_kills_in_five_hundred_scans(tmp_path: Path) -> None:
    chance = random.Random(0)
    pool = hostile_pool(EXAMINERS, size=3)
    material = clip(tmp_path)
    outcomes: list[list[Message]] = []
    killed = 0

    async def scan(gate: asyncio.Semaphore) -> None:
        async with gate:
            outcomes.append(await collect(pool, material, EXAMINERS))

    async def kill() -> None:
        nonlocal killed
        while killed < KILLS:
            await asyncio.sleep(chance.uniform(0, 0.05))
            workers = [*pool._busy, *(worker for worker, _ in pool._idle)]
            if workers:
                # Through its handle, which knows whether it is dead already and its number someone else's.
                chance.choice(workers)._process._process.send_signal(signal.SIGKILL)
                killed += 1

    try:
        for _ in range(20):  # what is allocated once is allocated
            await collect(pool, material, EXAMINERS)
        gc.collect()
        before, files = resident_mib(), open_files()
        gate = asyncio.Semaphore(6)
        killer = asyncio.create_task(kill())
        while len(outcomes) < SCANS or not killer.done():
            await asyncio.gather(*(scan(gate) for _ in range(25)))
        await killer
        gc.collect()
        after = resident_mib()
    finally:
        await pool.close()
    assert killed == KILLS
    assert len(outcomes) >= SCANS
    assert all(answered(messages) for messages in outcomes)
    whole = sum(all(isinstance(m, Checked) for m in o if isinstance(m, Checked | Skipped)) for o in outcomes)
    assert whole > len(outcomes) / 3, "a kill costs one scan, not all of them"
    assert after - before < GROWTH_MIB
    assert open_files() <= files, "no descriptor is leaked"
    assert sum(t.name.startswith("worker-pool") for t in threading.enumerate()) <= 5
