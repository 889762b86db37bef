"""What lies behind the things: a colour for every point of the world.

Every function takes the world's coordinates `x` and `y` (`float32` arrays of one shape), the second and the
scene's seed, and returns `(…, 3) float32` colours from 0 to 1 as they are by day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .scene import Background

Plane: TypeAlias = NDArray[Any]
Picture: TypeAlias = NDArray[Any]
Backdrop: TypeAlias = Callable[[Plane, Plane, float, int], Picture]

HORIZON = 0.1


def _colour(*rgb: float) -> Picture:
    return np.array(rgb, np.float32)


def _mix(a: Picture, b: Picture, share: Plane) -> Picture:
    mixed: Picture = a + (b - a) * share[..., None]
    return mixed


def _step(value: Plane, width: float) -> Plane:
    """0 below zero and 1 above, with a soft edge of a width."""
    soft: Plane = np.clip(value / width + 0.5, 0, 1)
    return soft


def phase(seed: int, number: int) -> float:
    """A number from 0 to 2 pi that a seed and a number stand for."""
    return ((seed * 2654435761 + number * 40503) % 65536) / 65536 * 6.2832


def _grain(x: Plane, y: Plane, seed: int) -> Plane:
    """A fine irregular texture between -1 and 1 that stays where it is in the world."""
    p = phase(seed, 7)
    bent = x + 0.3 * np.sin(5.1 * y + p)
    grain: Plane = np.sin(17 * bent + 9 * y) * np.sin(23 * y - 11 * bent + p)
    return grain


def _heaven(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    height = np.clip((y + 1.2) / 1.6, 0, 1)
    blue = _mix(_colour(0.36, 0.6, 0.9), _colour(0.78, 0.88, 0.97), height)
    p, drift = phase(seed, 1), x - 0.02 * second
    billow = (
        np.sin(2.1 * drift + p) + np.sin(3.7 * drift - 2 * y + 2 * p) + np.sin(5.3 * y + 1.3 * drift + 3 * p)
    )
    return _mix(blue, _colour(0.97, 0.97, 0.98), 0.75 * _step(billow - 1.1, 1.2))


def sky(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """A sky with clouds that drift."""
    return _heaven(x, y, second, seed)


def harbour(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """Water with waves up to the horizon, and the masts of boats that lie there."""
    above = _heaven(x, y, second, seed)
    depth = np.clip(y - HORIZON, 0, 2)
    wave = np.sin(38 * depth / (0.35 + depth) * 2 + 3 * np.sin(2 * x + phase(seed, 2)) - 2 * second)
    water = _mix(_colour(0.25, 0.5, 0.62), _colour(0.08, 0.28, 0.42), np.clip(depth / 1.2, 0, 1))
    water = water + (0.045 * wave)[..., None]
    spot = (x + phase(seed, 3)) % 0.9 - 0.45
    mast = np.maximum(np.abs(spot) - 0.012, np.abs(y - HORIZON + 0.2) - 0.2)
    hull = np.maximum(np.abs(spot) - 0.16 + 0.5 * (y - HORIZON + 0.06), np.abs(y - HORIZON + 0.03) - 0.035)
    below = _mix(above, water, _step(y - HORIZON, 0.015))
    return _mix(below, _colour(0.3, 0.24, 0.22), _step(-np.minimum(mast, hull), 0.015))


def meadow(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """A hilly meadow under the sky."""
    hill = HORIZON + 0.1 * np.sin(1.3 * x + phase(seed, 2))
    depth = np.clip((y - hill) / 1.1, 0, 1)
    grass = _mix(_colour(0.56, 0.74, 0.36), _colour(0.25, 0.5, 0.18), depth)
    grass = grass * (1 + 0.13 * _grain(x / (0.4 + depth), y / (0.4 + depth), seed))[..., None]
    return _mix(_heaven(x, y, second, seed), grass, _step(y - hill, 0.015))


def desert(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """Two rows of dunes under the sky."""
    p = phase(seed, 2)
    far = HORIZON - 0.02 + 0.1 * np.sin(1.7 * x + p)
    near = HORIZON + 0.35 + 0.16 * np.sin(1.1 * x + 2 * p)
    picture = _mix(_heaven(x, y, second, seed), _colour(0.86, 0.72, 0.5), _step(y - far, 0.015))
    ripple = 0.035 * np.sin(46 * (y - near) + 4 * np.sin(1.5 * x + p))
    return _mix(picture, _colour(0.8, 0.62, 0.38) + ripple[..., None], _step(y - near, 0.015))


def mountains(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """A chain of peaks with snow on them."""
    p = phase(seed, 2)

    def ridge(at: Plane) -> Plane:
        return np.abs((at + p) % 1.4 - 0.7) * 0.9 + np.abs((at * 1.7 + 2 * p) % 1.1 - 0.55) * 0.35 - 0.45

    top = HORIZON + 0.45 + ridge(x) - 0.35
    lit = np.where(ridge(x + 0.02) > ridge(x), np.float32(1.1), np.float32(0.8))
    rock = _colour(0.46, 0.46, 0.52) * (lit * (1 + 0.1 * _grain(x, y, seed)))[..., None]
    rock = _mix(
        rock,
        _colour(0.95, 0.96, 0.98) * lit[..., None] ** 0.5,
        _step(-0.18 - y + 0.04 * _grain(x, y, seed), 0.05),
    )
    picture = _mix(_heaven(x, y, second, seed), rock, _step(y - top, 0.015))
    return _mix(picture, _colour(0.34, 0.42, 0.36), _step(y - 0.75, 0.03))


def city(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """A row of houses with windows."""
    block = np.floor(x * 2.5)
    height = 0.5 + 0.5 * np.sin(block * 12.9898 + phase(seed, 2))
    roof = 0.35 - 0.75 * height
    shade = 0.3 + 0.14 * np.sin(block * 78.233 + phase(seed, 3))
    house = shade[..., None] * _colour(1.0, 0.98, 1.06)
    column, row = (x * 2.5 % 1) * 4 % 1, y * 7 % 1
    window = np.minimum(_step(0.26 - np.abs(column - 0.5), 0.12), _step(0.26 - np.abs(row - 0.5), 0.12))
    house = _mix(house, _colour(0.86, 0.78, 0.5), 0.65 * window)
    picture = _mix(_heaven(x, y, second, seed), house, _step(y - roof, 0.015))
    return _mix(picture, _colour(0.3, 0.3, 0.32), _step(y - 0.72, 0.015))


def wall(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """A plain plastered wall, lighter at the top."""
    plaster = _mix(_colour(0.76, 0.7, 0.64), _colour(0.58, 0.53, 0.49), np.clip((y + 1) / 2, 0, 1))
    return plaster * (1 + 0.04 * _grain(x, y, seed))[..., None]


def tiles(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """Square tiles in two greys with joints between them."""
    across, along = x * 2.2, y * 2.2
    odd = (np.floor(across) + np.floor(along)) % 2
    picture = _mix(_colour(0.78, 0.8, 0.8), _colour(0.5, 0.55, 0.58), odd)
    joint = np.minimum(np.abs((across + 0.5) % 1 - 0.5), np.abs((along + 0.5) % 1 - 0.5))
    return _mix(picture, _colour(0.35, 0.37, 0.4), _step(0.035 - joint, 0.03))


def stars(x: Plane, y: Plane, second: float, seed: int) -> Picture:
    """A clear night: stars that twinkle above a dark ridge.

    It is only ever seen by night, which darkens it; so the stars shine brighter than white by day.
    """
    p = phase(seed, 2)
    heaven = _mix(_colour(0.16, 0.2, 0.42), _colour(0.4, 0.42, 0.62), np.clip((y + 1.2) / 1.6, 0, 1))
    column, row = np.floor(3.2 * x), np.floor(3.2 * y)
    chance = np.sin(column * 12.9898 + row * 78.233 + p) * 43758.5453
    chance = chance - np.floor(chance)
    turn = 6.2832 * chance
    away = np.hypot(3.2 * x - column - 0.5 - 0.3 * np.cos(turn), 3.2 * y - row - 0.5 - 0.3 * np.sin(turn))
    glow = np.clip(1.6 - away / (0.06 + 0.05 * chance), 0, 1) * (0.8 + 0.2 * np.sin(5 * second + 9 * turn))
    heaven = heaven + glow[..., None] * _colour(3.6, 3.1, 1.7)
    ridge = HORIZON + 0.5 + 0.12 * np.sin(1.6 * x + p) + 0.05 * np.sin(4.1 * x + 2 * p)
    return _mix(heaven, _colour(0.14, 0.14, 0.16), _step(y - ridge, 0.015))


BACKDROPS: dict[Background, Backdrop] = {
    Background.SKY: sky,
    Background.HARBOUR: harbour,
    Background.MEADOW: meadow,
    Background.DESERT: desert,
    Background.MOUNTAINS: mountains,
    Background.CITY: city,
    Background.WALL: wall,
    Background.TILES: tiles,
    Background.STARS: stars,
}
