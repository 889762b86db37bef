"""The outlines of things and the light on them, as functions of where in the thing a point is.

Every function takes `u` and `v`, `float32` arrays of one shape (1 is a thing's radius; `v` points down), and
returns two arrays of that shape: the distance to the outline in the same units (negative inside; exact near
the outline, which is what antialiasing needs), and the shade, a factor for the thing's colour.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .scene import Shape

Plane: TypeAlias = NDArray[Any]
Silhouette: TypeAlias = Callable[[Plane, Plane], tuple[Plane, Plane]]


def _edge(u: Plane, v: Plane, a: tuple[float, float], b: tuple[float, float]) -> Plane:
    """Distance to the line from a to b; positive on its left as it is drawn (v points down)."""
    du, dv = b[0] - a[0], b[1] - a[1]
    length = (du * du + dv * dv) ** 0.5
    away: Plane = ((u - a[0]) * dv - (v - a[1]) * du) / length
    return away


def _polygon(u: Plane, v: Plane, corners: list[tuple[float, float]]) -> Plane:
    """Distance to a convex polygon whose corners go round clockwise as seen."""
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    away: Plane = np.maximum.reduce([_edge(u, v, a, b) for a, b in pairs])
    return away


def _disc(u: Plane, v: Plane, x: float, y: float, radius: float) -> Plane:
    away: Plane = np.hypot(u - x, v - y) - radius
    return away


def ball(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A sphere lit from the upper left, with a glint."""
    away = _disc(u, v, 0, 0, 0.92)
    glint = np.exp(-((u + 0.35) ** 2 + (v + 0.4) ** 2) / 0.05)
    return away, 0.98 - 0.3 * (u + v) / 1.4 + 0.35 * glint


def cube(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A cube seen over one of its corners: a light top, a middling left side and a dark right side."""
    wide = np.abs(u)
    away = np.maximum(wide, 0.5 * wide + 0.866 * np.abs(v)) - 0.82
    side = np.where(u < 0, np.float32(0.85), np.float32(0.6))
    return away, np.where(v < -0.577 * wide, np.float32(1.2), side)


def pyramid(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A pyramid with a light left side and a dark right side."""
    away = _polygon(u, v, [(0, -0.95), (0.95, 0.7), (-0.95, 0.7)])
    return away, np.where(u < 0.22 * (v + 0.95), np.float32(1.1), np.float32(0.65))


def star(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A star of five points."""
    sector = 2 * np.pi / 5
    angle = np.abs((np.arctan2(u, -v) + sector / 2) % sector - sector / 2)
    far = np.hypot(u, v)
    across, along = far * np.sin(angle), far * np.cos(angle)
    inner = (0.42 * np.sin(sector / 2), 0.42 * np.cos(sector / 2))
    du, dv = inner[0], inner[1] - 1.0
    away = (dv * across - du * (along - 1.0)) / -((du * du + dv * dv) ** 0.5)
    return away, 1.08 - 0.35 * along


def kite(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A kite with panels in two shades and a waving tail."""
    sail = _polygon(u, v, [(0, -0.98), (0.68, -0.3), (0, 0.55), (-0.68, -0.3)])
    tail = np.maximum(np.abs(u - 0.09 * np.sin(12 * (v - 0.55))) - 0.06, np.abs(v - 0.76) - 0.24)
    return np.minimum(sail, tail), np.where((u < 0) == (v < -0.3), np.float32(1.15), np.float32(0.8))


def boat(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A hull, and a lighter sail."""
    hull = _polygon(u, v, [(-0.95, 0.35), (0.95, 0.35), (0.55, 0.8), (-0.6, 0.8)])
    sail = _polygon(u, v, [(-0.08, -0.95), (0.62, 0.22), (-0.08, 0.22)])
    jib = _polygon(u, v, [(-0.18, -0.65), (-0.18, 0.22), (-0.7, 0.22)])
    away = np.minimum(hull, np.minimum(sail, jib))
    return away, np.where(v > 0.3, np.float32(0.75), np.float32(1.2))


def bird(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A bird with its wings spread: two bent wings and a body between them."""
    wide = np.abs(u)
    wing = np.maximum(np.abs(v + 0.55 * np.sin(2.6 * wide) - 0.12) - (0.2 - 0.14 * wide), wide - 0.98)
    body = np.hypot(u / 0.2, (v - 0.1) / 0.4) * 0.25 - 0.25
    return np.minimum(wing, body), 0.8 + 0.3 * wide


def ring(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A ring, round in its thickness too."""
    off = np.hypot(u, v) - 0.66
    return np.abs(off) - 0.25, 1.1 - 2.2 * off * off - 0.15 * (u + v)


def balloon(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A balloon with its knot and a piece of string."""
    skin = (np.hypot(u / 0.66, (v + 0.25) / 0.72) - 1) * 0.68
    knot = _polygon(u, v, [(0, 0.4), (0.14, 0.62), (-0.14, 0.62)])
    string = np.maximum(np.abs(u - 0.05 * np.sin(9 * v)) - 0.035, np.abs(v - 0.8) - 0.2)
    glint = np.exp(-((u + 0.25) ** 2 + (v + 0.5) ** 2) / 0.03)
    return np.minimum(skin, np.minimum(knot, string)), 1.0 - 0.2 * (u + v) + 0.35 * glint


def heart(u: Plane, v: Plane) -> tuple[Plane, Plane]:
    """A heart: a square on its corner with two half discs."""
    wide = np.abs(u)
    point = (wide + np.abs(v - 0.16)) / 1.4142 - 0.5
    lobe = _disc(wide, v, 0.354, 0.16 - 0.354, 0.5)
    return np.minimum(point, lobe), 1.08 - 0.25 * v


SILHOUETTES: dict[Shape, Silhouette] = {
    Shape.BALL: ball,
    Shape.CUBE: cube,
    Shape.PYRAMID: pyramid,
    Shape.STAR: star,
    Shape.KITE: kite,
    Shape.BOAT: boat,
    Shape.BIRD: bird,
    Shape.RING: ring,
    Shape.BALLOON: balloon,
    Shape.HEART: heart,
}
