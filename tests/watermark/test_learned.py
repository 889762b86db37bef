"""The decoder that comes with the program."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from touchstone.examiners.watermarks.touchstone_mark import from_settings
from touchstone.inference import PROCESSOR
from touchstone.read_watermarks import touchstone_mark_settings
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.watermark.detection import Detector
from touchstone.watermark.embedding import FrameMarker
from touchstone.watermark.key import WELL_KNOWN
from touchstone.watermark.learned import LearnedEstimate
from touchstone.watermark.sight import canonical, fold, plain_estimate
from touchstone.zoo.bundled import BundledFile, bundled
from touchstone.zoo.entry import Task
from watermark.pictures import PAYLOAD, textured

FILES = bundled(Task.WATERMARK_DECODER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.variant.name))
def test_each_variant_is_the_one_that_zoo_toml_names(file: BundledFile) -> None:
    content = file.path.read_bytes()
    assert len(content) == file.variant.size
    assert hashlib.sha256(content).hexdigest() == file.variant.sha256


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.variant.name))
def test_each_variant_sees_more_than_the_plain_estimate(file: BundledFile) -> None:
    marker = FrameMarker(PAYLOAD, WELL_KNOWN, 480, 270)
    run = []
    for luma in textured(480, 270, 3):
        buffer = io.BytesIO()
        Image.fromarray(marker.mark(luma)).save(buffer, "jpeg", quality=35)
        run.append(canonical(np.asarray(Image.open(buffer))))
    detector = Detector(WELL_KNOWN)
    learned = detector.look(fold(LearnedEstimate(file.path)(np.stack(run))))
    plain = detector.look(fold(plain_estimate(np.stack(run))))
    assert learned.message is not None and learned.message.payload == "00c0ffee"
    assert learned.t > plain.t


@pytest.mark.parametrize("shape", [(1, 256, 256), (3, 256, 455), (2, 455, 256), (3, 256, 1023)])
def test_any_shape_is_taken(shape: tuple[int, int, int]) -> None:
    seen = LearnedEstimate(FILES[0].path)(np.full(shape, 90, np.uint8))
    assert seen.shape == shape[1:] and np.isfinite(seen).all()


def test_a_damaged_or_absent_model_leaves_the_plain_estimate(tmp_path: Path) -> None:
    damaged = tmp_path / "decoder.onnx"
    damaged.write_bytes(b"no model")
    for path in (damaged, tmp_path / "absent.onnx"):
        named = {"name": "decoder", "version": "1", "variant": "int8"}
        scheme = from_settings({"model": {**named, "path": str(path), "sha256": "0" * 64}})
        assert scheme._estimate is plain_estimate
        assert scheme.take_uses() == {}


def test_scans_are_given_the_model_and_cross_as_json(tmp_path: Path) -> None:
    env = Environment(paths=Paths.under(tmp_path), home=tmp_path, platform="linux")
    settings = touchstone_mark_settings(env)
    assert settings["model"]["sha256"] == FILES[0].variant.sha256 and settings["keys"] == []
    scheme = from_settings(json.loads(json.dumps(settings)))
    assert isinstance(scheme._estimate, LearnedEstimate)
    assert scheme.take_uses() == {}
    scheme._estimate(np.full((3, 256, 256), 90, np.uint8))
    (use,) = scheme.take_uses().values()
    assert (use.variant, use.sha256, use.provider) == ("int8", FILES[0].variant.sha256, PROCESSOR)
    assert use.ms > 0 and scheme.take_uses() == {}
