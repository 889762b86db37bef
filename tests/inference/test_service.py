"""The inference process comes when it is needed and leaves; what it does wrong costs a retry or a reason."""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.tiny_models import doubling, served
from touchstone.inference import NoAnswer, ServedModel
from touchstone.inference.batching import AUTOMATIC, Batch
from touchstone.inference.blocks import make_block
from touchstone.inference.child_process import ChildProcess, child_command
from touchstone.inference.service import Answered, InferenceService, Times
from touchstone.inference.shared import Block

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="memory is not shared on Windows")

SIZE = 1 << 20
HERE = Path(__file__).resolve().parent


@asynccontextmanager
async def service_of(*models: ServedModel, **options: Any) -> AsyncIterator[InferenceService]:
    service = InferenceService(**options)
    service.serve(models)
    try:
        yield service
    finally:
        await service.close()


class Worker:
    """What a confined worker has: its own view of a block."""

    def __init__(self, service: InferenceService) -> None:
        self.service = service
        self.number, self.descriptor = service.open_block(SIZE)
        self.block = Block(self.descriptor, SIZE)

    def put(
        self, rows: Sequence[Sequence[float]], *, offset: int = 0, model: str = "tiny", **changes: Any
    ) -> Batch:
        values = np.asarray(rows, np.float32)
        self.block.tensor(offset, values.shape, "float32")[...] = values
        batch = Batch(model, self.number, offset, 4096, values.shape, "float32")
        return replace(batch, **changes)

    def answers(self, batch: Batch, answered: Answered) -> list[list[float]]:
        rows: list[list[float]] = self.block.tensor(batch.offset, answered.shape, "float32").tolist()
        return rows

    async def ask(self, rows: Sequence[Sequence[float]], **changes: Any) -> list[list[float]]:
        batch = self.put(rows, **changes)
        return self.answers(batch, await self.service.infer(batch))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


async def test_the_process_comes_when_it_is_needed_and_leaves_when_idle(tmp_path: Path) -> None:
    async with service_of(served(tmp_path), times=Times(idle_s=0.05)) as service:
        worker = Worker(service)
        assert service.pid is None
        assert await worker.ask([[1, 2, 3, 4]]) == [[2, 4, 6, 8]]
        first = service.pid
        await until(lambda: service.pid is None)
        assert await worker.ask([[5, 6, 7, 8]]) == [[10, 12, 14, 16]]
        assert service.pid not in (None, first)


async def test_scans_get_their_own_answers_of_a_shared_run(tmp_path: Path) -> None:
    async with service_of(served(tmp_path, batch=8)) as service:
        workers = [Worker(service) for _ in range(5)]
        asked = [worker.ask([[n] * 4, [n + 0.5] * 4], offset=64 * n) for n, worker in enumerate(workers)]
        answers = await asyncio.gather(*asked)
    assert answers == [[[2.0 * n] * 4, [2.0 * n + 1] * 4] for n in range(5)]


async def test_models_are_told_apart(tmp_path: Path) -> None:
    sums = served(tmp_path, doubling(sums=True), "sums")
    async with service_of(served(tmp_path), sums) as service:
        worker = Worker(service)
        answers = await asyncio.gather(
            worker.ask([[1, 2, 3, 4]]), worker.ask([[1, 2, 3, 4]], model="sums", offset=8192)
        )
    assert answers == [[[2, 4, 6, 8]], [[20]]]


# What a batch is changed into, and the words of the refusal.
BAD_BATCHES: dict[str, tuple[dict[str, Any], str]] = {
    "another model": ({"model": "absent"}, "absent is not installed"),
    "another worker's block": ({"block": 99}, "makes no sense"),
    "outside the block": ({"shape": (8, SIZE)}, "makes no sense"),
    "answers outside the block": ({"room": 2 * SIZE}, "makes no sense"),
    "another type": ({"dtype": "object"}, "makes no sense"),
    "more rows than a run has": ({"shape": (9, 4)}, "9 rows at once"),
    "rows that the model does not take": ({"shape": (1, 5)}, "Got: 5 Expected: 4"),
    "no room for the answers": ({"room": 8}, "do not fit in 8 bytes"),
}


