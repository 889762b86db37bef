"""Other views of the same patches: a trace that a generator left shows in them as well.

A score that turns when the clip is scaled or encoded once more was about the encoding, not about the clip.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...media.frames import Frame, Plane, Run
from .patches import FRAMES, ROWS, SIDE, Batch, Place, cut

LARGE = 176
"""Pixels across and down of what the scaled view shrinks to one patch: 0.73 of the scale."""

QUALITY = 70
"""Of the JPEG that the recompressed view has gone through: about what a second upload costs."""


def rescaled(run: Run, places: list[Place]) -> Batch:
    """The patches' surroundings at 0.73 of the scale; fewer patches where the picture has too little of them.

    Args:
        run: what the patches were cut from.
        places: where.

    Returns:
        `(M, 3, 192, 128) float32`, M at most the number of places.
    """
    shrunk = [patch for place in places if len(patch := _shrunk(run, place))]
    return np.concatenate(shrunk) if shrunk else np.empty((0, FRAMES, ROWS, SIDE), np.float32)


def _shrunk(run: Run, place: Place) -> Batch:
    frames = run.frames[:FRAMES]
    if min(frames[0].width, frames[0].height) < LARGE:
        return np.empty((0, FRAMES, ROWS, SIDE), np.float32)
    left = min(max(place.x - (LARGE - SIDE) // 2, 0), frames[0].width - LARGE) // 8 * 8
    top = min(max(place.y - (LARGE - SIDE) // 2, 0), frames[0].height - LARGE) // 8 * 8
    return cut(Run(tuple(_piece(frame, left, top) for frame in frames)), 1)[0]


def _piece(frame: Frame, left: int, top: int) -> Frame:
    across, down = frame.subsampling
    planes = [_scaled(frame.planes[0], left, top, (LARGE, LARGE), (SIDE, SIDE), frame.depth)]
    for plane in frame.planes[1:]:
        planes.append(
            _scaled(
                plane,
                left // across,
                top // down,
                (-(-LARGE // across), -(-LARGE // down)),
                (-(-SIDE // across), -(-SIDE // down)),
                frame.depth,
            )
        )
    return replace(frame, planes=tuple(planes), depth=min(frame.depth, 8), alpha=None)


def _scaled(
    plane: Plane, left: int, top: int, size: tuple[int, int], target: tuple[int, int], depth: int
) -> Plane:
    piece = plane[top : top + size[1], left : left + size[0]]
    eight = np.ascontiguousarray((piece >> max(depth - 8, 0)).astype(np.uint8))
    return np.asarray(Image.fromarray(eight).resize(target, Image.Resampling.BICUBIC))


def recompressed(batch: Batch) -> Batch:
    """The patches after each of their frames went through JPEG.

    Luma and both chroma planes lie in one grey picture, as they do in the batch; all their sides are whole
    blocks of eight pixels.
    """
    again = np.empty_like(batch)
    for patch, encoded in zip(batch, again, strict=True):
        for number, picture in enumerate(patch):
            encoded[number] = _through_jpeg(picture)
    return again


def _through_jpeg(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    file = BytesIO()
    eight = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    Image.fromarray(eight).save(file, "JPEG", quality=QUALITY)
    with Image.open(file) as decoded:
        return np.asarray(decoded, np.float32)
