"""Where in a clip text may be that is worth reading.

Finding text costs a second of processor time for a million pixels, so it is not done frame by frame:

- Marks that stay are looked for once, in what stands in the looks: what moves is averaged away, what stays
  keeps its edges. Both halves of the clip are averaged by themselves and what stands out more is taken, so
  that a mark that changes sides in the middle of a clip is there in both places.
- Marks that jump are looked for in each look, in the few places where they can be.

In both, only the places that the rules name are searched, cut out and laid into one mosaic. What is searched
is the relief of a picture: how far each pixel stands out from its surroundings. Marks are drawn half
transparent, and a white one over a light scene is found there only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from .looks import Content, Look, scaled
from .ocr import STRIDE, Grey, TextDetector
from .packing import smallest_packing
from .rules import Place, Rule

_STATIC_SIDE = 896  # pixels of the longer side at which what stays is searched; "MADE WITH PIKA" needs them
_JUMPING_SIDE = 576  # and what jumps, which is larger; over hard texture it is not found at 512
_RELIEF_RADIUS = 12  # pixels around one that are its surroundings; some strokes wide
_RELIEF_GAIN = 2  # of what stays
_RELIEF_MOST = 48  # grey levels; an edge that moves through is bounded, so that a few looks average it away
_SINGLE_GAIN = 1.5  # of one look, unbounded: bounded, hard texture stands out as much as letters on it
_HALVES_FROM = 4  # looks
_GAP = 8  # grey pixels between the crops of a mosaic, so that no line is found across two
_MARGIN = (
    0.06,
    0.03,
)  # of the picture, around each place: the middle of a line lies in it, not all of the line

Relief = NDArray[np.int16]


@dataclass(frozen=True)
class Candidate:
    """A line of text that may be a mark.

    Attributes:
        box: left, top, right, bottom as fractions of the picture without bars.
        height: of the line as a fraction of the shorter side.
        looks: numbers of the looks that it may be in.
        score: how sure the detector is.
        mirrored: whether it is to be read, and placed, as if the picture were turned left for right.
    """

    box: Place
    height: float
    looks: tuple[int, ...]
    score: float
    mirrored: bool = False

    @property
    def middle(self) -> tuple[float, float]:
        """Where it is, as the rules count: across and down."""
        left, top, right, bottom = self.box
        across = (left + right) / 2
        return 1 - across if self.mirrored else across, (top + bottom) / 2


def find_static(
    detector: TextDetector, looks: Sequence[Look], within: Content, rules: Sequence[Rule]
) -> list[Candidate]:
    """Lines in the rules' places that stay where they are through one half of the clip."""
    numbers = tuple(range(len(looks)))
    small = [scaled(within.cut(look.picture), _STATIC_SIDE) for look in looks]
    crops = [
        replace(crop, picture=_standing([crop.of(picture) for picture in small]))
        for crop in _crops(small[0], numbers, merged(place for rule in rules for place in rule.places))
    ]
    return _find(detector, crops)


def find_jumping(
    detector: TextDetector, looks: Mapping[int, Look], within: Content, rules: Sequence[Rule]
) -> list[Candidate]:
    """Lines in the rules' places, look by look; `looks` by their numbers."""
    places = merged(place for rule in rules for place in rule.places)
    crops = []
    for number, look in looks.items():
        picture = scaled(within.cut(look.picture), _JUMPING_SIDE)
        crops += [
            replace(crop, picture=_visible(_SINGLE_GAIN * relief(crop.picture)))
            for crop in _crops(picture, (number,), places)
        ]
    return _find(detector, crops)


def relief(picture: Grey) -> Relief:
    """How far each pixel is above (lighter) or below (darker) its surroundings, in grey levels."""
    around = np.asarray(Image.fromarray(picture).filter(ImageFilter.BoxBlur(_RELIEF_RADIUS)))
    return np.asarray(picture.astype(np.int16) - around)


def _standing(pictures: Sequence[Grey]) -> Grey:
    """What stands in the first or in the second half of `pictures`, as a picture."""
    reliefs = [np.clip(relief(picture), -_RELIEF_MOST, _RELIEF_MOST) for picture in pictures]
    half = len(reliefs) // 2 if len(reliefs) >= _HALVES_FROM else 0
    means = [np.mean(part, axis=0) for part in (reliefs[:half], reliefs[half:]) if part]
    most = reduce(lambda a, b: np.where(np.abs(a) >= np.abs(b), a, b), means)
    return _visible(_RELIEF_GAIN * most)


def _visible(raised: NDArray[np.floating[Any]]) -> Grey:
    return np.asarray(np.clip(128 + raised, 0, 255), np.uint8)


def merged(places: Iterable[Place]) -> list[Place]:
    """The places with a margin around each; joined where one box around two is no larger than the two."""
    across, down = _MARGIN
    waiting = [
        (max(left - across, 0), max(top - down, 0), min(right + across, 1), min(bottom + down, 1))
        for left, top, right, bottom in places
    ]
    apart: list[Place] = []
    while waiting:
        place = waiting.pop()
        for other in apart:
            both = (
                min(place[0], other[0]),
                min(place[1], other[1]),
                max(place[2], other[2]),
                max(place[3], other[3]),
            )
            if _area(both) <= _area(place) + _area(other):
                apart.remove(other)
                waiting.append(both)
                break
        else:
            apart.append(place)
    return sorted(apart)


def _area(place: Place) -> float:
    left, top, right, bottom = place
    return (right - left) * (bottom - top)


@dataclass(frozen=True)
class _Crop:
    """A piece of a picture and where it lies: in its picture, and in the mosaic."""

    picture: Grey
    numbers: tuple[int, ...]
    whole: tuple[int, int]  # height and width of the picture it is from
    left: int
    top: int
    at: tuple[int, int] = (0, 0)  # left and top in the mosaic

    def of(self, picture: Grey) -> Grey:
        """The same piece of another picture."""
        height, width = self.picture.shape
        return np.ascontiguousarray(picture[self.top : self.top + height, self.left : self.left + width])


def _crops(picture: Grey, numbers: tuple[int, ...], places: Sequence[Place]) -> list[_Crop]:
    height, width = picture.shape
    crops = []
    for left, top, right, bottom in places:
        x, y = round(left * width), round(top * height)
        piece = np.ascontiguousarray(picture[y : round(bottom * height), x : round(right * width)])
        crops.append(_Crop(piece, numbers, (height, width), x, y))
    return crops


def _find(detector: TextDetector, crops: Sequence[_Crop]) -> list[Candidate]:
    if not crops:
        return []
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
    """All crops in one picture, with as little between them as a few ways of packing allow."""
    sizes = [(crop.picture.shape[0] + _GAP, crop.picture.shape[1] + _GAP) for crop in crops]
    packed = smallest_packing(sizes, STRIDE)
    placed = [replace(crop, at=at) for crop, at in zip(crops, packed, strict=True)]
    right = max(crop.at[0] + crop.picture.shape[1] for crop in placed)
    bottom = max(crop.at[1] + crop.picture.shape[0] for crop in placed)
    mosaic = np.full((bottom, right), 128, np.uint8)
    for crop in placed:
        left, top = crop.at
        height, width = crop.picture.shape
        mosaic[top : top + height, left : left + width] = crop.picture
    return mosaic, placed
