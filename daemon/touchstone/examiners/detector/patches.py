"""What the detector's model looks at: patches of three consecutive frames, at the scale they were decoded in.

Training cuts its patches with this module too, so that the model meets in a scan what it was trained on.
model_zoo/training/detector/CONTRACT.md fixes the layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...media.frames import Frame, Plane, Run

SIDE = 128
"""Pixels of a patch, across and down."""
FRAMES = 3
"""Consecutive frames of a patch."""
ROWS = SIDE * 3 // 2
"""Rows of a patch's picture: luma above, Cb and Cr side by side below, as 4:2:0 is often laid out."""
GRID = 16
"""Patches start at multiples of this, so that codec blocks of 8 and 16 lie alike in all of them."""
FLAT = 0.25
"""Mean absolute step between neighbouring pixels below which a patch has nothing to look at: bars, titles."""

_SKIPPED = 0.25  # the least textured part of the candidates, which is sky and walls

Batch = NDArray[np.float32]


@dataclass(frozen=True)
class Place:
    """Where a patch was cut: its upper left corner in pixels of the coded picture, and its texture."""

    x: int
    y: int
    texture: float


def cut(run: Run, count: int) -> tuple[Batch, list[Place]]:
    """Up to `count` patches of a run, none where there is nothing to see.

    Args:
        run: at least three frames of one size; those after the third are not looked at.
        count: how many at most.

    Returns:
        `(N, 3, 192, 128) float32`, 8-bit code values of limited range (luma 16 to 235): for each frame luma
        in rows 0 to 127, below it Cb (columns 0 to 63) and Cr (64 to 127) at half the resolution. And the
        place of each. N is 0 if the frames are fewer, smaller than a patch, of different sizes or flat.
    """
    frames = run.frames[:FRAMES]
    first = frames[0]
    if len(frames) < FRAMES or min(first.width, first.height) < SIDE:
        return np.empty((0, FRAMES, ROWS, SIDE), np.float32), []
    if any((frame.width, frame.height) != (first.width, first.height) for frame in frames):
        return np.empty((0, FRAMES, ROWS, SIDE), np.float32), []
    found = places(frames[1], count)
    batch = np.empty((len(found), FRAMES, ROWS, SIDE), np.float32)
    for patch, place in zip(batch, found, strict=True):
        for picture, frame in zip(patch, frames, strict=True):
            _fill(picture, frame, place.x, place.y)
    return batch, found


def places(frame: Frame, count: int) -> list[Place]:
    """Where to cut: candidates cover the frame; of the more textured ones, evenly by rank of texture."""
    candidates = [
        Place(x, y, _texture(frame.planes[0][y : y + SIDE, x : x + SIDE], frame.depth))
        for y in _starts(frame.height)
        for x in _starts(frame.width)
    ]
    ranked = sorted((p for p in candidates if p.texture > FLAT), key=lambda p: (-p.texture, p.y, p.x))
    kept = ranked[: max(count, round(len(ranked) * (1 - _SKIPPED)))]
    if len(kept) <= count:
        return kept
    return [kept[index * len(kept) // count] for index in range(count)]


def _starts(length: int) -> list[int]:
    """Where patches start along a side, so that they cover it."""
    steps = -(-length // SIDE)
    room = length - SIDE
    return sorted({int(room * step / max(steps - 1, 1)) // GRID * GRID for step in range(steps)})


def _texture(luma: Plane, depth: int) -> float:
    lines = luma[::2].astype(np.int32)
    return float(np.abs(np.diff(lines, axis=1)).mean()) / (1 << (depth - 8)) if depth >= 8 else 0.0


def _fill(picture: NDArray[np.float32], frame: Frame, x: int, y: int) -> None:
    """Write one frame of a patch. `picture`: `(192, 128)`."""
    across, down = frame.subsampling
    window = (slice(y, y + SIDE), slice(x, x + SIDE))
    scale = 1.0 / (1 << (frame.depth - 8)) if frame.depth >= 8 else 255.0 / ((1 << frame.depth) - 1)
    if frame.model == "rgb":
        red, green, blue = (plane[window].astype(np.float32) * scale for plane in frame.planes[:3])
        picture[:SIDE], cb, cr = _from_rgb(red, green, blue)
        chroma: Sequence[NDArray[np.float32]] = (_halved(cb), _halved(cr))
    elif frame.model == "grey":
        picture[:SIDE] = _limited(frame.planes[0][window].astype(np.float32) * scale, frame)
        chroma = (np.full((SIDE // 2, SIDE // 2), 128, np.float32),) * 2
    else:
        picture[:SIDE] = _limited(frame.planes[0][window].astype(np.float32) * scale, frame)
        small = (
            slice(y // down, -(-(y + SIDE) // down)),
            slice(x // across, -(-(x + SIDE) // across)),
        )
        chroma = tuple(
            _half_size(plane[small].astype(np.float32) * scale, frame) for plane in frame.planes[1:3]
        )
    picture[SIDE:, : SIDE // 2], picture[SIDE:, SIDE // 2 :] = chroma


def _limited(luma: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """Luma of limited range, whichever it was coded in (ITU-T H.273, equations 20 and 23)."""
    full = frame.colour.full_range or frame.model == "grey"
    return luma * np.float32(219 / 255) + 16 if full else luma


def _half_size(chroma: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """A chroma plane of `(64, 64)`: of 4:4:4 and 4:2:2 means of neighbours, of coarser ones repeated."""
    if frame.colour.full_range:
        chroma = (chroma - 128) * np.float32(224 / 255) + 128
    for axis, factor in enumerate((frame.subsampling[1], frame.subsampling[0])):
        if factor == 1:
            pairs = np.moveaxis(chroma, axis, 0)
            pairs = pairs[: len(pairs) // 2 * 2]
            chroma = np.moveaxis((pairs[0::2] + pairs[1::2]) * np.float32(0.5), 0, axis)
        elif factor > 2:
            chroma = np.repeat(chroma, factor // 2, axis=axis)
    half = SIDE // 2
    short = [(0, max(0, half - size)) for size in chroma.shape]
    return np.pad(chroma, short, mode="edge")[:half, :half]


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    halved: NDArray[np.float32] = plane.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3))
    return halved


def _from_rgb(
    red: NDArray[np.float32], green: NDArray[np.float32], blue: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """BT.601 limited range out of full-range R'G'B' (ITU-R BT.601-7, 2.5.1 and 2.5.2)."""
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    scale = np.float32(1 / 255)
    cb = 128 + 224 * scale * (blue - luma) / 1.772
    cr = 128 + 224 * scale * (red - luma) / 1.402
    return (
        (16 + 219 * scale * luma).astype(np.float32),
        cb.astype(np.float32),
        cr.astype(np.float32),
    )
