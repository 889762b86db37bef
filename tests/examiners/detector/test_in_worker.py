"""The examiner in a confined worker, on clips that are encoded: each gives a score or a stated reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from examiners.detector.tiny_model import calibration, settings
from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import WorkerSpec
from touchstone.media.workers import Checked, Found, Message, ModelsRan, Skipped

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one worker serves all of them

Draw = Callable[[int, int, int], NDArray[np.uint8]]


def noisy(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """`(H, W) uint8`: what a camera's sensor gives of a grey wall."""
    piece = np.clip(np.random.default_rng(number).normal(120, 10, (360, 640)), 16, 235).astype(np.uint8)
    return np.tile(piece, (-(-height // 360), -(-width // 640)))[:height, :width]


def held(number: int, height: int, width: int) -> NDArray[np.uint8]:
    return noisy(0, height, width)


def black(number: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width), 16, np.uint8)


def letterboxed(number: int, height: int, width: int) -> NDArray[np.uint8]:
    picture = noisy(number, height, width)
    picture[: height // 5] = picture[-(height // 5) :] = 16
    return picture


def text(number: int, height: int, width: int) -> NDArray[np.uint8]:
    """Thin strokes on white that scroll: no noise, no shading."""
    picture = np.full((height, width), 235, np.uint8)
    rows = (np.arange(0, height - 12, 24) + 2 * number) % (height - 12)
    for row in rows:
        picture[row : row + 9, 20 : width - 20 : 6] = 16
        picture[row : row + 2, 20 : width - 20] = 16
    return picture


@dataclass(frozen=True)
class Bad:
    """A clip that does not look like what a detector is made for, and what is said of it."""

    name: str
    says: str = ""  # of the reason; empty for a score
    draw: Draw = noisy
    size: tuple[int, int] = (360, 640)
    frames: int = 24
    rate: int = 25
    codec: str = "libx264"
    pixels: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)


HDR = {"x265-params": "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:log-level=none:pools=1"}
CASES = [
    Bad("plain"),
    Bad("black", "plain", draw=black),
    Bad("frozen", "do not change", draw=held, options={"crf": "0"}),
    Bad("one frame", "consecutive frames", frames=1),
    Bad("two frames", "consecutive frames", frames=2),
    Bad("64 pixels", "smaller than", size=(64, 64)),
    Bad("8K", size=(4320, 7680), frames=3, options={"preset": "ultrafast", "crf": "40"}),
    Bad("text only", draw=text),
    Bad("letterboxed", draw=letterboxed),
    Bad("vertical", size=(640, 360)),
    Bad("10-bit", pixels="yuv420p10le"),
    Bad("HDR", codec="libx265", pixels="yuv420p10le", options=HDR),
    Bad("12 fps", rate=12),
    Bad("240 fps", rate=240, frames=60),
]


def encoded(folder: Path, bad: Bad) -> Material:
    path = folder / "clip.mp4"
    height, width = bad.size
    options = {"preset": "veryfast", "crf": "18", **bad.options}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(bad.codec, rate=bad.rate, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = width, height, bad.pixels, 1
        for number in range(bad.frames):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = bad.draw(number, height, width)
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p").reformat(format=bad.pixels)
            frame.pts, frame.time_base = number, Fraction(1, bad.rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Material(path, path.stat().st_size)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WorkerPool]:
    made = settings(tmp_path_factory.mktemp("model"), calibration=calibration(gates={"least_patches": 4}))
    pool = WorkerPool(WorkerSpec(("detector",), settings={"detector": made}), size=1)
    yield pool
    await pool.close()


async def scanned(pool: WorkerPool, material: Material) -> list[Message]:
    return [message async for message in pool.examine(material, ["detector"])]


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
async def test_each_clip_gives_a_score_or_a_stated_reason(pool: WorkerPool, tmp_path: Path, bad: Bad) -> None:
    messages = await scanned(pool, encoded(tmp_path, bad))
    skipped = [message.reason for message in messages if isinstance(message, Skipped)]
    found = [message.evidence for message in messages if isinstance(message, Found)]
    said = skipped or [evidence.finding for evidence in found]
    assert len(said) == 1
    if bad.says:
        assert bad.says in said[0]
        assert not any(evidence.log10_lr for evidence in found)
    else:
        assert Checked("detector") in messages, said
        assert np.isfinite(found[0].details["score"])


async def test_scans_name_the_model_that_ran(pool: WorkerPool, tmp_path: Path) -> None:
    messages = await scanned(pool, encoded(tmp_path, CASES[0]))
    (ran,) = [message.models for message in messages if isinstance(message, ModelsRan)]
    assert (ran["tiny"].variant, ran["tiny"].provider) == ("fp32", "CPUExecutionProvider")
    assert ran["tiny"].ms > 0
