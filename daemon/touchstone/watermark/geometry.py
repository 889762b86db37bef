"""Finds frames that were cut, enlarged or turned: the pattern repeats, so it resembles itself one tile away.

Where the frame's size no longer says how large a chip is, the autocorrelation of what was seen has a lattice
of peaks whose distance and angle are the tile's. No key takes part, so looking here costs nothing in the
bound of false positives; only the candidates that are then held against a key count as tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sight import PERIOD

SCALES = np.geomspace(0.6, 2.4, 347)
"""Sizes of a chip, compared with an untouched frame's; steps of 0.4 % move a peak by half a pixel."""

ANGLES = np.radians(np.arange(-12.0, 12.01, 0.25))

_LATTICE = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (1, 2), (2, -1), (1, -2))
_LEAST_OVERLAP = 0.1  # of the frame with itself, for a peak to be looked for


@dataclass(frozen=True)
class Geometry:
    """How chips lie in a frame.

    Attributes:
        scale: their size, compared with an untouched frame's.
        angle: how far they are turned, in radians, counter-clockwise as seen.
    """

    scale: float
    angle: float


def candidates(estimate: NDArray[np.float32], count: int) -> list[Geometry]:
    """The likeliest geometries, best first.

    Args:
        estimate: `(H, W) float32`, summed over the clip.
    """
    likeness = _autocorrelation(estimate)
    height, width = estimate.shape
    scales, angles = np.meshgrid(SCALES, ANGLES, indexing="ij")
    across, down = PERIOD * scales * np.cos(angles), -PERIOD * scales * np.sin(angles)
    total = np.zeros(scales.shape)
    weight = np.zeros(scales.shape)
    for right, below in _LATTICE:
        # A step along a tile's rows is (across, down); one along its columns is that, turned by a quarter.
        dx = np.rint(right * across - below * down).astype(np.intp)
        dy = np.rint(right * down + below * across).astype(np.intp)
        inside = (np.abs(dx) < width) & (np.abs(dy) < height)
        dx, dy = np.where(inside, dx, 0), np.where(inside, dy, 0)
        share = np.where(inside, _overlap(dy, dx, estimate.shape), 0.0)
        share = np.where(share < _LEAST_OVERLAP, 0.0, share)
        total += np.where(share > 0, likeness[dy, dx], 0.0)
        weight += share
    score = total / np.sqrt(np.maximum(weight, 1e-9))
    score[weight < 2 * _LEAST_OVERLAP] = 0.0
    found: list[Geometry] = []
    for _ in range(count):
        i, j = np.unravel_index(int(score.argmax()), score.shape)
        if score[i, j] <= 0:
            break
        found.append(Geometry(float(SCALES[i]), float(ANGLES[j])))
        score[max(0, i - 2) : i + 3, max(0, j - 3) : j + 4] = 0.0
    return found


def around(geometry: Geometry, scale_step: float, angle_step: float) -> list[Geometry]:
    """A geometry's eight neighbours."""
    return [
        Geometry(geometry.scale * (1 + i * scale_step), geometry.angle + j * math.radians(angle_step))
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if i or j
    ]


def straightened(estimate: NDArray[np.float32], geometry: Geometry) -> NDArray[np.float32]:
    """What was seen, turned and scaled about its middle until chips lie as in an untouched frame."""
    height, width = estimate.shape
    rows = math.ceil(
        (height * abs(math.cos(geometry.angle)) + width * abs(math.sin(geometry.angle))) / geometry.scale
    )
    columns = math.ceil(
        (width * abs(math.cos(geometry.angle)) + height * abs(math.sin(geometry.angle))) / geometry.scale
    )
    rows, columns = rows // 2 * 2, columns // 2 * 2
    y = ((np.arange(rows) + 0.5 - rows / 2) * geometry.scale).astype(np.float32)[:, None]
    x = ((np.arange(columns) + 0.5 - columns / 2) * geometry.scale).astype(np.float32)[None, :]
    # The middle is on the corner that `fold` takes for it, also where a side is odd.
    at_x = (
        x * np.float32(math.cos(geometry.angle))
        + y * np.float32(math.sin(geometry.angle))
        + (width // 2 - 0.5)
    )
    at_y = (
        -x * np.float32(math.sin(geometry.angle))
        + y * np.float32(math.cos(geometry.angle))
        + (height // 2 - 0.5)
    )
    padded = np.pad(estimate, 1)
    left, top = np.floor(at_x), np.floor(at_y)
    right_share, below_share = at_x - left, at_y - top
    column = np.clip(left.astype(np.intp) + 1, 0, width)
    row = np.clip(top.astype(np.intp) + 1, 0, height)
    outside = (at_x < -1) | (at_x > width) | (at_y < -1) | (at_y > height)
    upper = padded[row, column] * (1 - right_share) + padded[row, column + 1] * right_share
    lower = padded[row + 1, column] * (1 - right_share) + padded[row + 1, column + 1] * right_share
    return np.where(outside, np.float32(0), upper * (1 - below_share) + lower * below_share)


def _overlap(down: NDArray[np.intp], across: NDArray[np.intp], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The share of a frame that lies over itself when it is moved so far."""
    return np.asarray((1 - np.abs(down) / shape[0]) * (1 - np.abs(across) / shape[1]))


def _autocorrelation(estimate: NDArray[np.float32]) -> NDArray[np.float32]:
    """How alike a frame is to itself, moved, `[down, across]`, summed over the width of a peak."""
    height, width = estimate.shape
    shape = (2 * height, 2 * width)
    spectrum = np.fft.rfft2(estimate - estimate.mean(), s=shape)
    # Lines and edges are alike along themselves for all distances: taking the root of the power leaves the
    # strongest frequencies less to say.
    power = np.abs(spectrum)
    likeness = np.fft.irfft2(power, s=shape)
    rows = likeness + np.roll(likeness, 1, axis=0) + np.roll(likeness, -1, axis=0)
    return np.asarray(rows + np.roll(rows, 1, axis=1) + np.roll(rows, -1, axis=1))
