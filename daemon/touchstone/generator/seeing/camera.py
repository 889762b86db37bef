"""How the camera moves: the motion that everything but the things has in common, from frame to frame.

Between two frames what lies behind is taken to shift and to grow around the picture's middle; shift and
growth are fitted to all pixels at once by Gauss-Newton steps on brightness (Lucas and Kanade's method with
four parameters), where pixels that do not fit count less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..world import Camera
from .sight import Found, Frame

Grey = NDArray[np.float32]

_STEPS = 5
_HORIZON = 12.0
"""Grey levels that water is darker than the sky over it, at the least."""
_MARGIN = 1.35
"""In radii: how far around a thing pixels do not count as background."""

# Least rates that count as a motion of the camera, in half shorter sides and in shares a second: less than
# what the world's camera does in the first six seconds, more than clouds that drift (see world.motion).
LEAST_SHIFT = 0.07
LEAST_GROWTH = 0.03
LEAST_SHAKE = 0.12
"""Spread of the shift's rate."""


@dataclass(frozen=True)
class Steps:
    """Attributes:
    shifts: `(N, 2)` between frames, in half shorter sides, of what lies behind (right and down).
    growths: `(N,)` shares by which it grew.
    seconds: between two frames.
    """

    shifts: NDArray[np.float64]
    growths: NDArray[np.float64]
    seconds: float


def steps(
    frames: Sequence[Frame], found: Sequence[Sequence[Found]], seconds: float, *, water: bool = False
) -> Steps:
    """The camera's way through frames of one size, given the things found in each.

    Args:
        seconds: between two frames.
        water: whether what lies low is water, whose waves move by themselves.
    """
    greys = [_grey(frame) for frame in frames]
    fitted = []
    for number, (before, after) in enumerate(pairwise(greys)):
        behind = _behind(before.shape, (*found[number], *found[number + 1]))
        if water:
            behind[_horizon(before) + 3 :] = False
        fitted.append(_fit(before, after, behind))
    values = np.array(fitted, np.float64).reshape(-1, 3)
    return Steps(values[:, :2], values[:, 2], seconds)


