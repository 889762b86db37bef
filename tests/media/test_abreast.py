"""Several streams at once, and examiners of pictures side by side in one worker."""

from __future__ import annotations

import gc
import sys
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

import pytest
import synthetic
from pools import collect, hostile_pool

from touchstone.examiners import Clip, Needs, Skip
from touchstone.intake import Material
from touchstone.media.abreast import Crew, abreast
from touchstone.media.clock import Clock
from touchstone.media.frames import Frame
from touchstone.media.job import Job
from touchstone.media.plan import Sampling
from touchstone.media.process import WorkerLost
from touchstone.media.spec import Deadlines
from touchstone.media.workers import (
    Checked,
    Found,
    Message,
    OpenMaterial,
    Sampled,
    Skipped,
    Started,
    examine_opened,
)
from touchstone.verdict import Evidence, Supports

PATIENCE_S = 20


# --- streams ----------------------------------------------------------------------------------


def numbers(name: str, count: int) -> Iterator[tuple[str, int]]:
    for number in range(count):
        yield name, number


def test_every_stream_keeps_its_order() -> None:
    told = list(abreast([lambda name=name: numbers(name, 50) for name in "abcde"], Crew(3)))
    assert len(told) == 250
    for name in "abcde":
        assert [number for other, number in told if other == name] == list(range(50))


def test_two_streams_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=PATIENCE_S)

    def meets(name: str) -> Iterator[str]:
        both.wait()
        yield name

    assert sorted(abreast([lambda: meets("a"), lambda: meets("b")], Crew(2))) == ["a", "b"]


def test_no_more_run_than_there_are_threads() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def counted() -> Iterator[int]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        yield from range(100)
        with lock:
            running -= 1

    assert len(list(abreast([counted] * 6, Crew(2)))) == 600
    assert most <= 2


def test_those_that_are_left_share_the_threads_of_those_that_have_ended() -> None:
    crew, ended = Crew(4), threading.Event()

    def short() -> Iterator[int]:
        ended.wait(PATIENCE_S)
        yield crew.share()

    def long() -> Iterator[int]:
        yield crew.share()
        ended.set()
        patience = time.monotonic() + PATIENCE_S
        while crew.share() < 4 and time.monotonic() < patience:
            time.sleep(0.001)
        yield crew.share()

    assert crew.share() == 4
    assert sorted(abreast([short, long], crew)) == [2, 2, 4]
    assert crew.share() == 4


def test_what_one_raises_is_raised_after_what_was_told() -> None:
    def breaks() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    told = []
    with pytest.raises(ValueError, match="broken"):
        for number in abreast([breaks], Crew(1)):
            told.append(number)
    assert told == [1]


def test_closing_it_ends_the_streams() -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        number = 0
        try:
            while True:
                yield (number := number + 1)
        finally:
            ended.set()

    stream = abreast([endless], Crew(1))
    assert next(stream) == 1
    stream.close()  # type: ignore[attr-defined]
    assert ended.wait(PATIENCE_S)


def test_without_threads_they_run_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    told = list(abreast([lambda: numbers("a", 2), lambda: numbers("b", 2)], Crew(2)))
    assert told == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


# --- examiners --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = synthetic.Recipe(suffix=".mp4", codec="libx264", options=synthetic.X264)
    return synthetic.make(recipe, tmp_path_factory.mktemp("abreast") / "clip.mp4")


@pytest.fixture(scope="module")
def material(clip_path: Path) -> Material:
    return Material(clip_path, clip_path.stat().st_size)


class Summing:
    """Adds up the pixels of every frame."""

    needs = Needs.FRAMES

    def __init__(self, name: str, meet: threading.Barrier | None = None, skip: bool = False) -> None:
        self.name = name
        self._meet = meet
        self._skip = skip
        self.seen: list[Frame] = []

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        if self._skip:
            raise Skip("told to")
        for number, run in enumerate(clip.frames):
            if self._meet and not number:
                self._meet.wait()
            self.seen.extend(run.frames)
            total = sum(int(frame.rgb().sum()) for frame in run.frames)
            yield Evidence(examiner=self.name, finding=f"{number}: {total}", supports=Supports.NEITHER)


def examined(
    path: Path, examiners: Sequence[Summing], *, alone: bool = False, sampling: Sampling | None = None
) -> list[Message | Started]:
    body = path.read_bytes()
    material = OpenMaterial(file=BytesIO(body), size=len(body))
    return list(examine_opened(material, examiners, sampling or Sampling(threads=2), alone=alone))


def findings(messages: Sequence[Message | Started], name: str) -> list[str]:
    return [m.evidence.finding for m in messages if isinstance(m, Found) and m.evidence.examiner == name]


