"""What a reader sees of a frame: its luma at one size for all, and how likely each point is to be raised.

At the canonical size a chip is two pixels wide, whatever the frame's resolution was.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .carrier import CHIPS_ACROSS, TILE
from .scaling import scaled

PIXELS_A_CHIP = 2
FRAMES = 3
"""Consecutive frames that are looked at together."""
SIDE = CHIPS_ACROSS * PIXELS_A_CHIP
"""The shorter side of the canonical size, in pixels."""
PERIOD = TILE * PIXELS_A_CHIP
"""After how many canonical pixels the pattern repeats."""

MAX_ASPECT = 4.0
"""Frames that are longer for their height than this are seen only in their middle."""

_REACH = 4  # pixels to either side that a point is compared with


def canonical(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A luma plane at the canonical size, by Pillow's bicubic filter: the shorter side is SIDE."""
    height, width = luma.shape
    side = min(height, width)
    size = (round(width * SIDE / side), round(height * SIDE / side))
    if max(size) > MAX_ASPECT * SIDE:
        most = int(MAX_ASPECT * side)
        top, left = max(0, (height - most) // 2), max(0, (width - most) // 2)
        return canonical(np.ascontiguousarray(luma[top : top + most, left : left + most]))
    return scaled(luma, *size)


def plain_estimate(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each point stands out of its neighbourhood, on the scale of that neighbourhood's own texture.

    Args:
        frames: `(T, H, W) uint8`, consecutive frames at the canonical size.

    Returns:
        `(H, W) float32`, about -2 to 2.
    """
    mean = frames.mean(axis=0, dtype=np.float32)
    residual = mean - _local_mean(mean, _REACH // 2)
    spread = np.sqrt(_local_mean(residual * residual, _REACH))
    return np.asarray(np.clip(residual / (spread + np.float32(0.5)), -2, 2))


Estimate = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""What makes an estimate of consecutive frames; `plain_estimate`, or a model (learned.py)."""


def _local_mean(values: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """The mean over a square that reaches so many pixels to each side."""
    size = 2 * reach + 1
    padded = np.pad(values, reach, mode="edge")
    for _ in range(2):
        sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0, dtype=np.float64)
        padded = ((sums[size:] - sums[:-size]) / size).astype(np.float32).T
    return padded


def fold(estimate: NDArray[np.float32]) -> NDArray[np.float32]:
    """An estimate summed over all repetitions of the tile, `(PERIOD, PERIOD)`, aligned at its middle."""
    height, width = estimate.shape
    top, left = -(height // 2) % PERIOD, -(width // 2) % PERIOD
    rows, columns = -(-(height + top) // PERIOD), -(-(width + left) // PERIOD)
    full = np.zeros((rows * PERIOD, columns * PERIOD), dtype=np.float32)
    full[top : top + height, left : left + width] = estimate
    return np.asarray(full.reshape(rows, PERIOD, columns, PERIOD).sum(axis=(0, 2)))


def chip_sums(folded: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums for each chip, for each place at which the grid of chips may begin: `(P*P, TILE, TILE)`.

    The first is for a pattern that lies where it was put.
    """
    # Each sum of two and two by adding slices, which is much faster than a sum over small axes.
    pairs = folded + np.roll(folded, -1, axis=0)
    squares = pairs + np.roll(pairs, -1, axis=1)
    return np.stack(
        [
            squares[down::PIXELS_A_CHIP, across::PIXELS_A_CHIP]
            for down in range(PIXELS_A_CHIP)
            for across in range(PIXELS_A_CHIP)
        ]
    )


_DARK = 40  # luma of a black bar, limited range, with what encoders add to it
_STEADY = 12  # range of luma within one of its lines
_LEAST_BAR = 0.02  # of a side; narrower bars are not worth another look


def content_box(luma: NDArray[np.uint8]) -> tuple[slice, slice] | None:
    """The picture inside black bars, as rows and columns; None where there are none."""
    rows = _between(luma.max(axis=1), luma.min(axis=1))
    columns = _between(luma.max(axis=0), luma.min(axis=0))
    if rows is None or columns is None:
        return None
    height, width = luma.shape
    bars = height - (rows.stop - rows.start), width - (columns.stop - columns.start)
    if bars[0] < _LEAST_BAR * height and bars[1] < _LEAST_BAR * width:
        return None
    return rows, columns


def _between(highest: NDArray[np.uint8], lowest: NDArray[np.uint8]) -> slice | None:
    steady = highest.astype(np.int16) - lowest < _STEADY
    inside = np.flatnonzero(~(steady & (highest < _DARK)))
    if inside.size < highest.size // 4:
        return None  # a dark picture rather than bars
    return slice(int(inside[0]), int(inside[-1]) + 1)
