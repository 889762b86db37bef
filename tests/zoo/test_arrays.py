"""Pictures as models take them, and their answers as scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from touchstone.zoo.arrays import prepared, scores
from touchstone.zoo.entry import Input, Output

RED = np.zeros((20, 40, 3), np.uint8)
RED[..., 0] = 255
LEFT = np.zeros((16, 32, 3), np.uint8)
LEFT[:, :8] = 255


def wanted(**changes: Any) -> Input:
    values = {
        "name": "x",
        "layout": "BCHW",
        "colour": "RGB",
        "range": (0, 1),
        "fit": "crop",
        "height": 16,
        "width": 16,
    }
    return Input.model_validate(values | changes)


@pytest.mark.parametrize(
    ("changes", "shape", "first"),
    [
        # `first`: what the first of red, green and blue, or of blue, green and red, becomes.
        ({}, (1, 3, 16, 16), 1.0),
        ({"colour": "BGR"}, (1, 3, 16, 16), 0.0),
        ({"range": (-1, 3)}, (1, 3, 16, 16), 3.0),
        ({"mean": (0.5, 0.4, 0.3), "std": (0.25, 1, 1)}, (1, 3, 16, 16), 2.0),
        ({"layout": "BHWC"}, (1, 16, 16, 3), 1.0),
        ({"layout": "BCTHW"}, (1, 3, 1, 16, 16), 1.0),
        ({"layout": "BTCHW"}, (1, 1, 3, 16, 16), 1.0),
    ],
)
def test_a_picture_becomes_what_the_entry_says(
    changes: dict[str, Any], shape: tuple[int, ...], first: float
) -> None:
    values = prepared([RED], wanted(**changes))
    assert values.shape == shape
    assert values.dtype == np.float32
    assert values.ravel()[0] == first


def test_frames_lie_where_the_layout_puts_them() -> None:
    frames = [np.full((16, 16, 3), level, np.uint8) for level in (0, 51, 102)]
    for frame in frames:
        frame[..., 2] += 51  # blue, so that colours differ as well as frames
    level = np.array([[0, 0, 0.2], [0.2, 0.2, 0.4], [0.4, 0.4, 0.6]])  # frame, colour
    joined = prepared(frames, wanted(frames=3))
    assert joined.shape == (1, 9, 16, 16)
    np.testing.assert_allclose(joined[0, :, 0, 0], level.ravel(), atol=1e-6)
    by_time = prepared(frames, wanted(frames=3, layout="BTCHW"))
    np.testing.assert_allclose(by_time[0, :, :, 0, 0], level, atol=1e-6)
    by_colour = prepared(frames, wanted(frames=3, layout="BCTHW"))
    np.testing.assert_allclose(by_colour[0, :, :, 0, 0], level.T, atol=1e-6)


@pytest.mark.parametrize(
    ("fit", "share"),
    # A quarter of the picture on the left is white: out of sight in the middle, seen whole when resized.
    [("crop", 0.0), ("resize", 0.25), ("cover", 0.0)],
)
def test_what_is_seen_of_a_wide_picture(fit: str, share: float) -> None:
    assert prepared([LEFT], wanted(fit=fit)).mean() == pytest.approx(share, abs=0.02)


def test_cover_keeps_the_proportions() -> None:
    tall = np.zeros((300, 100, 3), np.uint8)
    tall[100:200] = 255  # the middle third, which is what covering a square leaves
    assert prepared([tall], wanted(fit="cover")).mean() > 0.95


@pytest.mark.parametrize(
    ("frames", "changes", "says"),
    [([RED] * 2, {}, "2 frames where"), ([RED[:8]], {}, "40 by 8 pixels where the model takes 16 by 16")],
)
def test_what_does_not_fit_is_said_so(frames: list[Any], changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        prepared(frames, wanted(**changes))


@pytest.mark.parametrize(
    ("output", "row", "score"),
    [
        ({}, [1.5], 1.5),
        ({"skip": 1}, [9.0, -2.0], -2.0),
        ({"scale": "probability"}, [0.75], np.log(3)),
        ({"scale": "probability"}, [1.0], np.log(999999)),
        ({"scale": "classes", "skip": 1}, [0.5, 2.0], 1.5),
        ({"scale": "classes"}, [1.0, 0.0, 0.0], 1.0 - np.log(2)),
    ],
)
def test_answers_become_logits(output: dict[str, Any], row: list[float], score: float) -> None:
    entry = Output.model_validate({"name": "y", **output})
    assert scores(np.array([row], np.float32), entry)[0] == pytest.approx(score, rel=0.01)


def test_too_few_numbers_are_said_so() -> None:
    with pytest.raises(ValueError, match="at least 2 numbers"):
        scores(np.zeros((1, 1), np.float32), Output(name="y", scale="classes"))
