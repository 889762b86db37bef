"""The examiner in a confined worker, where nothing can be loaded any more, on clips that are encoded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio

from examiners.visible_marks.cases import CASES, SORA
from examiners.visible_marks.drawing import LOOKS, Word, draw
from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import WorkerSpec
from touchstone.media.workers import Checked, Found, Message, Skipped

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one worker serves all of them
RATE = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[WorkerPool]:
    pool = WorkerPool(WorkerSpec(("visible_marks",)), size=1)
    yield pool
    await pool.close()


def encoded(folder: Path, words: Sequence[Word], size: tuple[int, int] = (960, 540)) -> Material:
    """Ten seconds of H.264 in MP4: every look stands for an eighth of them."""
    path = folder / "clip.mp4"
    looks = draw(*words, size=size)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = *size, "yuv420p", RATE
        for number in range(10 * RATE):
            planes = np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)
            planes[: size[1]] = looks[number * LOOKS // (10 * RATE)].picture
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Material(path, path.stat().st_size)


async def scanned(pool: WorkerPool, material: Material) -> list[Message]:
    return [message async for message in pool.examine(material, ["visible_marks"])]


@pytest.mark.parametrize(
    ("words", "rules"),
    [(SORA, ["sora"]), (CASES["pika"], ["pika"]), (CASES["doubao"], ["doubao"]), ([], [])],
    ids=["sora", "pika", "doubao", "none"],
)
async def test_marks_are_read_in_a_confined_worker(
    pool: WorkerPool, tmp_path: Path, words: Sequence[Word], rules: list[str]
) -> None:
    messages = await scanned(pool, encoded(tmp_path, words))
    assert Checked("visible_marks") in messages
    assert [m.evidence.details["rule"] for m in messages if isinstance(m, Found)] == rules


async def test_a_tiny_picture_is_skipped_with_the_reason(pool: WorkerPool, tmp_path: Path) -> None:
    messages = await scanned(pool, encoded(tmp_path, [], (64, 48)))
    (skipped,) = [message for message in messages if isinstance(message, Skipped)]
    assert "too small" in skipped.reason
