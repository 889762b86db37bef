"""The pictures of a clip that are searched for marks: one from each run of frames, in grey, upright.

Marks are white, grey or black, so that the luma plane shows them and the cost of colour can be saved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...media.frames import Frame, Frames
from .ocr import Grey

_LARGEST = 1920  # pixels along the longer side that are kept for reading: a line of 3 % of 1080 is 32 high
_BLACK = 40  # luma up to which a bar counts as black; video black is 16, and compression adds ringing
_LIT = 0.02  # of a row or column: a bar may have a few bright pixels in it, as of noise or a subtitle's dot
_WIDEST_BAR = 0.45  # of a side; beyond, the picture is just dark


@dataclass(frozen=True)
class Look:
    """One searched picture and when it is shown."""

    picture: Grey
    time_s: float


@dataclass(frozen=True)
class Content:
    """Where the picture is within the frame, without black bars, in pixels; right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, picture: Grey) -> Grey:
        """That part of `picture`."""
        return picture[self.top : self.bottom, self.left : self.right]


def looks(frames: Frames) -> list[Look]:
    """The middle frame of every run: a mark that comes only after a few frames is there by then."""
    chosen = []
    for run in frames:
        frame = run.frames[len(run.frames) // 2]
        chosen.append(Look(_grey(frame), frame.time_s))
    return [look for look in chosen if look.picture.shape == chosen[0].picture.shape]


def _grey(frame: Frame) -> Grey:
    if frame.model == "rgb":
        # Rec. 601 weights in 256ths; which weights matters little for what is white or grey.
        red, green, blue = (plane.astype(np.uint32) for plane in frame.planes[:3])
        samples = (red * 77 + green * 150 + blue * 29) >> 8
    else:
        samples = frame.planes[0].astype(np.uint32) if frame.depth > 8 else np.asarray(frame.planes[0])
    picture = frame.upright(np.asarray(samples >> max(frame.depth - 8, 0), np.uint8))
    return scaled(picture, _LARGEST)


def scaled(picture: Grey, longest: int) -> Grey:
    """`picture` made smaller so that its longer side has `longest` pixels; unchanged if it is no longer."""
    height, width = picture.shape
    if max(height, width) <= longest:
        return np.ascontiguousarray(picture)
    factor = longest / max(height, width)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize(size, Image.Resampling.BILINEAR))


def content(pictures: Sequence[Grey]) -> Content:
    """Where the pictures are not black in all of `pictures`, which have one shape."""
    lit = np.maximum.reduce(pictures) > _BLACK
    height, width = lit.shape
    top, bottom = _without_bars(np.mean(lit, axis=1) > _LIT, height)
    left, right = _without_bars(np.mean(lit[top:bottom], axis=0) > _LIT, width)
    return Content(left, top, right, bottom)


def _without_bars(lit: np.ndarray[tuple[int], np.dtype[np.bool_]], length: int) -> tuple[int, int]:
    """First and last-plus-one index that is lit, or all where what is dark is too much to be a bar."""
    where = np.flatnonzero(lit)
    if not len(where):
        return 0, length
    first, last = int(where[0]), int(where[-1]) + 1
    if first > _WIDEST_BAR * length or length - last > _WIDEST_BAR * length:
        return 0, length
    return first, last