def _grey(frame: Frame) -> Grey:
    grey: Grey = frame.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    for axis in (0, 1):  # a little blur: finite differences need smooth pictures
        padded = np.pad(grey, [(2, 2) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        taps = [np.take(padded, range(k, k + grey.shape[axis]), axis) for k in range(5)]
        grey = (taps[0] + 4 * taps[1] + 6 * taps[2] + 4 * taps[3] + taps[4]) / np.float32(16)
    return grey


def _horizon(grey: Grey) -> int:
    """The row where a picture grows darker downwards at once; the last one where it does not."""
    rows = np.median(grey, axis=1)
    falls = rows[:-4] - rows[4:]
    return int(falls.argmax()) + 2 if falls.max() > _HORIZON else len(rows)


def _axes(shape: tuple[int, ...]) -> tuple[Grey, Grey]:
    rows, columns = shape
    unit = min(shape) / 2
    y = (np.arange(rows, dtype=np.float32) + 0.5 - rows / 2) / unit
    x = (np.arange(columns, dtype=np.float32) + 0.5 - columns / 2) / unit
    across, down = np.meshgrid(x, y)
    return across, down


def _behind(shape: tuple[int, ...], found: Sequence[Found]) -> NDArray[np.bool_]:
    x, y = _axes(shape)
    behind = np.ones(shape, bool)
    for thing in found:
        behind &= np.hypot(x - thing.x, y - thing.y) > _MARGIN * thing.radius
    return behind


def _fit(before: Grey, after: Grey, behind: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Shift and growth that turn one picture into the next, from a coarse look and then from a fine one."""
    values = np.zeros(4)
    for shrunk in (True, False):
        if shrunk:
            values = _refined(_halved(before), _halved(after), behind[::2, ::2], values)
        else:
            values = _refined(before, after, behind, values)
    # No camera goes further between two frames; what does is a cut, or a fit gone wrong.
    if np.abs(values).max() > 0.3:
        return 0.0, 0.0, 0.0
    # A zoom grows both ways; but waves that roll to the shore seem to grow downwards, so across counts.
    x, y, wider, _ = values.tolist()
    return x, y, wider


def _halved(picture: Grey) -> Grey:
    corners = picture[::2, ::2] + picture[1::2, ::2] + picture[::2, 1::2] + picture[1::2, 1::2]
    halved: Grey = corners / np.float32(4)
    return halved


def _refined(
    before: Grey, after: Grey, behind: NDArray[np.bool_], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shift right and down, growth across and down, after some steps from `values`."""
    x, y = _axes(before.shape)
    rows, columns = before.shape
    unit = min(before.shape) / 2
    down, across = (np.asarray(d, np.float32) * unit for d in np.gradient(before))
    slopes = np.stack([across, down, across * x, down * y], axis=-1)
    for _ in range(_STEPS):
        at_x = (x * (1 + values[2]) + values[0]) * unit + columns / 2 - 0.5
        at_y = (y * (1 + values[3]) + values[1]) * unit + rows / 2 - 0.5
        inside = behind & (at_x >= 0) & (at_x <= columns - 1) & (at_y >= 0) & (at_y <= rows - 1)
        if inside.sum() < 64:
            return np.zeros(4)
        off = _sampled(after, at_x[inside], at_y[inside]) - before[inside]
        spread = 1.5 * float(np.median(np.abs(off))) + 0.5
        weight = 1 / (1 + (off / spread) ** 2)  # Cauchy's: what does not fit counts little
        slope = slopes[inside]
        weighted = slope * weight[:, None]
        change = -np.linalg.solve(weighted.T @ slope + np.eye(4) * 1e-3, weighted.T @ off)
        values = values + change
        if np.abs(change).max() < 1e-4:
            break
    return values


def _sampled(picture: Grey, x: Grey, y: Grey) -> Grey:
    """A picture at places between its pixels, by linear interpolation."""
    left = np.clip(x.astype(np.int32), 0, picture.shape[1] - 2)
    top = np.clip(y.astype(np.int32), 0, picture.shape[0] - 2)
    right, low = x - left, y - top
    flat, width = picture.ravel(), picture.shape[1]
    at = top * width + left
    upper = flat[at] * (1 - right) + flat[at + 1] * right
    lower = flat[at + width] * (1 - right) + flat[at + width + 1] * right
    values: Grey = upper * (1 - low) + lower * low
    return values


def kind(way: Steps) -> Camera:
    """What the camera does, in a word."""
    if not len(way.growths):
        return Camera.STILL
    rates = way.shifts / way.seconds
    growth = float(np.median(way.growths)) / way.seconds
    x, y = np.median(rates, axis=0)
    if abs(growth) > LEAST_GROWTH and abs(growth) / LEAST_GROWTH > max(abs(x), abs(y)) / LEAST_SHIFT / 2:
        return Camera.ZOOM_IN if growth > 0 else Camera.ZOOM_OUT
    spread = float(np.median(np.abs(rates - np.median(rates, axis=0)), axis=0).max())
    if spread > LEAST_SHAKE and spread > 0.8 * max(abs(x), abs(y)):
        return Camera.SHAKE
    if max(abs(x), abs(y)) < LEAST_SHIFT:
        return Camera.STILL
    if abs(x) >= abs(y):
        return Camera.PAN_LEFT if x > 0 else Camera.PAN_RIGHT
    return Camera.TILT_UP if y > 0 else Camera.TILT_DOWN


@dataclass(frozen=True)
class Standpoint:
    """Where the camera is at a frame, seen from the first: its way right and down, and its zoom."""

    x: float
    y: float
    zoom: float


def standpoints(way: Steps, camera: Camera) -> list[Standpoint]:
    """Where the camera is at each frame; a camera that stands still has no noise of the fit."""
    zoom, x, y = 1.0, 0.0, 0.0
    stands = [Standpoint(x, y, zoom)]
    zooms = camera in (Camera.ZOOM_IN, Camera.ZOOM_OUT)
    for (right, down), growth in zip(way.shifts, way.growths, strict=True):
        if zooms:
            zoom *= 1 + growth
        elif camera is not Camera.STILL:
            x, y = x - right, y - down
        stands.append(Standpoint(x, y, zoom))
    return stands
