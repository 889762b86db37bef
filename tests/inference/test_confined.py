"""Examiners in confined workers get answers of models that they ask for by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inference.tiny_models import served
from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.rehearsal import smallest_mp4
from touchstone.media.spec import WorkerSpec
from touchstone.media.workers import Found, Message, ModelsRan, Skipped

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers need sockets that carry descriptors")
HERE = Path(__file__).resolve().parent


def clip(folder: Path) -> Material:
    """A valid clip without tracks, larger than the one that workers rehearse with."""
    path = folder / "clip.mp4"
    path.write_bytes(smallest_mp4() + (5008).to_bytes(4, "big") + b"free" + bytes(5000))
    return Material(path, path.stat().st_size)


async def messages_of(pool: WorkerPool, folder: Path, examiners: list[str]) -> list[Message]:
    try:
        return [message async for message in pool.examine(clip(folder), examiners)]
    finally:
        await pool.close()


def asking(folder: Path, examiners: list[str], rows: int) -> WorkerSpec:
    return WorkerSpec(
        examiners=examiners,
        settings={"rows": rows},
        registry="asking_examiners:build",
        python_path=(str(HERE),),
        models=(served(folder).as_json(),),
    )


async def test_a_model_runs_in_the_worker_and_is_named(tmp_path: Path) -> None:
    pool = WorkerPool(asking(tmp_path, ["tiny", "absent"], rows=9), size=1)
    messages = await messages_of(pool, tmp_path, ["tiny", "absent"])
    assert [m.evidence.finding for m in messages if isinstance(m, Found)] == ["[268.0, 276.0, 284.0]"]
    assert [m.reason for m in messages if isinstance(m, Skipped)] == ["The model absent is not installed."]
    (ran,) = [m.models for m in messages if isinstance(m, ModelsRan)]
    assert list(ran) == ["tiny"]
    assert ran["tiny"].provider == "CPUExecutionProvider"
    assert ran["tiny"].ms > 0
