"""RivaGAN's own decoder, fetched as a user would, on pictures marked with the encoder of the same wheel."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from examiners.watermarks.carriers import _natural
from touchstone.cli import main
from touchstone.engine import models_folder
from touchstone.examiners.watermarks.onnx_scheme import OnnxScheme
from touchstone.examiners.watermarks.scheme import Reading
from touchstone.media.frames import Frame, Run
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.zoo.entry import Message
from touchstone.zoo.fetching import FetchFailed, fetcher, pip_download
from touchstone.zoo.pull import extract, pull
from touchstone.zoo.registry import Zoo

BITS = np.unpackbits(np.frombuffer(b"mark", np.uint8)).astype(bool)
Picture = NDArray[np.uint8]


@dataclass
class Rivagan:
    """The installed model, and what marks pictures for it."""

    home: Path
    zoo: Zoo
    encoder: onnxruntime.InferenceSession

    def scheme(self, variant: str = "fp32", **changes: object) -> OnnxScheme:
        found = next(i for i in self.zoo.installed() if i.variant.name == variant)
        return OnnxScheme(found.model.model_copy(update=changes), found.variant, found.path)

    def marked(self, picture: Picture) -> Picture:
        """A picture, RGB, with the message (imwatermark/rivaGan.py, `encode`)."""
        frame = (picture[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None, :, None]
        out = self.encoder.run(None, {"frame": frame, "data": BITS.astype(np.float32)[None]})[0][0, :, 0]
        return ((np.clip(out, -1, 1).transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)[..., ::-1]


@pytest.fixture(scope="module")
def rivagan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rivagan]:
    """Skips where the wheel cannot be had: no network, or an index without it."""
    home = tmp_path_factory.mktemp("home")
    zoo = Zoo(models_folder(Paths.under(home)))
    entry = zoo.find("rivagan")
    assert entry is not None
    variant, carried = entry.variants
    assert variant.member is not None
    try:
        for each in (variant, carried):
            asyncio.run(pull(zoo, entry, each, fetcher(os.environ), lambda *_: None))
        pip_download(variant.member, home / "wheel", os.environ)
    except FetchFailed as problem:
        pytest.skip(f"RivaGAN cannot be fetched here: {problem}")
    extract(home / "wheel", "imwatermark/rivagan_encoder.onnx", 657_164, home / "encoder.onnx")
    encoder = onnxruntime.InferenceSession(home / "encoder.onnx", providers=["CPUExecutionProvider"])
    yield Rivagan(home, zoo, encoder)


@pytest.fixture(scope="module")
def picture() -> Picture:
    """Two pieces fit side by side."""
    return _natural(11, 160, 320)


@pytest.fixture(scope="module")
def marked(rivagan: Rivagan, picture: Picture) -> Picture:
    return rivagan.marked(picture)


def environment(data: Path, home: Path) -> Environment:
    return Environment(
        paths=Paths.under(data),
        home=home,
        platform="linux",
        environ=os.environ,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )


def read(scheme: OnnxScheme, picture: Picture) -> list[Reading]:
    reader = scheme.reader()
    planes = tuple(np.ascontiguousarray(picture[..., channel]) for channel in range(3))
    reader.add(Run((Frame(planes, "rgb", 8, 0.0),)))
    return list(reader.readings())


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_the_message_is_read_and_told_but_speaks_for_nothing(
    rivagan: Rivagan, marked: Picture, variant: str
) -> None:
    (reading,) = read(rivagan.scheme(variant), marked)
    assert bytes.fromhex(reading.message) == b"mark"
    assert reading.told
    assert reading.supports.value == "neither"


@pytest.mark.parametrize("variant", ["fp32", "int8"])
def test_an_unmarked_picture_is_not_told(rivagan: Rivagan, picture: Picture, variant: str) -> None:
    (reading,) = read(rivagan.scheme(variant), picture)
    assert not reading.told


def test_a_known_message_is_found_by_its_exact_chance(
    rivagan: Rivagan, picture: Picture, marked: Picture
) -> None:
    text = "".join("1" if bit else "0" for bit in BITS)
    scheme = rivagan.scheme(messages=(Message(name="mark", bits=text, source="made here"),))
    assert read(scheme, marked)[0].p_value == pytest.approx(2.0**-32)
    assert read(scheme, picture)[0].p_value > 1e-3


def test_a_scan_finds_it_in_a_clip(rivagan: Rivagan, marked: Picture, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=1, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(marked, format="rgb24")))
        container.mux(stream.encode())
    env = environment(rivagan.home, tmp_path)
    assert main(["scan", "--no-daemon", "--json", str(clip)], env) == 0
    assert isinstance(env.stdout, io.StringIO)
    scan = json.loads(env.stdout.getvalue())
    (evidence,) = [e for e in scan["evidence"] if e["examiner"] == "watermarks"]
    assert evidence["details"]["message"] == b"mark".hex()
    assert evidence["log10_lr"] is None
    assert scan["verdict"]["label"] == "no_signs"


def test_eight_bits_answer_the_golden_inputs_as_nearly_as_the_entry_allows(rivagan: Rivagan) -> None:
    env = environment(rivagan.home, rivagan.home)
    assert main(["models", "bench", "rivagan", "--json"], env) == 0
    assert isinstance(env.stdout, io.StringIO)
    (model,) = json.loads(env.stdout.getvalue())["models"]
    assert model["name"] == "rivagan"
    tried = {r["variant"]: r for r in model["results"] if r["provider"] == "CPUExecutionProvider"}
    assert tried["fp32"]["problem"] is None
    assert tried["int8"]["problem"] is None
    assert tried["int8"]["flips"] <= 0.05
