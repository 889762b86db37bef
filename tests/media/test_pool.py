"""The pool: whatever happens to a worker, every examiner is answered for and the daemon lives on."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from pools import clip, collect, hostile_pool, until

from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.process import WorkerProcess, worker_command
from touchstone.media.spec import Deadlines, Recycling
from touchstone.media.workers import Checked, ContainerRead, Found, Message, Skipped, Unreadable

posix = pytest.mark.skipif(sys.platform == "win32", reason="workers of the tests use signals and fork")
pytestmark = posix


def findings(messages: list[Message], examiner: str) -> list[str]:
    return [m.evidence.finding for m in messages if isinstance(m, Found) and m.evidence.examiner == examiner]


def skipped(messages: list[Message]) -> dict[str, str]:
    return {m.examiner: m.reason for m in messages if isinstance(m, Skipped)}


def checked(messages: list[Message]) -> list[str]:
    return [m.examiner for m in messages if isinstance(m, Checked)]


async def test_a_job_streams_what_examiners_find(tmp_path: Path) -> None:
    pool = hostile_pool(["read", "nothing"])
    material = clip(tmp_path)
    try:
        messages = await collect(pool, material, ["read", "nothing"])
    finally:
        await pool.close()
    assert isinstance(messages[0], ContainerRead)
    assert messages[0].container.format == "mp4"
    assert findings(messages, "read") == ["before", str(material.size)]
    assert checked(messages) == ["read", "nothing"]


# What one examiner does, and the words that the reason it is skipped for must contain.
LOST = {
    "crash": "SIGSEGV",
    "hang": "longer than 2 seconds",
    "spin": "longer than 2 seconds",
    "leave": "status 3",
    "babble": "makes no sense",
    "forge": "makes no sense",
    "announce_too_much": "makes no sense",
}


@pytest.mark.parametrize(("act", "words"), LOST.items())
async def test_a_lost_worker_costs_one_examiner(tmp_path: Path, act: str, words: str) -> None:
    pool = hostile_pool([act, "nothing", "read"], deadlines=Deadlines(examiner_s=2))
    try:
        messages = await collect(pool, clip(tmp_path), ["read", act, "nothing"])
    finally:
        await pool.close()
    assert checked(messages) == ["read", "nothing"]
    assert words in skipped(messages)[act]
    # What was found before the worker was lost is kept, and nothing is told twice.
    assert findings(messages, act) == ["before"]
    assert findings(messages, "read")[0] == "before"
    assert sum(isinstance(m, ContainerRead) for m in messages) == 1


# Examiners that fail in a way which leaves the worker as it was.
FAILED = {"raise": "KeyError", "devour": "more memory"}


@pytest.mark.parametrize(("act", "words"), FAILED.items())
async def test_a_failing_examiner_keeps_the_worker(tmp_path: Path, act: str, words: str) -> None:
    pool = hostile_pool([act, "pid#1", "pid#2"], memory_mib=700)
    try:
        messages = await collect(pool, clip(tmp_path), ["pid#1", act, "pid#2"])
    finally:
        await pool.close()
    assert words in skipped(messages)[act]
    assert findings(messages, "pid#1") == findings(messages, "pid#2")


async def test_a_fork_bomb_gets_nowhere(tmp_path: Path) -> None:
    pool = hostile_pool(["fork_bomb"])
    try:
        messages = await collect(pool, clip(tmp_path), ["fork_bomb"])
    finally:
        await pool.close()
    if pool.sandbox and not pool.sandbox.refused["child_process"]:
        pytest.skip(f"this system cannot forbid child processes: {pool.sandbox.mechanisms}")
    assert findings(messages, "fork_bomb") == ["before", "1000 of 1000 refused"]


async def test_evidence_that_is_too_large_loses_its_details_only(tmp_path: Path) -> None:
    pool = hostile_pool(["huge"])
    try:
        messages = await collect(pool, clip(tmp_path), ["huge"])
    finally:
        await pool.close()
    assert checked(messages) == ["huge"]
    last = [m.evidence for m in messages if isinstance(m, Found)][-1]
    assert "left out" in last.details["left_out"]
    assert len(last.finding) <= 2000


async def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    pool = hostile_pool(["surrogate"])
    try:
        messages = await collect(pool, clip(tmp_path), ["surrogate"])
    finally:
        await pool.close()
    assert findings(messages, "surrogate") == ["before", "?"]


async def test_threads_may_start_where_a_filter_tells_them_from_processes(tmp_path: Path) -> None:
    pool = hostile_pool(["thread"])
    try:
        messages = await collect(pool, clip(tmp_path), ["thread"])
    finally:
        await pool.close()
    if pool.sandbox and not pool.sandbox.threads:
        pytest.skip("no filter on this system")
    assert findings(messages, "thread") == ["before", "ran"]


async def test_many_fragments_reach_the_worker(tmp_path: Path) -> None:
    fragments = []
    for number in range(450):  # more than one message can carry
        path = tmp_path / f"{number}.m4s"
        path.write_bytes(bytes(10))
        fragments.append(path)
    base = clip(tmp_path)
    pool = hostile_pool(["fragments"])
    try:
        material = Material(base.path, base.size, fragments=tuple(fragments))
        messages = await collect(pool, material, ["fragments"])
    finally:
        await pool.close()
    assert findings(messages, "fragments") == ["before", "4500"]


async def test_what_is_no_media_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam, " * 100)
    pool = hostile_pool(["nothing"])
    try:
        messages = await collect(pool, Material(path, path.stat().st_size), ["nothing"])
    finally:
        await pool.close()
    assert [type(m) for m in messages] == [Unreadable]


async def test_a_file_that_is_gone_is_unreadable_and_named(tmp_path: Path) -> None:
    pool = hostile_pool(["nothing"])
    try:
        messages = await collect(pool, Material(tmp_path / "gone.mp4", 5), ["nothing"])
    finally:
        await pool.close()
    assert isinstance(messages[0], Unreadable)
    assert "gone.mp4" in messages[0].reason


async def test_an_examiner_that_is_not_there_is_skipped(tmp_path: Path) -> None:
    pool = hostile_pool(["nothing"])
    try:
        messages = await collect(pool, clip(tmp_path), ["nothing", "detector"])
    finally:
        await pool.close()
    assert list(skipped(messages)) == ["detector"]
    assert checked(messages) == ["nothing"]


async def test_workers_that_cannot_start_are_a_reason_not_a_crash(tmp_path: Path) -> None:
    pool = hostile_pool(["nothing"], settings={"fail": True})
    try:
        messages = await collect(pool, clip(tmp_path), ["nothing"])
    finally:
        await pool.close()
    assert isinstance(messages[0], Unreadable)
    assert "could not be started" in messages[0].reason


async def test_a_cancelled_scan_ends_its_worker(tmp_path: Path) -> None:
    pool = hostile_pool(["hang", "nothing"], deadlines=Deadlines(examiner_s=60))
    try:
        scan = asyncio.create_task(collect(pool, clip(tmp_path), ["hang"]))
        await until(lambda: bool(pool._busy))
        worker = next(iter(pool._busy))
        await asyncio.sleep(0.2)
        scan.cancel()
        with pytest.raises(asyncio.CancelledError):
            await scan
        await until(lambda: not worker.alive(), 5)
        assert checked(await collect(pool, clip(tmp_path), ["nothing"])) == ["nothing"]
    finally:
        await pool.close()


async def test_one_worker_serves_many_scans_until_it_is_worn(tmp_path: Path) -> None:
    pool = hostile_pool(["pid"], recycling=Recycling(jobs=3, memory_mib=100_000))
    try:
        pids = [findings(await collect(pool, clip(tmp_path), ["pid"]), "pid")[1] for _ in range(6)]
    finally:
        await pool.close()
    assert len(set(pids[:3])) == 1
    assert len(set(pids[3:])) == 1
    assert pids[0] != pids[3]


async def test_a_worker_that_grew_is_replaced(tmp_path: Path) -> None:
    pool = hostile_pool(["pid"], recycling=Recycling(jobs=100, memory_mib=1))
    try:
        pids = [findings(await collect(pool, clip(tmp_path), ["pid"]), "pid")[1] for _ in range(2)]
    finally:
        await pool.close()
    assert pids[0] != pids[1]


async def test_the_daemons_own_memory_does_not_wear_workers_out(tmp_path: Path) -> None:
    """A process that is started counts its starter's peak as its own, until it is asked of the system."""
    daemon_memory = bytearray(os.urandom(1 << 20) * 300)
    pool = hostile_pool(["pid"], recycling=Recycling(jobs=100, memory_mib=250))
    try:
        pids = [findings(await collect(pool, clip(tmp_path), ["pid"]), "pid")[1] for _ in range(2)]
    finally:
        await pool.close()
    assert len(daemon_memory) > 250 << 20
    assert pids[0] == pids[1]


