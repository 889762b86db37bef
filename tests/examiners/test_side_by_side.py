"""All examiners of pictures over one clip: side by side they say what they say one after the other."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from examiners.detector.tiny_model import calibration, settings
from examiners.visible_marks.cases import SORA
from examiners.visible_marks.drawing import LOOKS, draw
from touchstone.examiners import Examiner
from touchstone.examiners.registry import build
from touchstone.intake import Material
from touchstone.media.plan import Sampling
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import WorkerSpec
from touchstone.media.workers import Checked, Found, Message, OpenMaterial, Sampled, Started, examine_opened
from touchstone.verdict import Evidence
from touchstone.watermark.embedding import FrameMarker
from touchstone.watermark.key import WELL_KNOWN

NAMES = ("watermarks", "visible_marks", "detector")
RATE, WIDTH, HEIGHT = 25, 960, 540
X264 = {"crf": "18", "preset": "veryfast", "sc_threshold": "0"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds with a visible mark that jumps and our own watermark, over noise."""
    path = tmp_path_factory.mktemp("marked") / "clip.mp4"
    looks = draw(*SORA, size=(WIDTH, HEIGHT))
    marker = FrameMarker(0xC0FFEE, WELL_KNOWN, WIDTH, HEIGHT)
    noise = np.random.default_rng(0).normal(0, 6, (2 * HEIGHT, 2 * WIDTH))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=X264)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size, stream.thread_count = RATE, 1
        for number in range(LOOKS * RATE):
            picture = looks[number // RATE].picture
            top, left = number * 7 % HEIGHT, number * 13 % WIDTH
            noisy = picture + noise[top : top + HEIGHT, left : left + WIDTH]
            planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
            planes[:HEIGHT] = marker.mark(np.clip(noisy, 16, 235).astype(np.uint8))
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("model")
    return {"detector": settings(folder, calibration=calibration(gates={"least_patches": 4}))}


def told(messages: list[Message | Started] | list[Message]) -> dict[str, list[Evidence]]:
    """What each examiner said, in its order, but for how long it took."""
    said: dict[str, list[Evidence]] = {name: [] for name in NAMES}
    for message in messages:
        if isinstance(message, Found):
            evidence = message.evidence.model_copy(update={"took_ms": 0})
            said[evidence.examiner].append(evidence)
    return said


def examined(path: Path, examiners: list[Examiner], threads: int, **how: bool) -> list[Message | Started]:
    body = path.read_bytes()
    material = OpenMaterial(file=BytesIO(body), size=len(body))
    return list(examine_opened(material, examiners, Sampling(threads=threads), **how))


def test_they_say_the_same_side_by_side(clip: Path, chosen: dict[str, Any]) -> None:
    examiners = build(NAMES, chosen)
    one_by_one = examined(clip, examiners, 1)
    assert {name: len(said) for name, said in told(one_by_one).items()} == dict.fromkeys(NAMES, 1)
    for messages in (
        examined(clip, examiners, 2),
        examined(clip, examiners, 4),
        examined(clip, examiners, 2, alone=True),
    ):
        assert told(messages) == told(one_by_one)
        assert sorted(m.examiner for m in messages if isinstance(m, Checked)) == sorted(NAMES)
        (seen,) = [m.seen for m in messages if isinstance(m, Sampled)]
        assert (seen.runs, seen.frames) == (8, 24)


async def test_a_confined_worker_says_the_same(clip: Path, chosen: dict[str, Any]) -> None:
    """With two threads, of which each examiner gets one, and where nothing can be loaded any more."""
    pool = WorkerPool(WorkerSpec(NAMES, settings=chosen, sampling=Sampling(threads=2)), size=1)
    material = Material(clip, clip.stat().st_size)  # noqa: ASYNC240 - nothing else runs in this loop
    try:
        messages = [m async for m in pool.examine(material, NAMES)]
    finally:
        await pool.close()
    assert told(messages) == told(examined(clip, build(NAMES, chosen), 1))
