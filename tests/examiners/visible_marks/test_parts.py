"""The steps on the way to a reading: regions, black bars, places, line decoding."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import visible_marks_table
from conftest import REPOSITORY
from examiners.visible_marks.drawing import Word, draw
from touchstone.examiners.visible_marks import VisibleMarks
from touchstone.examiners.visible_marks.components import Box, boxes_of
from touchstone.examiners.visible_marks.looks import Content, content, looks, scaled
from touchstone.examiners.visible_marks.rules import rules
from touchstone.examiners.visible_marks.search import merged
from touchstone.media.frames import Frame, Run
from touchstone.media.plan import Seen


def by_flooding(mask: NDArray[np.bool_]) -> set[Box]:
    """Boxes of regions, one pixel after the other."""
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    boxes = set()
    while left:
        waiting = [left.pop()]
        region = []
        while waiting:
            y, x = waiting.pop()
            region.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            waiting += near
        ys, xs = zip(*region, strict=True)
        boxes.add((min(xs), min(ys), max(xs) + 1, max(ys) + 1))
    return boxes


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.45, 0.6, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (23, 37)])
def test_regions_are_those_that_flooding_finds(shape: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(round(share * 10))
    for _ in range(5):
        mask = rng.random(shape) < share
        assert sorted(set(boxes_of(mask))) == sorted(by_flooding(mask))


def test_regions_are_bounded_in_number() -> None:
    mask = np.zeros((100, 100), bool)
    mask[::2, ::2] = True
    assert len(boxes_of(mask, limit=7)) == 7


BARS = {
    "none": ((0, 0, 0, 0), False),
    "above and below": ((20, 20, 0, 0), False),
    "left and right": ((0, 0, 30, 30), False),
    "all around": ((10, 14, 6, 8), False),
    "a dark film": ((0, 0, 0, 0), True),
}


@pytest.mark.parametrize(("bars", "dark"), BARS.values(), ids=BARS.keys())
def test_black_bars_are_no_part_of_the_picture(bars: tuple[int, int, int, int], dark: bool) -> None:
    top, bottom, left, right = bars
    picture = np.full((100, 200), 18 if dark else 120, np.uint8)
    if dark:
        picture[90:95, 150:190] = 255  # nothing but a mark
    picture[:top] = picture[100 - bottom :] = 16
    picture[:, :left] = picture[:, 200 - right :] = 16
    assert content([picture]) == Content(left, top, 200 - right, 100 - bottom)


def test_places_are_joined_only_where_that_searches_no_more() -> None:
    near, far = (0.0, 0.9, 0.3, 1.0), (0.35, 0.9, 0.6, 1.0)
    assert len(merged([near, far])) == 1
    assert len(merged([(0.0, 0.0, 0.1, 0.1), (0.9, 0.9, 1.0, 1.0)])) == 2


def test_the_page_lists_every_rule_as_it_is() -> None:
    page = (REPOSITORY / "docs" / "visible-marks.md").read_text(encoding="utf-8")
    assert visible_marks_table.render().strip() in page, "run tools/visible_marks_table.py"


def test_all_places_are_searched() -> None:
    searched = merged(place for rule in rules() for place in rule.places)
    for rule in rules():
        for left, top, right, bottom in rule.places:
            assert any(a <= left and b <= top and right <= c and bottom <= d for a, b, c, d in searched), (
                rule.id
            )


class Clip:
    """Frames of a clip, three to a run."""

    def __init__(self, frame: Frame, runs: int = 2) -> None:
        self.seen = Seen(runs_wanted=runs)
        self._run = Run((frame,) * 3)
        self._runs = runs

    def __iter__(self) -> object:
        return iter([self._run] * self._runs)


PLANE = np.arange(96 * 160, dtype=np.uint32).reshape(96, 160) % 251


@pytest.mark.parametrize(
    "frame",
    [
        Frame((PLANE.astype(np.uint8),), "grey", 8, 0.5),
        Frame((PLANE.astype(np.uint8), *[np.full((48, 80), 128, np.uint8)] * 2), "ycbcr", 8, 0.5, (2, 2)),
        Frame(
            ((PLANE << 2).astype(np.uint16), *[np.full((48, 80), 512, np.uint16)] * 2),
            "ycbcr",
            10,
            0.5,
            (2, 2),
        ),
        Frame((PLANE.astype(np.uint8),) * 3, "rgb", 8, 0.5),
        Frame(((PLANE << 8).astype(np.uint16),) * 3, "rgb", 16, 0.5),
    ],
    ids=["grey", "ycbcr", "10 bits", "rgb", "16 bits"],
)
def test_looks_are_grey_whatever_the_frame_is(frame: Frame) -> None:
    one, two = looks(Clip(frame))  # type: ignore[arg-type]
    assert one.time_s == two.time_s == 0.5
    assert one.picture.dtype == np.uint8
    assert np.abs(one.picture.astype(int) - PLANE).max() <= 1


def test_looks_are_upright() -> None:
    frame = Frame((PLANE.astype(np.uint8),), "grey", 8, 0.0, rotation=90)
    (look,) = looks(Clip(frame, runs=1))  # type: ignore[arg-type]
    assert look.picture.shape == (160, 96)
    assert look.picture[0, -1] == PLANE[0, 0]  # turned clockwise: top left comes to the top right


def test_pictures_are_made_smaller_and_never_larger() -> None:
    assert scaled(np.zeros((1000, 500), np.uint8), 100).shape == (100, 50)
    assert scaled(np.zeros((10, 5), np.uint8), 100).shape == (10, 5)
    assert scaled(np.zeros((1, 5000), np.uint8), 100).shape == (1, 100)


@pytest.mark.parametrize("text", ["Sora", "KLING AI", "hello world", "豆包AI生成"])
def test_lines_are_found_and_read(examiner: VisibleMarks, text: str) -> None:
    (look,) = draw(Word(text, (0.5, 0.5), 0.1, (0,)), count=1)
    (line,) = examiner._detector.find(look.picture)
    assert line.left < 480 < line.right
    assert line.top < 270 < line.bottom
    box = look.picture[int(line.top) : int(line.bottom), int(line.left) : int(line.right)]
    (reading,) = examiner._reader.read([box])
    assert reading.text == text
    assert reading.score > 0.9


def test_reading_many_lines_keeps_their_order(examiner: VisibleMarks) -> None:
    words = ["one", "twenty", "three hundred", "four", "fifty five", "six", "seven", "eight", "nine", "ten"]
    lines = []
    for word in words:
        (look,) = draw(Word(word, (0.5, 0.5), 0.1, (0,), opacity=1.0), count=1)
        (line,) = examiner._detector.find(look.picture)
        lines.append(look.picture[int(line.top) : int(line.bottom), int(line.left) : int(line.right)])
    assert [reading.text for reading in examiner._reader.read(lines)] == words
