"""Where in a clip text may be that is worth reading.

Finding text costs a second of processor time for a million pixels, so it is not done frame by frame:

- Marks that stay are looked for in the mean of the looks, once for each half of the clip: what moves blurs,
  what stays keeps its edges, and a mark that changes sides in the middle of a clip is in both.
- Marks that jump are looked for in each look, in the few places where they can be.

In both, only the places that the rules name are searched, cut out and laid into one mosaic. What is searched
is the relief of a picture: how far each pixel stands out from its surroundings. Marks are drawn half
transparent, and a white one over a light scene is found there only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from .looks import Content, Look, scaled
from .ocr import Grey, TextDetector
from .rules import Place, Rule

_STATIC_SIDE = 960  # pixels of the longer side at which what stays is searched; "MADE WITH PIKA" needs them
_JUMPING_SIDE = 640  # and what jumps, which is larger
_RELIEF_RADIUS = 12  # pixels around one that are its surroundings; some strokes wide
_RELIEF_GAIN = 2
_GAP = 16  # grey pixels between the crops of a mosaic, so that no line is found across two
_MARGIN = 0.02  # of the picture, around each place: a line is found whole or not at all


@dataclass(frozen=True)
class Candidate:
    """A line of text that may be a mark.

    Attributes:
        box: left, top, right, bottom as fractions of the picture without bars.
        height: of the line as a fraction of the shorter side.
        looks: numbers of the looks that it may be in.
        score: how sure the detector is.
    """

    box: Place
    height: float
    looks: tuple[int, ...]
    score: float

    @property
    def middle(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


def find_static(
    detector: TextDetector, looks: Sequence[Look], within: Content, rules: Sequence[Rule]
) -> list[Candidate]:
    """Lines in the rules' places that stay where they are through one half of the clip."""
    places = merged(place for rule in rules for place in rule.places)
    numbers = list(range(len(looks)))
    halves = [numbers] if len(looks) < 4 else [numbers[: len(looks) // 2], numbers[len(looks) // 2 :]]
    found = []
    for half in halves:
        small = [scaled(_cut(looks[number].picture, within), _STATIC_SIDE) for number in half]
        mean = np.mean(np.stack(small), axis=0).astype(np.uint8)
        found += _find(detector, [(relief(mean), tuple(half))], places)
    return found


def find_jumping(
    detector: TextDetector, looks: Sequence[Look], within: Content, rules: Sequence[Rule]
) -> list[Candidate]:
    """Lines in the rules' places, look by look."""
    places = merged(place for rule in rules for place in rule.places)
    pictures = [
        (relief(scaled(_cut(look.picture, within), _JUMPING_SIDE)), (number,))
        for number, look in enumerate(looks)
    ]
    return _find(detector, pictures, places) if places else []


def relief(picture: Grey) -> Grey:
    """How far each pixel is above (lighter) or below its surroundings; 128 is level with them."""
    around = np.asarray(Image.fromarray(picture).filter(ImageFilter.BoxBlur(_RELIEF_RADIUS)))
    raised = 128 + _RELIEF_GAIN * (picture.astype(np.int16) - around)
    return np.asarray(np.clip(raised, 0, 255), np.uint8)


def merged(places: Iterable[Place]) -> list[Place]:
    """The places with a margin around each, those that overlap joined into one."""
    waiting = [
        (max(left - _MARGIN, 0), max(top - _MARGIN, 0), min(right + _MARGIN, 1), min(bottom + _MARGIN, 1))
        for left, top, right, bottom in places
    ]
    apart: list[Place] = []
    while waiting:
        place = waiting.pop()
        for other in apart:
            if place[0] < other[2] and other[0] < place[2] and place[1] < other[3] and other[1] < place[3]:
                apart.remove(other)
                waiting.append(
                    (
                        min(place[0], other[0]),
                        min(place[1], other[1]),
                        max(place[2], other[2]),
                        max(place[3], other[3]),
                    )
                )
                break
        else:
            apart.append(place)
    return sorted(apart)


def _cut(picture: Grey, within: Content) -> Grey:
    return picture[within.top : within.bottom, within.left : within.right]


@dataclass(frozen=True)
class _Crop:
    """A piece of a picture and where it lies: in its picture, and in the mosaic."""

    picture: Grey
    numbers: tuple[int, ...]
    whole: tuple[int, int]  # height and width of the picture it is from
    left: int
    top: int
    at: tuple[int, int] = (0, 0)  # left and top in the mosaic


def _find(
    detector: TextDetector, pictures: Sequence[tuple[Grey, tuple[int, ...]]], places: Sequence[Place]
) -> list[Candidate]:
    crops = []
    for picture, numbers in pictures:
        height, width = picture.shape
        for left, top, right, bottom in places:
            x, y = round(left * width), round(top * height)
            piece = picture[y : round(bottom * height), x : round(right * width)]
            crops.append(_Crop(piece, numbers, picture.shape, x, y))
    mosaic, placed = _lay(crops)
    candidates = []
    for line in detector.find(mosaic):
        middle = (line.left + line.right) / 2, (line.top + line.bottom) / 2
        crop = next((crop for crop in placed if _holds(crop, middle)), None)
        if crop is None:
            continue
        across, down = crop.left - crop.at[0], crop.top - crop.at[1]
        height, width = crop.whole
        box = (
            max((line.left + across) / width, 0.0),
            max((line.top + down) / height, 0.0),
            min((line.right + across) / width, 1.0),
            min((line.bottom + down) / height, 1.0),
        )
        candidates.append(
            Candidate(box, (line.bottom - line.top) / min(height, width), crop.numbers, line.score)
        )
    return candidates


def _holds(crop: _Crop, point: tuple[float, float]) -> bool:
    (left, top), (height, width) = crop.at, crop.picture.shape
    return bool(left <= point[0] < left + width and top <= point[1] < top + height)


def _lay(crops: Sequence[_Crop]) -> tuple[Grey, list[_Crop]]:
    """All crops in one picture, in rows, the tallest first."""
    order = sorted(crops, key=lambda crop: crop.picture.shape, reverse=True)
    area = sum((crop.picture.shape[0] + _GAP) * (crop.picture.shape[1] + _GAP) for crop in order)
    widest = max(crop.picture.shape[1] for crop in order)
    limit = max(widest, round(area**0.5 * 1.2))
    placed: list[_Crop] = []
    x = y = row = right = 0
    for crop in order:
        height, width = crop.picture.shape
        if x and x + width > limit:
            x, y, row = 0, y + row + _GAP, 0
        placed.append(_Crop(crop.picture, crop.numbers, crop.whole, crop.left, crop.top, (x, y)))
        x, row, right = x + width + _GAP, max(row, height), max(right, x + width)
    mosaic = np.full((y + row, right), 128, np.uint8)
    for crop in placed:
        left, top = crop.at
        height, width = crop.picture.shape
        mosaic[top : top + height, left : left + width] = crop.picture
    return mosaic, placed
