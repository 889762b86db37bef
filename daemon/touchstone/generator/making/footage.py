"""Reads clips and pictures that a generated clip is to fit to, and brings pictures to size."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ...messages import say
from ..networks import STEP, Frames
from .plan import FPS

AREA = 128 * 128
"""Pixels of the pictures that the networks make, about: what they were trained on."""
SMALLEST, WIDEST, TALLEST = 64, 1920, 1080
"""Sides of a clip, pixels. Portrait clips may be as tall as landscape ones are wide."""


class CannotRead(Exception):
    """A file cannot be read as a video or a picture; the text names it and the reason."""


@dataclass(frozen=True)
class Sizes:
    """Of a clip, pixels: what was asked for, and what the networks make of the same shape, or a little more.

    Attributes:
        width, height: of the clip.
        made_width, made_height: whole multiples of 16.
    """

    width: int
    height: int
    made_width: int
    made_height: int

    @classmethod
    def of(cls, width: int, height: int) -> Sizes:
        """For a clip of a size.

        Raises:
            ValueError: it cannot be made; the text says what can.
        """
        longer, shorter = max(width, height), min(width, height)
        if width % 2 or height % 2:
            raise ValueError(say("generate.size_odd", width=width, height=height))
        if shorter < SMALLEST or longer > WIDEST or shorter > TALLEST or longer > 3 * shorter:
            raise ValueError(
                say(
                    "generate.size_impossible",
                    width=width,
                    height=height,
                    smallest=SMALLEST,
                    widest=WIDEST,
                    tallest=TALLEST,
                )
            )
        scale = (AREA / (width * height)) ** 0.5
        made = [max(STEP * 4, round(side * scale / STEP) * STEP) for side in (width, height)]
        return cls(width, height, *made)

    @property
    def doublings(self) -> int:
        """How often a made picture is doubled before it is brought to the clip's size."""
        ratio = max(self.width / self.made_width, self.height / self.made_height)
        return max(0, round(math.log2(ratio)))

    def shown(self, picture: Frames) -> Frames:
        """A picture `(H, W, 3)` at the clip's size: scaled, and cut to its shape by a few pixels."""
        height, width = picture.shape[:2]
        scale = max(self.width / width, self.height / height)
        large = resized(
            picture, max(self.width, round(width * scale)), max(self.height, round(height * scale))
        )
        top, left = (large.shape[0] - self.height) // 2, (large.shape[1] - self.width) // 2
        return np.ascontiguousarray(large[top : top + self.height, left : left + self.width])

    def small(self, picture: Frames) -> Frames:
        """A picture of any size as the networks take it: the middle of it, in their shape."""
        height, width = picture.shape[:2]
        scale = max(self.made_width / width, self.made_height / height)
        fit = resized(
            picture, max(self.made_width, round(width * scale)), max(self.made_height, round(height * scale))
        )
        top, left = (fit.shape[0] - self.made_height) // 2, (fit.shape[1] - self.made_width) // 2
        return np.ascontiguousarray(fit[top : top + self.made_height, left : left + self.made_width])


def resized(picture: Frames, width: int, height: int) -> Frames:
    """A picture `(H, W, 3)` at another size: averaged where it shrinks, Lanczos where it grows."""
    if picture.shape[:2] == (height, width):
        return picture
    how = "AREA" if width < picture.shape[1] else "LANCZOS"
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.to_ndarray(width=width, height=height, format="rgb24", interpolation=how).astype(
        np.uint8, copy=False
    )


def frames_of(path: Path) -> Iterator[Frames]:
    """The pictures of a clip at 16 a second, `(H, W, 3)` each; of a still one.

    Raises:
        CannotRead: it is no video and no picture.
    """
    wanted = 0
    try:
        with path.open("rb") as file, av.open(file, "r", metadata_errors="replace") as clip:
            if not clip.streams.video:
                raise CannotRead(say("generate.no_picture", path=path))
            stream = clip.streams.video[0]
            stream.thread_type = "AUTO"
            start: float | None = None
            for frame in clip.decode(stream):
                at = frame.time if frame.time is not None else wanted / FPS
                start = at if start is None else start
                if at - start + 1e-6 < wanted / FPS:
                    continue
                picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                while at - start + 1e-6 >= wanted / FPS:  # of slower clips a picture is shown again
                    yield picture
                    wanted += 1
    except (av.error.FFmpegError, OSError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CannotRead(say("generate.cannot_read", path=path, reason=reason)) from problem
    if not wanted:
        raise CannotRead(say("generate.no_picture", path=path))
