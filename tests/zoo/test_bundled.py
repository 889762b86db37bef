"""Models that come with the program are found beside zoo.toml, and a damaged entry is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from examiners.detector.tiny_model import calibration, settings
from touchstone.engine import detector_settings
from touchstone.zoo.bundled import bundled
from touchstone.zoo.entry import BadEntry, Task

ENTRY = """schema = "touchstone.zoo/1"
[[bundled]]
name = "tiny"
version = "1"
task = "detector"
title = "Tiny"
licence = "Apache-2.0"
[[bundled.variant]]
name = "fp32"
file = "detector.onnx"
sha256 = "{sha256}"
size = 1000
"""
GOLDEN = (
    ENTRY.format(sha256="0" * 64)
    + """[bundled.golden]
shape = [1, 3, 8, 8]
range = [0.0, 1.0]
reference = "fp32"
"""
)


def test_a_bundled_detector_becomes_the_examiners_settings(tmp_path: Path) -> None:
    made = settings(tmp_path, calibration=calibration())
    (tmp_path / "tiny.calibration.json").write_text(made["calibration"])
    entry = ENTRY.format(sha256=made["model"]["sha256"]) + 'calibration = "tiny.calibration.json"\n'
    (tmp_path / "zoo.toml").write_text(entry)
    assert detector_settings(tmp_path) == made
    assert bundled(Task.WATERMARK_DECODER, tmp_path) == ()


def test_without_its_file_a_bundled_model_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "zoo.toml").write_text(ENTRY.format(sha256="0" * 64))
    assert detector_settings(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY.format(sha256="short"), "sha256"),
        (ENTRY.format(sha256="0" * 64).replace('task = "detector"', 'task = "cook"'), "task"),
        ("not toml", "not TOML"),
        (
            GOLDEN.replace('reference = "fp32"', 'reference = "fp16"'),
            "golden.reference: 'fp16' is none of its variants",
        ),
        (GOLDEN.replace("[1, 3, 8, 8]", "8"), "shape"),
    ],
)
def test_a_damaged_entry_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "zoo.toml").write_text(text)
    with pytest.raises(BadEntry, match=says):
        bundled(Task.DETECTOR, tmp_path)
    assert detector_settings(tmp_path) is None
