"""Pictures that a browser handed over: from batches on disk to evidence, by pipeline and worker."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from browser_frames import ENCODERS, HEIGHT, WIDTH, batch, clip, picture
from touchstone.examiners.registry import build
from touchstone.frame_batches import LENGTH, BadBatch, encode_head, read_heads
from touchstone.intake.sources import SourceIntake
from touchstone.intake.uploads import ReceivedFrames
from touchstone.media.batches import read_batches
from touchstone.media.browser_frames import BrowserFrames
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import WorkerSpec
from touchstone.media.workers import InThread, Workers
from touchstone.pipeline import Pipeline
from touchstone.verdict import Label, Scan
from touchstone.wire import FrameBatch, PictureColour, PictureFormat

FRAMES_ONLY = "The browser could hand over pictures only, not the file."
NAMES = ("content_credentials", "labels", "watermarks")
TRUST = {"content_credentials": {"trust": {"pins": True}}}


async def scan(path: Path, workers: Workers) -> Scan:
    source = ReceivedFrames(
        width=WIDTH, height=HEIGHT, page_url="https://video.example/watch", duration_s=12.5, path=path
    )
    return await Pipeline(SourceIntake(), workers).scan(source)


@pytest.mark.parametrize("form", ENCODERS)
async def test_a_mark_is_found_in_pictures_of_every_layout(tmp_path: Path, form: PictureFormat) -> None:
    path = tmp_path / "frames"
    path.write_bytes(b"".join(clip(marked=True, form=form)))
    found = await scan(path, InThread(lambda names: build([n for n in names if n in NAMES], {})))
    (evidence,) = found.evidence
    assert (evidence.examiner, evidence.details["message_name"]) == ("watermarks", "sdxl")
    assert [span.start_s for span in evidence.spans] == [0.0, 1.0]


async def test_a_confined_worker_reads_pictures_and_says_what_it_could_not_check(tmp_path: Path) -> None:
    pool = WorkerPool(WorkerSpec(NAMES, settings=TRUST), size=1)
    try:
        for marked, label in ((True, Label.AI_GENERATED), (False, Label.NO_SIGNS)):
            path = tmp_path / f"{marked}"
            path.write_bytes(b"".join(clip(marked=marked)))
            found = await scan(path, pool)
            assert found.verdict.label is label
            assert found.checked == ["watermarks"]
            assert {name: found.skipped[name] for name in NAMES[:2]} == dict.fromkeys(NAMES[:2], FRAMES_ONLY)
            source = found.source
            assert (source.kind, source.container, source.codec) == ("frames", None, None)
            assert (source.width, source.height, source.fps, source.duration_s) == (WIDTH, HEIGHT, 25.0, 12.5)
            assert source.sha256 and source.size_bytes == path.stat().st_size
    finally:
        await pool.close()


async def test_a_confined_reader_of_headers_skips_them_all_in_words(tmp_path: Path) -> None:
    pool = WorkerPool(WorkerSpec(NAMES[:2], settings=TRUST), size=1)
    try:
        path = tmp_path / "frames"
        path.write_bytes(b"".join(clip(marked=False)))
        found = await scan(path, pool)
        assert {name: found.skipped[name] for name in NAMES[:2]} == dict.fromkeys(NAMES[:2], FRAMES_ONLY)
    finally:
        await pool.close()


def heads(content: bytes) -> list[FrameBatch]:
    return [head for head, _, _ in read_heads(io.BytesIO(content), len(content))]


ONE = batch(0, [picture(marked=False)])
SMALL = batch(1, [picture(marked=False)[:100, :100]])
HUGE = encode_head(FrameBatch(run=0, width=16_000, height=16_000, format="I420", times_s=[0.0]))
FALSE_BATCHES = {
    "nothing": (b"", "no pictures came"),
    "less than a length": (b"\0\0", "cut off"),
    "cut off in a picture": (ONE[:-1], "cut off"),
    "cut off in the second batch": (ONE + ONE[:9], "invalid JSON|Invalid JSON|cut off"),
    "an endless head": (LENGTH.pack(1 << 31) + ONE, "head of a batch"),
    "an empty head": (LENGTH.pack(0) + ONE, "head of a batch"),
    "a head that is none": (LENGTH.pack(4) + b"null", "valid dictionary|object"),
    "pictures beyond measure": (HUGE, "16000 by 16000"),
    "pictures of two sizes": (ONE + SMALL, "differ in size"),
    "a video": (b"\0\0\0\x18ftypisom" + bytes(100), "JSON"),
}


@pytest.mark.parametrize("what", FALSE_BATCHES)
async def test_what_is_no_batch_is_unreadable_and_says_why(tmp_path: Path, what: str) -> None:
    content, why = FALSE_BATCHES[what]
    with pytest.raises(BadBatch, match=why):
        heads(content)
    if content:
        path = tmp_path / "frames"
        path.write_bytes(content)
        found = await scan(path, InThread(lambda names: build([n for n in names if n in NAMES], {})))
        assert found.verdict.label is Label.UNREADABLE


ORDERS: dict[str, list[float]] = {"twice": [1.0, 1.0], "back": [2.0, 1.0], "none": [], "negative": [-1.0]}


@pytest.mark.parametrize("times", ORDERS.values(), ids=ORDERS)
def test_times_of_a_run_rise(times: list[float]) -> None:
    with pytest.raises(ValueError, match="times_s"):
        FrameBatch(run=0, width=2, height=2, format="I420", times_s=times)


def test_planes_are_the_browsers_own_also_where_sides_are_odd() -> None:
    head = FrameBatch(
        run=0, width=5, height=3, format="NV12", times_s=[2.5],
        colour=PictureColour(matrix="bt2020-ncl", full_range=True), rotation=90,
    )  # fmt: skip
    content = encode_head(head) + bytes(range(15)) + bytes(range(100, 112))
    (run,) = BrowserFrames(io.BytesIO(content), len(content))
    (frame,) = run.frames
    luma, blue, red = frame.planes
    assert luma.tolist() == [list(range(5)), list(range(5, 10)), list(range(10, 15))]
    assert blue.tolist() == [[100, 102, 104], [106, 108, 110]]
    assert red.tolist() == [[101, 103, 105], [107, 109, 111]]
    assert (frame.time_s, frame.rotation, frame.subsampling, frame.depth) == (2.5, 90, (2, 2), 8)
    assert (frame.colour.matrix, frame.colour.full_range) == ("bt2020nc", True)
    assert frame.rgb().shape == (3, 5, 3)


def test_numbers_above_the_depth_are_cut_off() -> None:
    head = FrameBatch(run=0, width=2, height=2, format="I444P10", times_s=[0.0])
    content = encode_head(head) + b"\xff" * 24
    (run,) = BrowserFrames(io.BytesIO(content), len(content))
    assert all(np.array_equal(plane, np.full((2, 2), 1023)) for plane in run.frames[0].planes)
    assert read_batches(io.BytesIO(content), len(content)).fps is None
