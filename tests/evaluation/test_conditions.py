"""Every condition gives a clip of the size, codec and length that its name says, whatever went in."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from evaluation.test_evaluate import clip
from touchstone.evaluation.conditions import CONDITIONS, Condition, UnknownCondition, conditions_of
from touchstone.evaluation.encoding import encoded
from touchstone.media.container import CannotDecode, Container
from touchstone.media.plan import Sampling
from touchstone.media.probe import read_container
from touchstone.media.sampler import SampledFrames

CODECS = {"hevc": "hevc", "vp9": "vp9", "chain_stream": "vp9"}
SIZES = {
    "720p": (1280, 720), "480p": (854, 480), "360p": (640, 360), "chain_feed": (1280, 720),
    "chain_messenger": (854, 480), "chain_stream": (854, 480), "crop": (1076, 608),
}  # fmt: skip


def through(content: bytes, condition: Condition, frames: int = 3) -> tuple[bytes, Container]:
    file = io.BytesIO(content)
    out = encoded(read_container(file, len(content)), file, len(content), condition.stages, frames)
    return out, read_container(io.BytesIO(out), len(out))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    clip(path, 1, 8, size=(720, 1280), frames=4)
    return path.read_bytes()


@pytest.mark.parametrize("condition", CONDITIONS[1:], ids=lambda condition: condition.name)
def test_a_condition_does_what_its_name_says(content: bytes, condition: Condition) -> None:
    out, container = through(content, condition)
    assert condition.title
    assert container.codec == CODECS.get(condition.name, "h264")
    assert (container.width, container.height) == SIZES.get(condition.name, (1280, 720))
    frames = SampledFrames(container, [(io.BytesIO(out), len(out))], Sampling())
    assert sum(len(run.frames) for run in frames) == 3


def test_stronger_compression_leaves_fewer_bytes(content: bytes) -> None:
    sizes = [len(through(content, condition)[0]) for condition in conditions_of(["crf18", "crf28", "crf33"])]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 3


def test_the_same_clip_gives_the_same_bytes(content: bytes) -> None:
    (condition,) = conditions_of(["chain_messenger"])
    assert through(content, condition)[0] == through(content, condition)[0]


def test_a_smaller_clip_is_never_enlarged(tmp_path: Path) -> None:
    clip(tmp_path / "small.mp4", 1, 8, size=(240, 320), frames=3)
    (condition,) = conditions_of(["480p"])
    container = through((tmp_path / "small.mp4").read_bytes(), condition)[1]
    assert (container.width, container.height) == (320, 240)


def test_there_and_back_blurs_and_keeps_the_size(content: bytes) -> None:
    half, plain = conditions_of(["half_and_back"]), conditions_of(["crf23"])
    steps = []
    for (condition,) in (half, plain):
        out, container = through(content, condition)
        run = next(iter(SampledFrames(container, [(io.BytesIO(out), len(out))], Sampling())))
        steps.append(float(np.abs(np.diff(run.frames[0].planes[0].astype(int), axis=1)).mean()))
    assert steps[0] < 0.7 * steps[1]


def test_a_clip_too_small_for_an_encoder_is_told(tmp_path: Path) -> None:
    clip(tmp_path / "tiny.mp4", 1, 8, size=(16, 16), frames=3)
    with pytest.raises(CannotDecode, match="32 pixels"):
        through((tmp_path / "tiny.mp4").read_bytes(), CONDITIONS[1])


def test_an_unknown_condition_is_told_with_those_there_are() -> None:
    with pytest.raises(UnknownCondition, match=r"crf99.*as_is"):
        conditions_of(["as_is", "crf99"])
    assert len(conditions_of(["all"])) == len(CONDITIONS)
