"""Pictures that a browser handed over, as examiners see them: read from batches, never decoded.

The bytes are as hostile as any file's; numpy looks at them and nothing else does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..frame_batches import LAYOUTS, PlaneLayout, picture_bytes, read_heads
from ..messages import say
from ..wire import FrameBatch, PictureColour
from .container import CannotDecode
from .frames import Colour, Frame, Model, Plane, Run
from .plan import Seen

# WebCodecs' words where they are not those of ITU-T H.273 as frames.Colour has them.
_MATRICES: Mapping[str, str] = {"bt2020-ncl": "bt2020nc"}

# Where red, green and blue stand in a pixel.
_RGB_ORDER: Mapping[str, tuple[int, int, int]] = {
    "RGBA": (0, 1, 2), "RGBX": (0, 1, 2), "BGRA": (2, 1, 0), "BGRX": (2, 1, 0),
}  # fmt: skip


class BrowserFrames:
    """The runs of a file of batches; see `frames.Frames`. Each is read anew whenever it is asked for."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self.seen = Seen(runs_wanted=sum(1 for _ in read_heads(file, size)))

    def held(self) -> bool:
        """See Frames: none is, all are read from the file."""
        return False

    def __iter__(self) -> Iterator[Run]:
        first_time = self.seen.runs == 0
        for head, _, samples in read_heads(self._file, self._size):
            run = _run(self._file, head, samples)
            if first_time:
                self.seen.note(len(run.frames), run.start_s, run.end_s)
            yield run


def _run(file: BinaryIO, head: FrameBatch, start: int) -> Run:
    file.seek(start)
    step = picture_bytes(head)
    durations = [later - earlier for earlier, later in pairwise(head.times_s)]
    durations += durations[-1:]  # the last is taken to be shown as long as the one before
    frames = []
    for number, time_s in enumerate(head.times_s):
        picture = file.read(step)
        if len(picture) != step:
            raise CannotDecode(say("frames.cut_off"))
        frames.append(_frame(head, picture, time_s, durations[number] if durations else None))
    return Run(tuple(frames))


def _frame(head: FrameBatch, picture: bytes, time_s: float, duration_s: float | None) -> Frame:
    planes = _planes(head, np.frombuffer(picture, dtype=np.uint8))
    model: Model = "rgb" if head.format in _RGB_ORDER else "ycbcr"
    chroma = LAYOUTS[head.format][-1]
    return Frame(
        planes=planes,
        model=model,
        depth=_depth(head),
        time_s=time_s,
        subsampling=(chroma.across, chroma.down),
        duration_s=duration_s,
        rotation=head.rotation,
        colour=_colour(head.colour, rgb=model == "rgb"),
    )


def _planes(head: FrameBatch, samples: NDArray[np.uint8]) -> tuple[Plane, ...]:
    planes: list[Plane] = []
    at = 0
    for layout in LAYOUTS[head.format]:
        size = layout.size(head.width, head.height)
        planes.append(_plane(layout, samples[at : at + size], head))
        at += size
    if head.format == "NV12":
        luma, chroma = planes
        return luma, chroma[:, 0::2], chroma[:, 1::2]
    if head.format in _RGB_ORDER:
        (packed,) = planes
        return tuple(packed[:, place::4] for place in _RGB_ORDER[head.format])
    return tuple(planes)


def _plane(layout: PlaneLayout, samples: NDArray[np.uint8], head: FrameBatch) -> Plane:
    shape = layout.shape(head.width, head.height)
    if layout.bytes == 1:
        return samples.reshape(shape)
    # What is above the depth would break arithmetic that counts on it.
    wide: NDArray[np.uint16] = samples.view("<u2").reshape(shape) & np.uint16((1 << _depth(head)) - 1)
    return wide


def _depth(head: FrameBatch) -> int:
    _, separator, depth = head.format.partition("P")
    return int(depth) if separator else 8


def _colour(told: PictureColour, *, rgb: bool) -> Colour:
    if rgb:
        return Colour(matrix="rgb", full_range=True, primaries=told.primaries, transfer=told.transfer)
    return Colour(
        matrix=_MATRICES.get(told.matrix or "", told.matrix),
        full_range=bool(told.full_range),
        primaries=told.primaries,
        transfer=told.transfer,
    )
