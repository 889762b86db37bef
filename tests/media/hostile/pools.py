"""Pools whose workers run the hostile examiners, and clips for them to run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.rehearsal import smallest_mp4
from touchstone.media.sandbox import ProcessLimits
from touchstone.media.spec import Deadlines, Recycling, WorkerSpec
from touchstone.media.workers import Message

HERE = Path(__file__).resolve().parent


def hostile_pool(
    examiners: Sequence[str],
    *,
    size: int = 1,
    settings: Mapping[str, Any] | None = None,
    deadlines: Deadlines | None = None,
    recycling: Recycling | None = None,
    memory_mib: int = 1024,
) -> WorkerPool:
    """A pool of workers that can run `examiners`, which are names in hostile_examiners.py."""
    spec = WorkerSpec(
        examiners=examiners,
        settings=settings or {},
        registry="hostile_examiners:build",
        python_path=(str(HERE),),
        limits=ProcessLimits(memory_mib=memory_mib),
    )
    return WorkerPool(
        spec, size=size, deadlines=deadlines or Deadlines(examiner_s=20), recycling=recycling or Recycling()
    )


def clip(folder: Path, name: str = "clip.mp4", padding: int = 5000) -> Material:
    """A valid MP4 without tracks, larger than the one that workers rehearse with."""
    path = folder / name
    path.write_bytes(smallest_mp4() + (8 + padding).to_bytes(4, "big") + b"free" + bytes(padding))
    return Material(path, path.stat().st_size)


async def collect(pool: WorkerPool, material: Material, examiners: Sequence[str]) -> list[Message]:
    """All messages of one job."""
    return [message async for message in pool.examine(material, examiners)]


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for `condition`; a TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.02)
