"""Decoded pictures as frame examiners get them: the decoder's own planes, never resampled.

Only numpy is needed to hold them. What made them is `sampler.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .plan import Seen

Plane = NDArray[np.uint8] | NDArray[np.uint16]
Model = Literal["ycbcr", "rgb", "grey"]


@dataclass(frozen=True)
class Colour:
    """How a frame's numbers stand for colours, in the words of ITU-T H.273.

    Attributes:
        matrix: `bt709`, `smpte170m`, `bt2020nc`, `rgb`, ...; None where the stream does not say.
        full_range: luma from 0 to the largest value rather than 16 to 235 (times 2^(depth-8)).
        primaries, transfer: as `matrix`.
    """

    matrix: str | None = None
    full_range: bool = False
    primaries: str | None = None
    transfer: str | None = None


@dataclass(frozen=True)
class Frame:
    """One picture as it was decoded.

    Attributes:
        planes: Y, Cb, Cr, or R, G, B, or grey alone: `(H, W)` each, uint8 up to 8 bits, else uint16 with the
            values in the low `depth` bits; chroma planes are smaller by `subsampling`.
        model: what the planes are.
        depth: bits of a sample.
        subsampling: how many luma samples one chroma sample stands for, across and down: (2, 2) is 4:2:0,
            (1, 1) is 4:4:4.
        alpha: `(H, W)`, the depth of the planes; None without.
        time_s: when it is shown, in seconds from the start of the clip, edit lists applied.
        duration_s: how long it is shown, where the container says.
        kind: I, P or B as coded; None where the codec does not say.
        key: whether decoding can start here.
        rotation: clockwise degrees to turn it by for display: 0, 90, 180 or 270.
        interlaced: whether its lines are of two points in time.
        colour: how to read the numbers.
    """

    planes: tuple[Plane, ...]
    model: Model
    depth: int
    time_s: float
    subsampling: tuple[int, int] = (1, 1)
    alpha: Plane | None = None
    duration_s: float | None = None
    kind: str | None = None
    key: bool = False
    rotation: int = 0
    interlaced: bool = False
    colour: Colour = field(default_factory=Colour)

    @property
    def width(self) -> int:
        """Pixels across, as coded, before rotation."""
        return int(self.planes[0].shape[1])

    @property
    def height(self) -> int:
        """Pixels down, as coded, before rotation."""
        return int(self.planes[0].shape[0])

    @property
    def size_bytes(self) -> int:
        """Memory that the planes take."""
        return sum(plane.nbytes for plane in self.planes) + (
            self.alpha.nbytes if self.alpha is not None else 0
        )

    def rgb(self) -> NDArray[np.uint8]:
        """`(H, W, 3) uint8, RGB`, as coded, before rotation.

        Chroma is repeated, not interpolated, so that no sample is made up. Where the stream does not name its
        matrix, BT.709 is taken from 720 lines on and BT.601 below, as players do.
        """
        from .colour import to_rgb

        return to_rgb(self)

    def upright(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`picture`, which has this frame's shape, turned the way it is shown."""
        return np.rot90(picture, k=-(self.rotation // 90))

    def upright_box(self, x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
        """A box in this picture, where it is once the picture is turned the way it is shown.

        Upper left corner, width and height, in and out in fractions of the picture's sides.
        """
        for _ in range(self.rotation // 90):
            x, y, w, h = max(1 - y - h, 0.0), x, h, w
        return x, y, w, h


@dataclass(frozen=True)
class Run:
    """Consecutive frames of a clip, in the order they are shown."""

    frames: tuple[Frame, ...]

    @property
    def start_s(self) -> float:
        return self.frames[0].time_s

    @property
    def end_s(self) -> float:
        last = self.frames[-1]
        return last.time_s + (last.duration_s or 0.0)


class Frames(Protocol):
    """The sampled frames of a clip, run by run; may be read any number of times."""

    seen: Seen

    def held(self) -> bool:
        """Read the runs as far as they can be kept, and say whether all are.

        Only then may several threads read them at once. Raises what reading them raises.
        """

    def __iter__(self) -> Iterator[Run]: ...
