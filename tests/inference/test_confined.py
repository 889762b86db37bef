"""Examiners in confined workers get answers of models that they ask for by name."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.tiny_models import served
from touchstone.inference import NoAnswer
from touchstone.inference.blocks import make_block
from touchstone.inference.remote import LEAST_ROOM, Remote
from touchstone.inference.service import InferenceService
from touchstone.inference.shared import Block
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


def asking(folder: Path, examiners: list[str], rows: int, *, apart: bool = False) -> WorkerSpec:
    return WorkerSpec(
        examiners=examiners,
        settings={"rows": rows},
        registry="asking_examiners:build",
        python_path=(str(HERE),),
        models=(served(folder, apart=apart).as_json(),),
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


async def test_a_model_runs_apart_and_examiners_do_not_notice(tmp_path: Path) -> None:
    service = InferenceService()
    service.serve([served(tmp_path, apart=True)])
    try:
        spec = asking(tmp_path, ["tiny", "absent"], rows=40, apart=True)
        pools = [WorkerPool(spec, size=1, inference=service) for _ in range(2)]
        told = await asyncio.gather(*(messages_of(pool, tmp_path, ["tiny", "absent"]) for pool in pools))
    finally:
        await service.close()
    for messages in told:
        assert [m.evidence.finding for m in messages if isinstance(m, Found)] == ["[1260.0, 1268.0, 1276.0]"]
        assert [m.reason for m in messages if isinstance(m, Skipped)] == [
            "The model absent is not installed."
        ]
        (ran,) = [m.models for m in messages if isinstance(m, ModelsRan)]
        assert (ran["tiny"].provider, ran["tiny"].ms > 0) == ("CPUExecutionProvider", True)


async def test_a_lost_process_skips_the_examiner_with_the_reason(tmp_path: Path) -> None:
    broken = InferenceService(command=[sys.executable, "-c", ""])
    broken.serve([served(tmp_path, apart=True)])
    try:
        pool = WorkerPool(asking(tmp_path, ["tiny"], rows=1, apart=True), size=1, inference=broken)
        messages = await messages_of(pool, tmp_path, ["tiny"])
    finally:
        await broken.close()
    (reason,) = [m.reason for m in messages if isinstance(m, Skipped)]
    assert reason.startswith("The model tiny gave no answer: the process that runs models ended by itself")
    assert not any(isinstance(m, Found | ModelsRan) for m in messages)


async def test_a_pool_changes_over_to_what_it_is_told_anew(tmp_path: Path) -> None:
    service = InferenceService()
    service.serve([served(tmp_path, apart=True)])
    pool = WorkerPool(asking(tmp_path, ["tiny"], rows=1), size=1, inference=service)
    try:
        material = clip(tmp_path)
        assert [message async for message in pool.examine(material, ["tiny"])]
        before = set(pool.pids)
        pool.renew(asking(tmp_path, ["tiny"], rows=9, apart=True))
        messages = [message async for message in pool.examine(material, ["tiny"])]
        assert [m.evidence.finding for m in messages if isinstance(m, Found)] == ["[268.0, 276.0, 284.0]"]
        assert service.pid is not None, "it runs apart now"
        assert not before & set(pool.pids)
    finally:
        await pool.close()
        await service.close()


class Daemon:
    """The other end of a worker's channel: doubles what it is asked about, the newest first."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.asked: list[dict[str, Any]] = []
        self.most = 0

    def send(self, message: Mapping[str, Any]) -> None:
        self.asked.append(dict(message))
        self.most = max(self.most, len(self.asked))

    def receive(self) -> dict[str, Any]:
        asked = self.asked.pop()
        rows = self.block.tensor(asked["offset"], asked["shape"], asked["dtype"])
        rows *= 2
        return {"number": asked["number"], "shape": asked["shape"], "provider": "P", "ms": 1.5}


@pytest.mark.parametrize(("blocks", "at_once"), [(4, 4), (1, 1)])
def test_answers_come_in_any_order_and_a_full_block_waits(tmp_path: Path, blocks: int, at_once: int) -> None:
    size = blocks * LEAST_ROOM
    block = Block(make_block(size), size)
    daemon = Daemon(block)
    client = Remote([served(tmp_path, batch=2)], daemon, block)
    rows = np.arange(40, dtype=np.float32).reshape(-1, 4)
    pending = [client.submit("tiny", rows), client.submit("tiny", rows + 1)]
    assert np.array_equal(pending[1].result(), 2 * rows + 2)
    assert np.array_equal(pending[0].result(), 2 * rows)
    assert daemon.most == at_once
    assert client.take_uses()["tiny"].ms == 15
    client.submit("tiny", rows)
    client.settle()
    assert daemon.asked == []
    with pytest.raises(NoAnswer, match="absent"):
        client.submit("absent", rows)
    with pytest.raises(TypeError, match="float64"):
        client.submit("tiny", rows.astype(np.float64))


class SlowDaemon(Daemon):
    """Answers in no order, after a while, and has one reader at a time, as a socket has to have."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self.arrived = threading.Semaphore(0)
        self.reading = threading.Lock()
        self.chance = random.Random(0)

    def send(self, message: Mapping[str, Any]) -> None:
        super().send(message)
        self.arrived.release()

    def receive(self) -> dict[str, Any]:
        assert self.reading.acquire(blocking=False), "two threads read one channel"
        try:
            assert self.arrived.acquire(timeout=20), "waits for an answer to nothing"
            time.sleep(self.chance.random() / 1000)
            place = self.chance.randrange(len(self.asked))
            self.asked.append(self.asked.pop(place))
            return super().receive()
        finally:
            self.reading.release()


@pytest.mark.parametrize("blocks", [1, 2, 16])
def test_several_threads_ask_over_one_channel(tmp_path: Path, blocks: int) -> None:
    size = blocks * LEAST_ROOM
    block = Block(make_block(size), size)
    daemon = SlowDaemon(block)
    client = Remote([served(tmp_path, batch=2)], daemon, block)

    def ask(number: int) -> bool:
        rows = np.full((7, 4), number, np.float32)
        pending = [client.submit("tiny", rows + more) for more in range(3)]
        return all(np.array_equal(p.result(), 2 * rows + 2 * more) for more, p in enumerate(pending))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, range(40)))
    assert client.take_uses()["tiny"].ms == 1.5 * 4 * 3 * 40
    assert daemon.asked == []
