"""Workers over two pipes instead of a socket: the link that Windows uses, on whatever system this is."""

from __future__ import annotations

import os
import struct
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hostile_examiners import FORBIDDEN
from pools import clip, collect, hostile_pool

from touchstone.intake import Material
from touchstone.media.launch import OverPipes, Ways
from touchstone.media.link import LinkBroken, LinkSlow
from touchstone.media.pipes import PipeLink
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import Deadlines
from touchstone.media.workers import Checked, Found, Message, Skipped

posix = pytest.mark.skipif(sys.platform == "win32", reason="here files are lent by inheritance")


@pytest.fixture
def ends() -> Iterator[tuple[PipeLink, PipeLink]]:
    """The daemon's end and a worker's, which knows files by numbers one higher."""
    down, up = os.pipe(), os.pipe()
    ours = PipeLink(up[0], down[1], largest=1000)
    theirs = PipeLink(down[0], up[1], largest=1 << 20, adopt=lambda number: number + 1)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_arrive_whole_and_in_order(ends: tuple[PipeLink, PipeLink]) -> None:
    ours, theirs = ends
    long = {"text": "ü" * 300_000}  # more than a pipe holds
    sender = threading.Thread(target=lambda: (ours.send(long), ours.send({"n": 2})))
    sender.start()
    assert theirs.receive() == long
    assert theirs.receive() == {"n": 2}
    sender.join(5)
    theirs.send({"n": 3})
    theirs.send({"n": 4})
    soon = time.monotonic() + 5
    assert [ours.receive(soon), ours.receive(soon)] == [{"n": 3}, {"n": 4}]


def test_files_travel_as_numbers(ends: tuple[PipeLink, PipeLink]) -> None:
    ours, theirs = ends
    ours.send({"type": "files"}, [7, 9])
    assert theirs.receive_with_files() == ({"type": "files"}, [8, 10])


def test_silence_is_not_waited_for_beyond_the_deadline(ends: tuple[PipeLink, PipeLink]) -> None:
    ours, theirs = ends
    with pytest.raises(LinkSlow):
        ours.receive(time.monotonic() + 0.05)
    theirs.send({"late": True})
    assert ours.receive(time.monotonic() + 5) == {"late": True}


# What the other side writes, as it is, and the words of what is wrong with it.
BROKEN = {
    "too long": (struct.pack(">I", 1001) + bytes(1001), "over the limit"),
    "no JSON": (struct.pack(">I", 4) + b"{{{{", "not JSON"),
    "no object": (struct.pack(">I", 4) + b"[{}]", "not an object"),
    "half a character": (struct.pack(">I", 14) + b'{"a":"\\ud800"}', "half a character"),
    "half a message": (struct.pack(">I", 9) + b"{}", "has gone"),
    "nothing": (b"", "has gone"),
}