@pytest.mark.parametrize("name", BAD_BATCHES)
async def test_a_batch_that_makes_no_sense_harms_nobody_else(tmp_path: Path, name: str) -> None:
    changes, says = BAD_BATCHES[name]
    async with service_of(served(tmp_path)) as service:
        bad, good = Worker(service), Worker(service)
        outcomes = await asyncio.gather(
            bad.ask([[1, 2, 3, 4]], **changes), good.ask([[1, 1, 1, 1]]), return_exceptions=True
        )
        assert isinstance(outcomes[0], NoAnswer)
        assert says in str(outcomes[0])
        assert outcomes[1] == [[2, 2, 2, 2]]
        assert await good.ask([[3, 3, 3, 3]]) == [[6, 6, 6, 6]]


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"sha256": "0" * 64}, "not the one that was installed"), ({"path": "/none"}, "No such")],
)
async def test_a_file_that_is_not_right_is_never_loaded(
    tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    async with service_of(served(tmp_path, **changes)) as service:
        with pytest.raises(NoAnswer, match=says):
            await Worker(service).ask([[1, 2, 3, 4]])


def misbehaving(act: str, folder: Path) -> list[str]:
    """The command of a process that does `act` instead of the first run, and is sound when started again."""
    return [sys.executable, "-P", str(HERE / "misbehaving_child.py"), act, str(folder)]


# What the process does once, and whether it does it every time it is started; the words of the reason.
LOSSES = {
    "crash": "crashed (SIGSEGV)",
    "leave": "status 3",
    "hang": "longer than 0.5 seconds",
    "babble": "makes no sense",
    "lie": "makes no sense",
}
QUICK = Times(load_s=0.5, run_s=0.5)


@pytest.mark.parametrize("act", LOSSES)
async def test_a_lost_process_costs_a_retry(tmp_path: Path, act: str) -> None:
    times = QUICK if act == "hang" else Times()
    async with service_of(
        served(tmp_path), command=misbehaving(act, tmp_path), times=replace(times, start_s=30)
    ) as service:
        worker, other = Worker(service), Worker(service)
        answers = await asyncio.gather(worker.ask([[1, 2, 3, 4]]), other.ask([[5, 5, 5, 5]]))
    assert answers == [[[2, 4, 6, 8]], [[10, 10, 10, 10]]]
    assert (tmp_path / "starts").read_text() == "xx"


@pytest.mark.parametrize(("act", "says"), LOSSES.items())
async def test_a_batch_that_takes_two_processes_down_is_answered_with_the_reason(
    tmp_path: Path, act: str, says: str
) -> None:
    times = QUICK if act == "hang" else Times()
    async with service_of(
        served(tmp_path), command=misbehaving(f"always {act}", tmp_path), times=times
    ) as service:
        with pytest.raises(NoAnswer) as reason:
            await Worker(service).ask([[1, 2, 3, 4]])
    assert says in str(reason.value)
    assert (tmp_path / "starts").read_text() == "xx"


async def test_a_process_that_does_not_start_is_a_reason(tmp_path: Path) -> None:
    async with service_of(served(tmp_path), command=["/nonexistent/program"]) as service:
        with pytest.raises(NoAnswer, match="/nonexistent/program: No such file"):
            await Worker(service).ask([[1, 2, 3, 4]])


async def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    async with service_of(served(tmp_path)) as service:
        worker = Worker(service)
        await worker.ask([[1, 1, 1, 1]])
        assert service.pid is not None
        os.kill(service.pid, signal.SIGKILL)
        assert await worker.ask([[2, 2, 2, 2]]) == [[4, 4, 4, 4]]


async def test_who_waits_goes_before_what_came_into_view(tmp_path: Path) -> None:
    async with service_of(served(tmp_path, batch=1)) as service:
        worker = Worker(service)
        order: list[str] = []

        async def note(name: str, asked: Awaitable[object]) -> None:
            await asked
            order.append(name)

        automatic = [
            note(f"automatic {n}", worker.ask([[n] * 4], offset=4096 * n, priority=AUTOMATIC))
            for n in range(3)
        ]
        await asyncio.gather(*automatic, note("asked", worker.ask([[9] * 4], offset=4096 * 9)))
    assert order == ["asked", "automatic 0", "automatic 1", "automatic 2"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing confines it")
def test_the_process_reaches_no_network_and_starts_no_program() -> None:
    child = ChildProcess(child_command(), {"models": [], "threads": 1}, os.environ, 30)
    try:
        assert child.refused == {"network": True, "program": True}
    finally:
        child.kill()


async def test_models_that_are_served_anew_are_those_that_answer(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    async with service_of(served(tmp_path)) as service:
        worker = Worker(service)
        assert await worker.ask([[1, 2, 3, 4]]) == [[2, 4, 6, 8]]
        service.serve([served(tmp_path / "new", doubling(sums=True))])
        assert await worker.ask([[1, 2, 3, 4]]) == [[20]]
        service.serve([])
        with pytest.raises(NoAnswer, match="not installed"):
            await worker.ask([[1, 2, 3, 4]])


async def test_a_worker_that_goes_takes_its_batches_along(tmp_path: Path) -> None:
    async with service_of(served(tmp_path)) as service:
        leaving, staying = Worker(service), Worker(service)
        asked = asyncio.create_task(leaving.ask([[1, 1, 1, 1]]))
        await asyncio.sleep(0)
        service.close_block(leaving.number)
        service.close_block(leaving.number)
        asked.cancel()
        assert await staying.ask([[2, 2, 2, 2]]) == [[4, 4, 4, 4]]


async def test_a_service_that_ends_answers_who_waits(tmp_path: Path) -> None:
    hanging = misbehaving("always hang", tmp_path)
    async with service_of(served(tmp_path), command=hanging) as service:
        asked = asyncio.create_task(Worker(service).ask([[1, 1, 1, 1]]))
        await until(lambda: service.pid is not None)
    with pytest.raises(NoAnswer, match="about to end"):
        await asked


def test_a_block_cannot_be_made_shorter_under_its_reader() -> None:
    descriptor = make_block(4096)
    try:
        with mmap.mmap(descriptor, 4096), pytest.raises(OSError, match="not permitted"):
            os.truncate(descriptor, 0)
    finally:
        os.close(descriptor)
