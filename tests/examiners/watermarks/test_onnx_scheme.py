"""Decoders out of ONNX files: messages are read, known ones weighed, and free ones told but not counted."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper

from touchstone.examiners import Clip, Skip
from touchstone.examiners.watermarks import CAP_LOG10_LR, Watermarks, from_settings
from touchstone.examiners.watermarks.onnx_scheme import (
    OnnxScheme,
    UnusableModel,
    agreement_of,
    chance,
    pieces_of,
    prepared,
)
from touchstone.media.container import Container
from touchstone.media.frames import Frame, Run, Seen
from touchstone.verdict import Evidence, Supports
from touchstone.zoo.entry import Input, Model
from zoo import decoders
from zoo.shop import card

BITS = np.array([1, 0, 1, 1, 0, 0, 1, 0], bool)
TEXT = "10110010"
KNOWN = {"name": "ours", "bits": TEXT, "source": "made up"}
OF_AI = KNOWN | {"ai": True, "generator": "Test Generator"}
CALIBRATION = {"read_rate_lower": 0.5, "clips": 10, "source": "made up"}
PRESENCE = {"above": 0.2, "clips": 100, "false": 0, "source": "made up"}
CROP = card()["input"] | {"fit": "crop"}
# Correlations are above or below zero. Eight bits can agree by chance once in 256 times, which never counts.
CORRELATION = card()["output"] | {"threshold": 0.0}


def grey(height: int = 64, width: int = 96, seed: int = 1) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).normal(128, 12, (height, width, 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


class Pictures:
    """A clip of one frame a second."""

    def __init__(self, *pictures: NDArray[np.uint8]) -> None:
        self.seen = Seen(len(pictures))
        self._pictures = pictures

    def __iter__(self) -> Iterator[Run]:
        for second, picture in enumerate(self._pictures):
            planes = tuple(np.ascontiguousarray(picture[..., channel]) for channel in range(3))
            yield Run((Frame(planes, "rgb", 8, float(second), duration_s=0.5),))


def installed(folder: Path, content: bytes | None = None, **changes: Any) -> dict[str, Any]:
    """Settings of the examiner with one decoder."""
    content = decoders.decoder() if content is None else content
    path = folder / "model.onnx"
    path.write_bytes(content)
    variant = {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    entry = card(output=CORRELATION, input=CROP, variant=[variant]) | changes
    return {"models": [{"model": entry, "variant": "fp32", "path": str(path)}]}


def scheme(settings: dict[str, Any]) -> OnnxScheme:
    (entry,) = settings["models"]
    model = Model.from_json(entry["model"])
    return OnnxScheme(model, model.variants[0], Path(entry["path"]))


def examine(settings: dict[str, Any], *pictures: NDArray[np.uint8]) -> list[Evidence]:
    clip = Clip(io.BytesIO(), 0, Container("mp4", "video/mp4"), sample=lambda _: Pictures(*pictures))
    return list(Watermarks([scheme(settings)]).examine(clip))


def test_the_message_is_read_from_a_piece_and_from_all_of_a_frame(tmp_path: Path) -> None:
    marked = decoders.mark(grey(), BITS)
    for changes in ({}, {"input": CROP | {"fit": "resize", "height": 16, "width": 16}}):
        shown = marked[:16, :16] if changes else marked
        reader = scheme(installed(tmp_path, **changes)).reader()
        for run in Pictures(shown):
            reader.add(run)
        (reading,) = reader.readings()
        assert reading.message == "b2"
        assert reading.bits == 8


def four_times_over() -> dict[str, Any]:
    """A decoder of 32 bits: the eight, four times over."""
    model = onnx.load_from_string(decoders.decoder())
    model.graph.node[-1].output[0] = "eight"
    model.graph.node.append(helper.make_node("Concat", ["eight"] * 4, ["bits"], axis=1))
    return {"content": bytes(model.SerializeToString()), "output": CORRELATION | {"bits": 32}}


@pytest.mark.parametrize(
    ("message", "extra", "supports", "weight"),
    [
        (OF_AI, {"calibration": CALIBRATION}, Supports.AI, CAP_LOG10_LR),
        (OF_AI, {}, Supports.AI, None),
        (KNOWN, {"calibration": CALIBRATION}, Supports.NEITHER, None),
    ],
)
def test_a_known_message_counts_only_for_ai_and_only_where_it_was_measured(
    tmp_path: Path, message: dict[str, Any], extra: dict[str, Any], supports: Supports, weight: float | None
) -> None:
    settings = installed(tmp_path, **four_times_over(), messages=[message | {"bits": TEXT * 4}], **extra)
    (evidence,) = examine(settings, decoders.mark(grey(), BITS), decoders.mark(grey(seed=2), BITS))
    assert evidence.supports is supports
    assert evidence.log10_lr == weight
    assert evidence.details["matched_bits"] == 32
    assert evidence.details["p_value"] == pytest.approx(2.0**-32)
    assert evidence.details["model"] == {
        "version": "1",
        "variant": "fp32",
        "provider": "CPUExecutionProvider",
    }
    assert [(span.start_s, span.score) for span in evidence.spans] == [(0.0, 1.0)]
    assert ("Test Generator" in evidence.finding) == (supports is Supports.AI)
    assert ("does not count" in evidence.finding) == (supports is Supports.AI and weight is None)


def test_a_message_that_is_not_there_is_not_reported(tmp_path: Path) -> None:
    settings = installed(tmp_path, **four_times_over(), messages=[OF_AI | {"bits": TEXT * 4}])
    assert examine(settings, decoders.mark(grey(), ~BITS)) == []
    assert examine(settings, grey()) == []


def test_eight_bits_alone_never_count(tmp_path: Path) -> None:
    assert examine(installed(tmp_path, messages=[OF_AI]), decoders.mark(grey(), BITS)) == []


def test_a_free_message_is_told_and_speaks_for_nothing(tmp_path: Path) -> None:
    settings = installed(tmp_path, presence=PRESENCE)
    (evidence,) = examine(settings, decoders.mark(grey(), BITS, strength=60))
    assert evidence.supports is Supports.NEITHER
    assert evidence.log10_lr is None
    assert evidence.details["message"] == "b2"
    assert evidence.details["agreement"] > 0.2
    assert "says nothing about AI" in evidence.finding
    assert examine(settings, grey()) == []
    assert examine(installed(tmp_path), decoders.mark(grey(), BITS, strength=60)) == []


def test_frames_smaller_than_a_piece_are_skipped(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="smaller"):
        examine(installed(tmp_path), grey(12, 64))


def test_every_other_run_is_looked_at(tmp_path: Path) -> None:
    settings = installed(tmp_path, **four_times_over(), messages=[OF_AI | {"bits": TEXT * 4}])
    marked, plain = decoders.mark(grey(), BITS), grey()
    (evidence,) = examine(settings, marked, plain, marked, plain)
    assert evidence.details["frames"] == 2
    assert [span.start_s for span in evidence.spans] == [0.0, 2.0]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"other bytes", "not the file that was installed"), (None, "No such file")],
)
def test_a_file_that_was_changed_is_never_loaded(tmp_path: Path, content: bytes | None, says: str) -> None:
    settings = installed(tmp_path)
    path = Path(settings["models"][0]["path"])
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableModel, match=says) as problem:
        scheme(settings)
    assert str(path) in str(problem.value)
    clip = Clip(io.BytesIO(), 0, Container("mp4", "video/mp4"), sample=lambda _: Pictures(grey(256, 256)))
    assert list(from_settings(settings).examine(clip)) == [], "the other schemes still look"


def test_an_entry_that_promises_more_bits_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match="fewer bits"):
        scheme(installed(tmp_path, output=CORRELATION | {"bits": 16}))


def wanted(**changes: Any) -> Input:
    return Input.model_validate(CROP | changes)


@pytest.mark.parametrize(
    ("size", "two", "places"),
    [
        ((16, 16), True, [(0, 0)]),
        ((16, 31), True, [(0, 8)]),
        ((16, 32), True, [(0, 0), (0, 16)]),
        ((40, 100), True, [(12, 17), (12, 67)]),
        ((100, 40), True, [(17, 12), (67, 12)]),
        ((100, 40), False, [(42, 12)]),
        ((15, 400), True, []),
    ],
)
def test_pieces_lie_apart(size: tuple[int, int], two: bool, places: list[tuple[int, int]]) -> None:
    rows, columns = np.indices(size)
    rgb = np.stack([rows, columns % 256, columns // 256], axis=-1).astype(np.uint8)
    pieces = pieces_of(rgb, wanted(), two=two)
    assert [(int(p[0, 0, 0]), int(p[0, 0, 1])) for p in pieces] == places
    assert all(piece.shape == (16, 16, 3) for piece in pieces)


@pytest.mark.parametrize(
    ("changes", "shape", "first"),
    [
        ({}, (1, 3, 16, 16), (0.0, 0.2, 1.0)),
        ({"colour": "BGR"}, (1, 3, 16, 16), (1.0, 0.2, 0.0)),
        ({"range": [-1, 1]}, (1, 3, 16, 16), (-1.0, -0.6, 1.0)),
        ({"layout": "BHWC"}, (1, 16, 16, 3), (0.0, 0.2, 1.0)),
        ({"layout": "BCTHW", "range": [0, 255]}, (1, 3, 1, 16, 16), (0.0, 51.0, 255.0)),
    ],
)
def test_a_picture_becomes_what_the_card_says(
    changes: dict[str, Any], shape: tuple[int, ...], first: tuple[float, ...]
) -> None:
    piece = np.broadcast_to(np.array([0, 51, 255], np.uint8), (16, 16, 3))
    values = prepared(piece, wanted(**changes))
    assert values.shape == shape
    assert values.dtype == np.float32
    pixel = values.reshape(16, 16, 3)[0, 0] if shape[-1] == 3 else values.reshape(3, 16, 16)[:, 0, 0]
    assert pixel == pytest.approx(first, abs=1e-6)


def test_scaling_down_takes_every_pixel_into_account() -> None:
    stripes = np.zeros((160, 160, 3), np.uint8)
    stripes[::2] = 255
    values = prepared(stripes, wanted(fit="resize"))
    assert values.min() > 0.4
    assert values.max() < 0.6


def test_agreement_is_of_two_pieces_or_none() -> None:
    sure = np.full((2, 8), 9.0, np.float32)
    assert agreement_of([sure]) == pytest.approx(1.0)
    assert agreement_of([sure * np.array([[1], [-1]])]) == pytest.approx(-1.0)
    assert agreement_of([sure[:1]]) is None
    assert agreement_of([sure * np.nan]) is None
    unsure = np.tile(np.array([[9.0], [0.0]], np.float32), (1, 8))
    assert agreement_of([unsure]) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("bits", "matched", "expected"),
    [(32, 32, 2.0**-32), (8, 0, 1.0), (8, 7, 9 / 256), (48, 34, 2.8e-3), (4096, 4096, 1e-300)],
)
def test_the_chance_is_the_binomial_tail(bits: int, matched: int, expected: float) -> None:
    assert chance(bits, matched) == pytest.approx(expected, rel=0.03)
    assert math.isfinite(math.log10(chance(bits, matched)))
