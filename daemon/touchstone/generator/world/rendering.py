"""Draws a scene: any size and shape of picture, at any second, the same pixels every time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .backdrops import BACKDROPS
from .motion import View, place, view
from .scene import RADIUS, Colour, Light, Scene, Thing
from .silhouettes import SILHOUETTES

PAINT: dict[Colour, tuple[float, float, float]] = {
    Colour.RED: (0.86, 0.12, 0.12),
    Colour.ORANGE: (0.97, 0.5, 0.06),
    Colour.YELLOW: (0.97, 0.86, 0.12),
    Colour.GREEN: (0.1, 0.62, 0.2),
    Colour.CYAN: (0.1, 0.78, 0.8),
    Colour.BLUE: (0.12, 0.24, 0.86),
    Colour.PURPLE: (0.52, 0.16, 0.72),
    Colour.PINK: (0.97, 0.5, 0.7),
    Colour.WHITE: (0.92, 0.92, 0.92),
    Colour.BLACK: (0.1, 0.1, 0.11),
}

# What the time of day makes of colours. Things are tinted less than what is behind them, so that a colour
# stays the colour that a person would name.
BEHIND: dict[Light, tuple[float, float, float]] = {
    Light.DAY: (1.0, 1.0, 1.0),
    Light.DUSK: (0.98, 0.66, 0.5),
    Light.NIGHT: (0.25, 0.29, 0.45),
}
BEFORE: dict[Light, tuple[float, float, float]] = {
    Light.DAY: (1.0, 1.0, 1.0),
    Light.DUSK: (1.0, 0.88, 0.78),
    Light.NIGHT: (0.72, 0.76, 0.92),
}

Frame: TypeAlias = NDArray[np.uint8]


def render(
    scene: Scene, width: int, height: int, frames: int, fps: float, *, start_s: float = 0.0
) -> Iterator[Frame]:
    """Draw a scene, `(height, width, 3) uint8, RGB` a frame.

    Args:
        frames: how many, `fps` a second.
        start_s: the second of the scene that the first frame shows.

    Raises:
        ValueError: a size, a length or a rate that is not above zero.
    """
    if min(width, height, frames) < 1 or fps <= 0:
        raise ValueError(f"cannot draw {frames} frames of {width}x{height} pixels at {fps} a second")
    unit = min(width, height) / 2
    across = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / unit
    down = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / unit
    for number in range(frames):
        second = start_s + number / fps
        seen = view(scene, second)
        x, y = np.meshgrid(across / seen.zoom + np.float32(seen.x), down / seen.zoom + np.float32(seen.y))
        picture = BACKDROPS[scene.background](x, y, second, scene.seed) * np.array(
            BEHIND[scene.light], np.float32
        )
        for thing in scene.things:
            _draw(picture, thing, second, seen, unit, scene.light)
        yield np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)


def _draw(
    picture: NDArray[np.float32], thing: Thing, second: float, seen: View, unit: float, light: Light
) -> None:
    """Draw a thing over a picture, in place, touching only the pixels that it may cover."""
    height, width = picture.shape[:2]
    x, y = place(thing, second, seen, width / 2 / unit, height / 2 / unit)
    radius = RADIUS[thing.size] * seen.zoom * unit
    middle_x, middle_y = width / 2 + x * seen.zoom * unit, height / 2 + y * seen.zoom * unit
    left, right = max(0, int(middle_x - radius - 2)), min(width, int(middle_x + radius + 3))
    top, bottom = max(0, int(middle_y - radius - 2)), min(height, int(middle_y + radius + 3))
    if left >= right or top >= bottom:
        return
    u = (np.arange(left, right, dtype=np.float32) + 0.5 - middle_x) / radius
    v = (np.arange(top, bottom, dtype=np.float32) + 0.5 - middle_y) / radius
    away, shade = SILHOUETTES[thing.shape](*np.meshgrid(u.astype(np.float32), v.astype(np.float32)))
    cover = np.clip(0.5 - away * radius, 0, 1)[..., None]
    colour = np.array(PAINT[thing.colour], np.float32) * np.array(BEFORE[light], np.float32)
    paint = np.clip(shade[..., None] * colour + np.maximum(shade - 1, 0)[..., None] * 0.35, 0, 1)
    part = picture[top:bottom, left:right]
    part += (paint - part) * cover
