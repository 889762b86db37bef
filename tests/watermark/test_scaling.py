"""Scaling is Pillow's, bit for bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from touchstone.watermark import scaling
from touchstone.watermark.scaling import scaled
from touchstone.watermark.sight import SIDE, canonical

SIZES = [
    ((1080, 1920), (455, 256)),
    ((1920, 1080), (256, 455)),
    ((720, 1280), (455, 256)),
    ((479, 853), (456, 256)),
    ((240, 320), (341, 256)),  # larger
    ((256, 455), (455, 256)),  # as it is
    ((256, 900), (455, 256)),  # one side as it is
    ((700, 455), (455, 256)),
    ((2340, 1080), (256, 555)),  # tall
    ((17, 3000), (900, 5)),
    ((5, 4), (1, 1)),
    ((1, 1), (7, 9)),
]


def pictures(shape: tuple[int, int]) -> dict[str, NDArray[np.uint8]]:
    random = np.random.default_rng(sum(shape))
    ramp = np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    return {
        "noise": random.integers(0, 256, shape, np.uint8),
        "black and white": random.integers(0, 2, shape, np.uint8) * np.uint8(255),
        "lines": np.broadcast_to((ramp[:1] % 2 * 255).astype(np.uint8), shape),
        "ramp": (ramp % 256).astype(np.uint8),
        "flat": np.full(shape, 77, np.uint8),
    }


def by_pillow(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    picture = np.ascontiguousarray(picture)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_every_pixel_is_that_of_pillow(shape: tuple[int, int], size: tuple[int, int]) -> None:
    for name, picture in pictures(shape).items():
        assert np.array_equal(scaled(picture, *size), by_pillow(picture, size)), name


def test_the_doubtful_ones_are_worked_out_exactly() -> None:
    """No product is off by more than what is taken for doubtful, and all being doubtful changes nothing."""
    kernel = scaling._filter(1920, 455)
    picture = pictures((200, 1920))["black and white"]
    exact = scaling._along_rows(picture, replace(kernel, doubt=1.0))
    assert np.array_equal(exact, by_pillow(picture, (455, 200)))
    assert np.array_equal(exact, scaling._along_rows(picture, kernel))
    sums = picture.astype(np.float64)
    matrix = np.zeros((1920, 455))
    for low, high, begin, end, weights in kernel.blocks:
        matrix[low:high, begin:end] = weights
    in_float32 = picture.astype(np.float32) @ matrix.astype(np.float32)
    assert np.abs(in_float32 - sums @ matrix).max() < kernel.doubt / 2


def test_frames_of_any_shape_are_at_the_canonical_size_what_they_were() -> None:
    random = np.random.default_rng(0)
    for width, aspect in zip(random.integers(50, 900, 40), np.geomspace(1 / 3, 3, 40), strict=True):
        picture = random.integers(0, 256, (max(1, round(width * aspect)), width), np.uint8)
        height, side = picture.shape[0], min(picture.shape)
        size = (round(width * SIDE / side), round(height * SIDE / side))
        assert np.array_equal(canonical(picture), by_pillow(picture, size)), picture.shape
