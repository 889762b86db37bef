"""Whether a mark is found, and whether nothing is found where there is none."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from touchstone.watermark import Statement, mark_frames, read_frames
from touchstone.watermark.carrier import CHIPS, SYNC, SYNC_CHIPS, carrier
from touchstone.watermark.detection import Detector, Pose
from touchstone.watermark.embedding import MIN_PSNR_DB, FrameMarker
from touchstone.watermark.key import WELL_KNOWN, Key
from touchstone.watermark.reading import ClipReader, MarkRead
from touchstone.watermark.sight import PERIOD, canonical, content_box, fold
from watermark.pictures import PAYLOAD, textured

Plane = NDArray[np.uint8]
OTHER = Key("other", bytes(range(32)))
WIDTH, HEIGHT, FRAMES = 640, 360, 9


@pytest.fixture(scope="module")
def plain() -> list[Plane]:
    return textured(WIDTH, HEIGHT, FRAMES)


@pytest.fixture(scope="module")
def marked(plain: list[Plane]) -> list[Plane]:
    marker = FrameMarker(PAYLOAD, WELL_KNOWN, WIDTH, HEIGHT)
    return [marker.mark(luma) for luma in plain]


def read(lumas: list[Plane], *keys: Key, thorough: bool = False) -> list[MarkRead]:
    reader = ClipReader([Detector(key) for key in keys or (WELL_KNOWN,)], thorough=thorough)
    for start in range(0, len(lumas), 3):
        reader.add(lumas[start : start + 3], start / 25, (start + 3) / 25)
    return reader.readings()


def resized(luma: Plane, scale: float) -> Plane:
    size = (round(luma.shape[1] * scale), round(luma.shape[0] * scale))
    return np.asarray(Image.fromarray(luma).resize(size, Image.Resampling.BICUBIC))


def as_jpeg(luma: Plane) -> Plane:
    buffer = io.BytesIO()
    Image.fromarray(luma).save(buffer, "jpeg", quality=70)
    return np.asarray(Image.open(buffer))


def turned(luma: Plane, degrees: float) -> Plane:
    return np.asarray(Image.fromarray(luma).rotate(degrees, Image.Resampling.BICUBIC))


ATTACKS: dict[str, Callable[[Plane], Plane]] = {
    "nothing": lambda luma: luma,
    "JPEG": as_jpeg,
    "half the size": lambda luma: resized(luma, 0.5),
    "half as large again": lambda luma: resized(luma, 1.5),
    "mirror": lambda luma: np.ascontiguousarray(luma[:, ::-1]),
    "a quarter turn": lambda luma: np.ascontiguousarray(np.rot90(luma)),
    "upside down": lambda luma: np.ascontiguousarray(luma[::-1, ::-1]),
    "black bars": lambda luma: np.pad(luma, ((70, 70), (0, 0)), constant_values=16),
    "darker": lambda luma: (luma * 0.8).astype(np.uint8),
    "a logo": lambda luma: np.where(np.arange(HEIGHT)[:, None] < 60, np.uint8(200), luma),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_mark_is_read_after(attack: str, marked: list[Plane]) -> None:
    (found,) = read([ATTACKS[attack](luma) for luma in marked])
    assert found.message is not None and found.message.payload == "00c0ffee"
    assert found.p_value < 1e-9
    assert found.mirrored == (attack == "mirror")


@pytest.mark.parametrize(
    ("attack", "scale", "angle"),
    [
        (lambda luma: luma[50:310, 60:520], 360 / 260, 0.0),
        (lambda luma: luma[:, 100:600], 1.0, 0.0),
        (lambda luma: turned(luma, 7), 1.0, 7.0),
    ],
)
def test_a_frame_that_was_cut_or_turned_is_found_again(
    attack: Callable[[Plane], Plane], scale: float, angle: float, marked: list[Plane]
) -> None:
    (found,) = read([np.ascontiguousarray(attack(luma)) for luma in marked], thorough=True)
    assert found.message is not None and found.message.payload == "00c0ffee"
    assert found.scale == pytest.approx(scale, rel=0.01)
    assert found.angle == pytest.approx(angle, abs=0.5)


def test_nothing_is_found_without_a_mark_or_without_the_key(plain: list[Plane], marked: list[Plane]) -> None:
    assert read(plain, WELL_KNOWN, OTHER, thorough=True) == []
    assert read(marked, OTHER, thorough=True) == []
    assert [found.key for found in read(marked, OTHER, WELL_KNOWN)] == ["touchstone"]


@pytest.mark.parametrize("picture", [np.zeros((256, 456)), np.indices((256, 456))[1] % 2 * 200.0])
def test_nothing_is_found_in_drawn_pictures(picture: NDArray[np.float64]) -> None:
    assert read([picture.astype(np.uint8)] * 3, thorough=True) == []


def test_only_the_marked_part_of_a_clip_is_told(plain: list[Plane], marked: list[Plane]) -> None:
    clip = [*plain, *marked, *plain[:6]]
    (found,) = read(clip)
    assert [(s.start_s, s.end_s) for s in found.stretches] == [(9 / 25, 18 / 25)]


def test_a_long_clip_is_read_in_no_more_parts_and_memory(marked: list[Plane]) -> None:
    reader = ClipReader([Detector(WELL_KNOWN)], thorough=False)
    for number in range(100):
        reader.add(marked[:1], float(number), number + 1.0)
    (found,) = reader.readings()
    assert [(s.start_s, s.end_s) for s in found.stretches] == [(0.0, 100.0)]


def test_chance_keeps_to_the_bound() -> None:
    """The largest of many looks at noise is as rare as the bound says, or rarer."""
    draw = np.random.default_rng(3)
    detector = Detector(WELL_KNOWN)
    found = [detector.look(draw.normal(size=(PERIOD, PERIOD)).astype(np.float32)) for _ in range(60)]
    assert not any(f.present for f in found)
    assert sum(f.log10_p < math.log10(0.1) for f in found) <= 12


def test_the_statistic_counts_every_look() -> None:
    detector = Detector(WELL_KNOWN)
    own = carrier(WELL_KNOWN)
    chips = own.signs.repeat(2, axis=0).repeat(2, axis=1).astype(np.float32)
    once, often = (detector.look(chips, tried).log10_p for tried in (1.0, 1000.0))
    assert often - once == pytest.approx(3.0)
    assert detector.look(chips).pose == Pose(mirrored=False, turns=0, place=0, row=0, column=0)
    assert int((own.roles == SYNC).sum()) == SYNC_CHIPS == CHIPS // 4


@pytest.mark.parametrize("size", [(320, 240), (641, 357), (240, 426)])
def test_a_marked_frame_is_as_good_as_promised(size: tuple[int, int]) -> None:
    width, height = size
    (luma,) = textured(width, height, 1)
    marked = FrameMarker(PAYLOAD, WELL_KNOWN, width, height).mark(luma)
    error = np.mean((marked.astype(float) - luma) ** 2) * (255 / 219) ** 2
    assert 10 * math.log10(255**2 / error) >= MIN_PSNR_DB - 0.1
    assert np.any(marked != luma)


def test_colours_are_moved_together() -> None:
    draw = np.random.default_rng(0)
    rgb = draw.integers(60, 200, (240, 320, 3), dtype=np.uint8)
    change = FrameMarker(PAYLOAD, WELL_KNOWN, 320, 240).mark_rgb(rgb).astype(int) - rgb
    assert np.array_equal(change[..., 0], change[..., 1]) and np.array_equal(change[..., 1], change[..., 2])
    assert 0 < np.abs(change).max() <= 8


def test_frames_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="made for frames of"):
        FrameMarker(PAYLOAD, WELL_KNOWN, 320, 240).mark(np.zeros((240, 321), np.uint8))


def test_what_is_seen_is_of_one_size() -> None:
    assert canonical(np.zeros((1080, 1920), np.uint8)).shape == (256, 455)
    assert canonical(np.zeros((1920, 1080), np.uint8)).shape == (455, 256)
    assert canonical(np.zeros((100, 2000), np.uint8)).shape == (256, 1024)
    assert fold(np.ones((256, 455), np.float32)).sum() == pytest.approx(256 * 455)


def test_bars_are_told_from_dark_pictures(plain: list[Plane]) -> None:
    assert content_box(plain[0]) is None
    assert content_box(np.full((90, 160), 17, np.uint8)) is None
    assert content_box(np.pad(plain[0], ((0, 0), (80, 90)), constant_values=16)) == (
        slice(0, HEIGHT),
        slice(80, 80 + WIDTH),
    )


def test_pictures_are_marked_and_read_in_a_few_lines(plain: list[Plane]) -> None:
    pictures = [np.repeat(luma[..., None], 3, axis=2) for luma in plain[:4]]
    (found,) = read_frames(mark_frames(pictures, payload="0000beef", ai=True))
    assert found.message is not None
    assert (found.message.payload, found.message.statement) == ("0000beef", Statement.AI_GENERATED)
    assert found.stretches[-1].end_s == pytest.approx(4 / 25)
    assert read_frames(pictures) == read_frames([]) == []
