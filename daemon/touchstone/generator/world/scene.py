"""What a scene of the procedural world is: the exact state that pictures and captions are both made from.

Lengths are in units of half the shorter side of the picture, so a square picture shows -1 to 1 both ways and
a wider or taller one shows more of the world. x points right, y down; times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Shape(StrEnum):
    """What a thing looks like."""

    BALL = "ball"
    CUBE = "cube"
    PYRAMID = "pyramid"
    STAR = "star"
    KITE = "kite"
    BOAT = "boat"
    BIRD = "bird"
    RING = "ring"
    BALLOON = "balloon"
    HEART = "heart"


class Colour(StrEnum):
    """A thing's colour; its light and dark sides are shades of it."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    CYAN = "cyan"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    WHITE = "white"
    BLACK = "black"


class Size(StrEnum):
    """How large a thing is: its radius is `RADIUS`."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


RADIUS = {Size.SMALL: 0.2, Size.MEDIUM: 0.32, Size.LARGE: 0.48}
"""Half the height of a thing, in units of half the picture's shorter side."""


class Motion(StrEnum):
    """How a thing moves before the camera's own motion."""

    STILL = "still"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    UP_LEFT = "up left"
    UP_RIGHT = "up right"
    DOWN_LEFT = "down left"
    DOWN_RIGHT = "down right"
    CIRCLE = "circle"
    BOUNCE = "bounce"


class Pace(StrEnum):
    """How fast a thing moves, in a word."""

    SLOW = "slow"
    STEADY = "steady"
    QUICK = "quick"


def pace(speed: float) -> Pace:
    """The word for a speed in units a second."""
    return Pace.SLOW if speed < 0.5 else Pace.STEADY if speed < 0.65 else Pace.QUICK


class Background(StrEnum):
    """What lies behind everything."""

    SKY = "sky"
    HARBOUR = "harbour"
    MEADOW = "meadow"
    DESERT = "desert"
    MOUNTAINS = "mountains"
    CITY = "city"
    WALL = "wall"
    TILES = "tiles"
    STARS = "starry sky"


class Light(StrEnum):
    """The time of day, which tints everything."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Camera(StrEnum):
    """How the camera moves over the whole clip."""

    STILL = "still"
    PAN_LEFT = "pan left"
    PAN_RIGHT = "pan right"
    TILT_UP = "tilt up"
    TILT_DOWN = "tilt down"
    ZOOM_IN = "zoom in"
    ZOOM_OUT = "zoom out"
    SHAKE = "shake"


@dataclass(frozen=True)
class Thing:
    """One object.

    `x`, `y` is where its middle is at second 0; `speed` is in units a second; `turn` is its phase in radians,
    of the circle or the bounce that it follows.
    """

    shape: Shape
    colour: Colour
    size: Size
    motion: Motion
    x: float
    y: float
    speed: float = 0.5
    turn: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Everything that a clip shows. `things` are drawn in their order, so later ones stand in front."""

    things: tuple[Thing, ...]
    background: Background
    light: Light
    camera: Camera
    seed: int