def test_side_by_side_they_find_what_they_find_alone(clip_path: Path) -> None:
    meet = threading.Barrier(2, timeout=PATIENCE_S)
    together = [Summing("a", meet), Summing("b", meet)]
    at_once = examined(clip_path, together)
    one_by_one = examined(clip_path, [Summing("a"), Summing("b")], alone=True)
    for name in "ab":
        assert len(findings(at_once, name)) > 1
        assert findings(at_once, name) == findings(one_by_one, name)
    assert sorted(m.examiner for m in at_once if isinstance(m, Checked)) == ["a", "b"]
    # Decoded once, for both.
    assert [id(frame) for frame in together[0].seen] == [id(frame) for frame in together[1].seen]
    assert [m.seen for m in at_once if isinstance(m, Sampled)] == [
        m.seen for m in one_by_one if isinstance(m, Sampled)
    ]


def test_one_that_skips_does_not_hold_the_others(clip_path: Path) -> None:
    messages = examined(clip_path, [Summing("a", skip=True), Summing("b"), Summing("c")])
    assert [(m.examiner, m.reason) for m in messages if isinstance(m, Skipped)] == [("a", "told to")]
    assert sorted(m.examiner for m in messages if isinstance(m, Checked)) == ["b", "c"]


def test_frames_that_are_not_kept_are_read_by_one_after_the_other(clip_path: Path) -> None:
    messages = examined(
        clip_path, [Summing("a"), Summing("b")], sampling=Sampling(threads=2, keep_bytes=1000)
    )
    told = [m.evidence.examiner for m in messages if isinstance(m, Found)]
    assert told == sorted(told)
    assert findings(messages, "a")
    assert findings(messages, "a") == findings(messages, "b")


@pytest.mark.parametrize(("names", "threads"), [("a", 1), ("a", 2), ("ab", 2)])
def test_pictures_are_let_go_when_a_clip_is_done(clip_path: Path, names: str, threads: int) -> None:
    """Without waiting for Python's collector of circles, which may not come around for many clips."""
    examiners = [Summing(name) for name in names]
    gc.disable()
    try:
        examined(clip_path, examiners, sampling=Sampling(threads=threads, runs=3))
        planes = [weakref.ref(frame.planes[0]) for examiner in examiners for frame in examiner.seen]
        for examiner in examiners:
            examiner.seen.clear()
        assert planes
        assert not any(plane() is not None for plane in planes)
    finally:
        gc.enable()


# --- workers that are lost --------------------------------------------------------------------


def evidence(name: str, finding: str) -> Evidence:
    return Evidence(examiner=name, finding=finding, supports=Supports.NEITHER)


def test_a_job_lost_with_several_running_is_tried_one_by_one() -> None:
    job = Job(Material(Path("unused"), 5), ["a", "b", "c"])
    for name in "abc":
        assert job.take(Started(name)) is None
    assert job.take(Found(evidence("a", "1"))) is not None
    assert job.take(Found(evidence("b", "1"))) is not None
    assert job.take(Checked("c")) is not None
    assert job.lost(WorkerLost("gone")) == []
    assert job.alone
    assert job.remaining == ["a", "b"]
    job.take(Started("a"))
    assert job.take(Found(evidence("a", "1"))) is None  # told already
    assert job.take(Found(evidence("a", "2"))) is not None
    assert job.take(Checked("a")) is not None
    job.take(Started("b"))
    (skipped,) = job.lost(WorkerLost("gone again"))
    assert isinstance(skipped, Skipped)
    assert skipped.examiner == "b"
    assert job.over


def test_each_of_those_that_run_at_once_has_its_own_time() -> None:
    clock = Clock(Deadlines(start_s=30, container_s=10, examiner_s=60), 3)
    clock.start(1000)
    assert clock.due == 1010
    for answer, now, due in (
        (Started("a"), 1001, 1061),
        (Started("b"), 1002, 1061),
        (Found(evidence("b", "1")), 1003, 1061),
        (Checked("b"), 1020, 1061),
        (Started("c"), 1020, 1061),  # that one begins does not give another more time
        (Skipped("a", "why"), 1030, 1080),
        (Checked("c"), 1040, 1080),  # what comes in the end has to come soon, too
        (Started("c"), 1200, 1220),  # however often it says so, all has to end
    ):
        clock.note(answer, now)
        assert clock.due == due, answer


posix = pytest.mark.skipif(sys.platform == "win32", reason="workers of the tests use signals and fork")


@posix
@pytest.mark.parametrize(
    ("act", "words"), [("crash", "SIGSEGV"), ("leave", "status 3"), ("hang", "longer than")]
)
async def test_the_one_that_a_worker_was_lost_to_is_named(material: Material, act: str, words: str) -> None:
    names = ["look#1", f"look then {act}", "look#2"]
    pool = hostile_pool(names, deadlines=Deadlines(examiner_s=3))
    try:
        messages = await collect(pool, material, names)
    finally:
        await pool.close()
    reasons = {m.examiner: m.reason for m in messages if isinstance(m, Skipped)}
    assert list(reasons) == [names[1]]
    assert words in reasons[names[1]]
    assert sorted(m.examiner for m in messages if isinstance(m, Checked)) == ["look#1", "look#2"]
    assert findings(messages, names[1]) == ["saw 24", "before"]
    assert len(findings(messages, "look#1")) == len(findings(messages, "look#2")) == 8
