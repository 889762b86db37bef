"""Where things and the camera are at a second.

Everything goes on for as long as a clip lasts: what leaves the picture on one side comes back on the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .scene import RADIUS, Camera, Motion, Scene, Thing

PAN_SPEED = 0.3
"""Units a second that a panning camera moves."""

ZOOM_RANGE = 0.7
"""How far a zoom goes in all: from 1 to 1.7, or from 1.7 to 1, ever more slowly."""
ZOOM_RATE = 0.25
"""Share of what is left of a zoom that is done in a second."""

CIRCLE_RADIUS = 0.35
BOUNCE_HEIGHT = 0.6
MARGIN = 1.25
"""In radii: how far beyond the edge the middle of a thing is when it changes sides."""


@dataclass(frozen=True)
class View:
    """What the camera sees: its middle, and how many times nearer than at zoom 1 things are."""

    x: float
    zoom: float


def view(scene: Scene, second: float) -> View:
    """The camera at a second."""
    match scene.camera:
        case Camera.PAN_LEFT:
            return View(-PAN_SPEED * second, 1.0)
        case Camera.PAN_RIGHT:
            return View(PAN_SPEED * second, 1.0)
        case Camera.ZOOM_IN:
            return View(0.0, 1.0 + ZOOM_RANGE * (1 - math.exp(-ZOOM_RATE * second)))
        case Camera.ZOOM_OUT:
            return View(0.0, 1.0 + ZOOM_RANGE * math.exp(-ZOOM_RATE * second))
        case Camera.STILL:
            return View(0.0, 1.0)


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
        case Motion.LEFT:
            x -= run
        case Motion.RIGHT:
            x += run
        case Motion.UP:
            y -= run
        case Motion.DOWN:
            y += run
        case Motion.CIRCLE:
            angle = thing.turn + run / CIRCLE_RADIUS
            x, y = x + CIRCLE_RADIUS * math.cos(angle), y + CIRCLE_RADIUS * math.sin(angle)
        case Motion.BOUNCE:
            y += BOUNCE_HEIGHT * (0.5 - abs(math.sin(thing.turn + 2.2 * run)))
        case Motion.STILL:
            pass
    margin = MARGIN * RADIUS[thing.size]
    return _around(x - seen.x, half_width + margin), _around(y, half_height + margin)


def _around(value: float, end: float) -> float:
    """`value` brought to between -end and end by whole rounds."""
    return (value + end) % (2 * end) - end
