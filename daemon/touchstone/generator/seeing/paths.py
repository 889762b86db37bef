"""How a thing moves: which of the world's ways fits the places where it was seen best.

Each way is fitted by least squares, and they are compared by the Bayesian information criterion, so that a
way with more freedom has to fit better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..world import Motion
from ..world.motion import BOUNCE_HEIGHT, BOUNCE_RATE, CIRCLE_RADIUS, CIRCLE_RATE, HEADING

NOISE = 0.015
"""What places are off by at least, in half shorter sides."""
JUMP = 1.5
"""Between two frames: it left the picture on one side and came back on the other."""
LEAST_SPEED = 0.13
"""Half shorter sides a second; below, a thing stands still. The slowest things of the world do 0.35."""
_SPEEDS = np.linspace(0.3, 0.85, 12)


class Seen(NamedTuple):
    """Where a thing was at a second, in half shorter sides, the camera's own way taken off."""

    second: float
    x: float
    y: float


class Way(NamedTuple):
    """A fitted way, and how well it fits: smaller is better."""

    motion: Motion
    score: float


def motion(track: Sequence[Seen]) -> Motion | None:
    """How a thing moves, or None where it was seen less than three times."""
    if len(track) < 3:
        return None
    times, x, y = (np.array(column) for column in zip(*track, strict=True))
    part = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)) > JUMP)])
    ways = [_straight(times, x, y, part)]
    if part[-1] == 0:
        ways += [_circle(times, x, y), _bounce(times, x, y)]
    return min(ways, key=lambda way: way.score).motion


def _score(squares: float, count: int, freedom: int) -> float:
    return count * math.log(max(squares / count, NOISE**2)) + freedom * math.log(count)


Row = NDArray[np.float64]


def _straight(times: Row, x: Row, y: Row, part: Row) -> Way:
    """A common speed, and a start for each stretch between jumps."""
    starts = [part == p for p in np.unique(part)]
    table = np.stack([times, *(s.astype(float) for s in starts)], axis=1)
    squares, speed = 0.0, []
    for values in (x, y):
        found, *_ = np.linalg.lstsq(table, values, rcond=None)
        off = np.abs(table @ found - values)
        squares += float((np.minimum(off, 0.15) ** 2).sum())
        speed.append(float(found[0]))
    score = _score(squares, len(times), 2 + 2 * len(starts))
    fast = math.hypot(*speed)
    if fast < LEAST_SPEED:
        return Way(Motion.STILL, score)
    return Way(max(HEADING, key=lambda m: HEADING[m][0] * speed[0] + HEADING[m][1] * speed[1]), score)


def _circle(times: Row, x: Row, y: Row) -> Way:
    best = math.inf
    both = np.concatenate([x, y])
    one, none = np.ones_like(times), np.zeros_like(times)
    for rate in _SPEEDS * CIRCLE_RATE / CIRCLE_RADIUS:
        c, s = np.cos(rate * times), np.sin(rate * times)
        table = np.concatenate([np.stack([one, none, c, -s], 1), np.stack([none, one, s, c], 1)])
        found, *_ = np.linalg.lstsq(table, both, rcond=None)
        if not 0.6 < math.hypot(found[2], found[3]) / CIRCLE_RADIUS < 1.5:
            continue
        best = min(best, float((np.minimum(np.abs(table @ found - both), 0.15) ** 2).sum()))
    return Way(Motion.CIRCLE, _score(best, len(times), 5) if best < math.inf else best)


def _bounce(times: Row, x: Row, y: Row) -> Way:
    best = math.inf
    sideways = float((np.minimum(np.abs(x - np.median(x)), 0.15) ** 2).sum())
    for rate in _SPEEDS * BOUNCE_RATE:
        for turn in np.linspace(0, math.pi, 16, endpoint=False):
            table = np.stack([np.ones_like(times), -np.abs(np.sin(turn + rate * times))], 1)
            found, *_ = np.linalg.lstsq(table, y, rcond=None)
            if 0.55 < found[1] / BOUNCE_HEIGHT < 1.6:
                off = np.abs(table @ found - y)
                best = min(best, float((np.minimum(off, 0.15) ** 2).sum()))
    return Way(Motion.BOUNCE, _score(best + sideways, len(times), 5) if best < math.inf else best)