async def test_unused_workers_end(tmp_path: Path) -> None:
    pool = hostile_pool(["pid"], deadlines=Deadlines(idle_s=0.2))
    try:
        pid = int(findings(await collect(pool, clip(tmp_path), ["pid"]), "pid")[1])
        await until(lambda: not _exists(pid), 5)
    finally:
        await pool.close()


async def test_no_more_jobs_run_at_once_than_the_size(tmp_path: Path) -> None:
    pool = hostile_pool(["doze"], size=2)
    busiest = 0

    async def scan() -> None:
        nonlocal busiest
        async for _ in pool.examine(clip(tmp_path), ["doze"]):
            busiest = max(busiest, len(pool._busy))

    try:
        await asyncio.gather(*(scan() for _ in range(6)))
    finally:
        await pool.close()
    assert busiest == 2


async def test_a_warm_pool_answers_at_once(tmp_path: Path) -> None:
    pool = hostile_pool(["nothing"])
    try:
        await pool.warm()
        await until(lambda: bool(pool._idle))
        started = time.perf_counter()
        await collect(pool, clip(tmp_path), ["nothing"])
        took = time.perf_counter() - started
    finally:
        await pool.close()
    assert took < 0.25, "a ready worker needs no start-up"


async def test_closing_leaves_no_process_behind(tmp_path: Path) -> None:
    pool = hostile_pool(["pid"], size=2)
    messages = await collect(pool, clip(tmp_path), ["pid"])
    pids = {int(findings(messages, "pid")[1])} | {worker.pid for worker, _ in pool._idle}
    await pool.close()
    assert not any(_exists(pid) for pid in pids)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_worker_whose_daemon_died_ends_itself(tmp_path: Path) -> None:
    """Nobody reads its answers and nobody ends it; its own alarm does, as its job said."""
    spec = hostile_pool(["hang"])._spec
    worker = await asyncio.to_thread(WorkerProcess, worker_command(), spec, os.environ, 30.0)
    try:
        worker.begin(clip(tmp_path), ["hang"], 0.5)
        await until(lambda: not worker.alive(), 10)
    finally:
        worker.kill()