@pytest.mark.parametrize(("written", "words"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("deadline", [None, 5.0])
def test_what_is_no_message_breaks_the_link(written: bytes, words: str, deadline: float | None) -> None:
    reading, writing = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    link = PipeLink(reading, nowhere, largest=1000)
    os.write(writing, written)
    os.close(writing)
    try:
        for _ in range(2):  # whoever asks again is told again
            with pytest.raises(LinkBroken, match=words):
                link.receive(None if deadline is None else time.monotonic() + deadline)
            if deadline is None:
                break
    finally:
        link.close()


def test_a_flood_waits_for_whoever_reads(ends: tuple[PipeLink, PipeLink]) -> None:
    ours, theirs = ends
    ours.send({"go": True})
    theirs.receive()
    sent: list[int] = []

    def flood() -> None:
        for number in range(2000):
            theirs.send({"n": number, "text": "x" * 900})
            sent.append(number)

    flooding = threading.Thread(target=flood, daemon=True)
    flooding.start()
    assert ours.receive(time.monotonic() + 5)["n"] == 0
    flooding.join(0.3)
    assert flooding.is_alive(), "it is held up by a full pipe, not read into memory"
    assert all(ours.receive(time.monotonic() + 5)["n"] == n for n in range(1, 2000))
    flooding.join(5)


def piped_pool(pool: WorkerPool, files: list[int]) -> WorkerPool:
    """The same pool over pipes; its workers inherit the files that they will be asked to read."""

    def start(command: object, environment: object, limits: object, inherited: object) -> OverPipes:
        return OverPipes(command, environment, limits, files)  # type: ignore[arg-type]

    pool._ways = Ways([start])
    return pool


def findings(messages: list[Message], examiner: str) -> list[str]:
    return [m.evidence.finding for m in messages if isinstance(m, Found) and m.evidence.examiner == examiner]


@pytest.fixture
def material(tmp_path: Path) -> Iterator[tuple[Material, list[int]]]:
    """A clip, and descriptors of it to be inherited, one for each job of a worker."""
    made = clip(tmp_path)
    descriptors = [os.open(made.path, os.O_RDONLY) for _ in range(3)]
    yield made, descriptors
    for descriptor in descriptors:
        os.close(descriptor)


@posix
async def test_a_job_runs_over_pipes_as_over_a_socket(material: tuple[Material, list[int]]) -> None:
    made, files = material
    pool = piped_pool(hostile_pool(["read", "nothing"]), files)
    try:
        for _ in range(2):
            messages = await collect(pool, made, ["read", "nothing"])
            assert findings(messages, "read") == ["before", str(made.size)]
        report = await pool.check()
    finally:
        await pool.close()
    assert report.threads
    assert report.limits["FSIZE"] == "0"


@posix
async def test_fragments_come_over_pipes_too(tmp_path: Path, material: tuple[Material, list[int]]) -> None:
    made, files = material
    fragments = []
    for number in range(30):
        path = tmp_path / f"{number}.m4s"
        path.write_bytes(bytes(10))
        fragments.append(path)
    opened = [os.open(path, os.O_RDONLY) for path in fragments]
    pool = piped_pool(hostile_pool(["fragments"]), files + opened)
    try:
        whole = Material(made.path, made.size, fragments=tuple(fragments))
        messages = await collect(pool, whole, ["fragments"])
    finally:
        await pool.close()
        for descriptor in opened:
            os.close(descriptor)
    assert findings(messages, "fragments") == ["before", "300"]


# As in test_pool.py: one examiner loses its worker, and the words of the reason.
LOST = {
    "crash": "SIGSEGV",
    "hang": "longer than 2 seconds",
    "leave": "status 3",
    "babble": "makes no sense",
    "forge": "makes no sense",
    "announce_too_much": "makes no sense",
}


@posix
@pytest.mark.parametrize(("act", "words"), LOST.items())
async def test_a_lost_worker_costs_one_examiner(
    material: tuple[Material, list[int]], act: str, words: str
) -> None:
    made, files = material
    pool = piped_pool(hostile_pool([act, "nothing"], deadlines=Deadlines(examiner_s=2)), files)
    try:
        messages = await collect(pool, made, [act, "nothing"])
    finally:
        await pool.close()
    assert [m.examiner for m in messages if isinstance(m, Checked)] == ["nothing"]
    assert [words in m.reason for m in messages if isinstance(m, Skipped)] == [True]
    assert findings(messages, act) == ["before"]


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")
async def test_everything_forbidden_is_refused_over_pipes_too(material: tuple[Material, list[int]]) -> None:
    made, files = material
    names = list(FORBIDDEN)
    pool = piped_pool(hostile_pool(names), files)
    try:
        messages = await collect(pool, made, names)
        report = await pool.check()
    finally:
        await pool.close()
    if not report.complete:
        pytest.skip(f"this kernel cannot confine workers fully: {report.mechanisms}")
    said = {m.evidence.examiner: m.evidence.finding for m in messages if isinstance(m, Found)}
    assert dict.fromkeys(names, "refused") == {name: said[name].partition(":")[0] for name in names}


def _does_not_start(*_: object, why: str) -> OverPipes:
    raise OSError(why)


@posix
async def test_a_way_that_a_system_lacks_is_tried_once(material: tuple[Material, list[int]]) -> None:
    made, files = material
    tried: list[str] = []

    def never(*_: object) -> OverPipes:
        tried.append("never")
        raise OSError("no such token here")

    pool = piped_pool(hostile_pool(["pid"], size=1), files)
    pool._ways = Ways([never, *pool._ways.left()])
    try:
        for _ in range(2):
            assert findings(await collect(pool, made, ["pid"]), "pid")
    finally:
        await pool.close()
    assert tried == ["never"]


@posix
async def test_no_way_at_all_is_a_reason(material: tuple[Material, list[int]]) -> None:
    made, _ = material
    pool = hostile_pool(["nothing"])
    pool._ways = Ways([partial(_does_not_start, why="first"), partial(_does_not_start, why="last")])
    try:
        (message,) = await collect(pool, made, ["nothing"])
    finally:
        await pool.close()
    assert "last" in message.reason  # type: ignore[union-attr]
