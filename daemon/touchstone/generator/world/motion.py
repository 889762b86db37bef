"""Where things and the camera are at a second.

Everything goes on for as long as a clip lasts: what leaves the picture on one side comes back on the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .scene import RADIUS, Camera, Motion, Scene, Thing

PAN_SPEED = 0.3
"""Units a second that a panning camera moves."""

TILT_RANGE = 0.9
"""How far a tilt goes in all, in units, ever more slowly, so that some ground stays in the picture."""
TILT_RATE = 0.35
"""Share of what is left of a tilt that is done in a second."""

ZOOM_RANGE = 0.7
"""How far a zoom goes in all: from 1 to 1.7, or from 1.7 to 1, ever more slowly."""
ZOOM_RATE = 0.25
"""Share of what is left of a zoom that is done in a second."""

SHAKE = 0.035
"""How far a shaking camera goes from its place, in units."""

CIRCLE_RADIUS = 0.35
BOUNCE_HEIGHT = 0.6
# Rounds and bounces take 1.8 to 4.2 s and 0.9 to 2 s, so that a clip of a few seconds shows a whole one.
CIRCLE_RATE = 1.5
BOUNCE_RATE = 4.5
MARGIN = 1.25
"""In radii: how far beyond the edge the middle of a thing is when it changes sides."""


@dataclass(frozen=True)
class View:
    """What the camera sees: its middle, and how many times nearer than at zoom 1 things are."""

    x: float
    y: float
    zoom: float


def view(scene: Scene, second: float) -> View:
    """The camera at a second."""
    match scene.camera:
        case Camera.PAN_LEFT:
            return View(-PAN_SPEED * second, 0.0, 1.0)
        case Camera.PAN_RIGHT:
            return View(PAN_SPEED * second, 0.0, 1.0)
        case Camera.TILT_UP:
            return View(0.0, -TILT_RANGE * (1 - math.exp(-TILT_RATE * second)), 1.0)
        case Camera.TILT_DOWN:
            return View(0.0, TILT_RANGE * (1 - math.exp(-TILT_RATE * second)), 1.0)
        case Camera.ZOOM_IN:
            return View(0.0, 0.0, 1.0 + ZOOM_RANGE * (1 - math.exp(-ZOOM_RATE * second)))
        case Camera.ZOOM_OUT:
            return View(0.0, 0.0, 1.0 + ZOOM_RANGE * math.exp(-ZOOM_RATE * second))
        case Camera.SHAKE:
            # Sums of sines whose periods have no common measure: the hand never repeats itself.
            across = math.sin(9.7 * second) + math.sin(15.1 * second + 1)
            down = math.sin(11.3 * second + 2) + math.sin(17.9 * second + 3)
            return View(SHAKE * across / 1.5, SHAKE * down / 1.5, 1.0)
        case Camera.STILL:
            return View(0.0, 0.0, 1.0)


HEADING: dict[Motion, tuple[float, float]] = {
    Motion.LEFT: (-1.0, 0.0),
    Motion.RIGHT: (1.0, 0.0),
    Motion.UP: (0.0, -1.0),
    Motion.DOWN: (0.0, 1.0),
    Motion.UP_LEFT: (-0.7071, -0.7071),
    Motion.UP_RIGHT: (0.7071, -0.7071),
    Motion.DOWN_LEFT: (-0.7071, 0.7071),
    Motion.DOWN_RIGHT: (0.7071, 0.7071),
}
"""Where straight motions go, per unit of way."""


def place(
    thing: Thing, second: float, seen: View, half_width: float, half_height: float
) -> tuple[float, float]:
    """Where the middle of a thing is in the picture, in units of half the picture's shorter side at zoom 1.

    Args:
        half_width: half the picture's width in those units, and `half_height` half its height.
    """
    x, y = thing.x * half_width, thing.y * half_height
    run = thing.speed * second
    match thing.motion:
        case Motion.CIRCLE:
            angle = thing.turn + CIRCLE_RATE * run / CIRCLE_RADIUS
            x, y = x + CIRCLE_RADIUS * math.cos(angle), y + CIRCLE_RADIUS * math.sin(angle)
        case Motion.BOUNCE:
            y += BOUNCE_HEIGHT * (0.5 - abs(math.sin(thing.turn + BOUNCE_RATE * run)))
        case Motion.STILL:
            pass
        case straight:
            dx, dy = HEADING[straight]
            x, y = x + dx * run, y + dy * run
    margin = MARGIN * RADIUS[thing.size]
    return _around(x - seen.x, half_width + margin), _around(y - seen.y, half_height + margin)


def _around(value: float, end: float) -> float:
    """`value` brought to between -end and end by whole rounds."""
    return (value + end) % (2 * end) - end
