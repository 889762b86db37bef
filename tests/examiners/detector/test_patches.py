"""Patches are cut from the decoder's own samples, wherever there is something to see."""

from __future__ import annotations

import numpy as np
import pytest

from touchstone.examiners.detector.patches import FLAT, GRID, ROWS, SIDE, cut
from touchstone.media.frames import Colour, Frame, Run


def noise(
    height: int, width: int, *, subsampling: tuple[int, int] = (2, 2), depth: int = 8, seed: int = 0
) -> Frame:
    random = np.random.default_rng(seed)
    kind = np.uint8 if depth == 8 else np.uint16
    across, down = subsampling
    small = (-(-height // down), -(-width // across))
    planes = [random.integers(0, 1 << depth, shape).astype(kind) for shape in ((height, width), small, small)]
    return Frame(tuple(planes), "ycbcr", depth, time_s=seed / 24, subsampling=subsampling)


def run_of(*shapes: tuple[int, int], **more: object) -> Run:
    return Run(tuple(noise(*shape, seed=index, **more) for index, shape in enumerate(shapes)))  # type: ignore[arg-type]


FLAT_GREY = Frame((np.full((256, 256), 90, np.uint8),), "grey", 8, time_s=0.0)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (run_of((256, 256)), "one frame"),
        (run_of((256, 256), (256, 256)), "two frames"),
        (run_of((64, 256), (64, 256), (64, 256)), "lower than a patch"),
        (run_of((256, 256), (256, 256), (128, 256)), "frames of different sizes"),
        (
            Run(
                tuple(Frame((np.full((256, 256), 90, np.uint8),), "grey", 8, time_s=t / 24) for t in range(3))
            ),
            "flat",
        ),
    ],
)
def test_nothing_is_cut_where_there_is_nothing_to_see(run: Run, why: str) -> None:
    batch, places = cut(run, 4)
    assert batch.shape == (0, 3, ROWS, SIDE), why
    assert places == []


def test_samples_are_the_decoders_own() -> None:
    run = run_of((360, 640), (360, 640), (360, 640))
    batch, places = cut(run, 4)
    assert batch.shape == (4, 3, ROWS, SIDE)
    assert batch.dtype == np.float32
    for patch, place in zip(batch, places, strict=True):
        assert place.x % GRID == place.y % GRID == 0
        assert place.texture > FLAT
        for picture, frame in zip(patch, run.frames, strict=True):
            luma, cb, cr = frame.planes
            x, y = place.x // 2, place.y // 2
            np.testing.assert_array_equal(picture[:SIDE], luma[place.y :, place.x :][:SIDE, :SIDE])
            np.testing.assert_array_equal(picture[SIDE:, :64], cb[y : y + 64, x : x + 64])
            np.testing.assert_array_equal(picture[SIDE:, 64:], cr[y : y + 64, x : x + 64])


@pytest.mark.parametrize("size", [(128, 128), (129, 131), (240, 426), (2160, 3840)])
def test_any_size_from_a_patch_on_gives_patches_inside_it(size: tuple[int, int]) -> None:
    batch, places = cut(run_of(size, size, size), 4)
    assert 1 <= len(places) <= 4
    assert len(batch) == len(places) == len({(place.x, place.y) for place in places})
    assert all(place.x + SIDE <= size[1] and place.y + SIDE <= size[0] for place in places)


@pytest.mark.parametrize(("subsampling", "depth"), [((1, 1), 8), ((2, 1), 8), ((4, 1), 8), ((2, 2), 10)])
def test_other_layouts_come_to_the_same_scale(subsampling: tuple[int, int], depth: int) -> None:
    batch, _ = cut(run_of(*[(256, 256)] * 3, subsampling=subsampling, depth=depth), 4)
    assert len(batch) == 4
    assert np.isfinite(batch).all()
    assert 120 < batch.mean() < 135
    assert batch.max() <= 256


def test_full_range_and_rgb_are_brought_to_limited_range() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    half = np.full((128, 128), 128, np.uint8)
    full = Frame((ramp, half, half), "ycbcr", 8, 0.0, (2, 2), colour=Colour(full_range=True))
    rgb = Frame((ramp, ramp, ramp), "rgb", 8, 0.0)
    for frame in (full, rgb):
        batch, places = cut(Run((frame, frame, frame)), 4)
        expected = 16 + 219 / 255 * np.arange(places[0].x, places[0].x + SIDE)
        np.testing.assert_allclose(batch[0, 0, 0], expected, atol=1e-3)
        np.testing.assert_allclose(batch[0, 0, SIDE:], 128, atol=1e-3)


def test_the_least_textured_quarter_is_left_out() -> None:
    run = run_of(*[(512, 512)] * 3)
    for frame in run.frames:
        frame.planes[0][:128] = 60 + np.arange(512, dtype=np.uint8) // 64  # faint: a step in 64 pixels
    _, places = cut(run, 4)
    assert all(place.y >= 128 for place in places)