def test_a_pool_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        WorkerPool(hostile_pool(["nothing"])._spec, size=0)


async def test_who_stops_listening_frees_the_worker_at_once(tmp_path: Path) -> None:
    """As when a scan is cancelled between two messages; collecting garbage would be too late."""
    pool = hostile_pool(["read", "nothing"])
    try:
        async with aclosing(pool.examine(clip(tmp_path), ["read", "nothing"])) as messages:
            await anext(messages)
            assert pool._busy
        assert not pool._busy
        assert not pool._slots.locked()
    finally:
        await pool.close()


async def test_closing_does_not_wait_for_a_worker_that_is_starting() -> None:
    """This one never comes up; its deadline is minutes away."""
    stuck = [sys.executable, "-c", "import time; time.sleep(600)"]
    pool = WorkerPool(hostile_pool(["nothing"])._spec, command=stuck, deadlines=Deadlines(start_s=300))
    await pool.warm()
    await until(lambda: bool(pool._starting))
    pids = [worker.pid for worker in pool._starting]
    async with asyncio.timeout(20):
        await pool.close()
    assert not any(_exists(pid) for pid in pids)


async def test_closing_ends_a_job_that_waits_for_its_worker(tmp_path: Path) -> None:
    stuck = [sys.executable, "-c", "import time; time.sleep(600)"]
    pool = WorkerPool(hostile_pool(["nothing"])._spec, command=stuck, deadlines=Deadlines(start_s=300))
    job = asyncio.create_task(collect(pool, clip(tmp_path), ["nothing"]))
    await until(lambda: bool(pool._starting))
    async with asyncio.timeout(20):
        await pool.close()
        (message,) = await job
    assert isinstance(message, Unreadable)
