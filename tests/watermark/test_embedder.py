"""The embedder's ONNX file does what the embedder does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from touchstone.watermark.carrier import SCALE, carrier, render
from touchstone.watermark.embedding import FrameMarker
from touchstone.watermark.key import WELL_KNOWN
from touchstone.watermark.payload import encode
from watermark.pictures import PAYLOAD, textured

FILE = Path(__file__).resolve().parents[2] / "model_zoo" / "touchstone-watermark-embedder.onnx"


@pytest.mark.parametrize("size", [(320, 240), (640, 360)])
def test_the_file_marks_as_the_program_does(size: tuple[int, int]) -> None:
    width, height = size
    (luma,) = textured(width, height, 1)
    expected = FrameMarker(PAYLOAD, WELL_KNOWN, width, height).mark(luma)
    pattern = render(carrier(WELL_KNOWN).chips(encode(PAYLOAD, WELL_KNOWN)), width, height)
    session = onnxruntime.InferenceSession(str(FILE), providers=["CPUExecutionProvider"])
    inputs = {"luma": luma[None, None].astype(np.float32), "pattern": np.float32(pattern[None, None] / SCALE)}
    marked = session.run(None, inputs)[0][0, 0]
    assert np.abs(marked - expected).max() <= 1
    assert np.mean(marked != expected) < 0.001
    assert np.any(marked != luma)
