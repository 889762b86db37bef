"""Draws scenes by chance: without end, and the same scene for the same seed."""

from __future__ import annotations

import random

from .scene import Background, Camera, Colour, Light, Motion, Scene, Shape, Size, Thing

# Colours that cannot be told from what is behind them.
LOST: dict[Background, frozenset[Colour]] = {
    Background.SKY: frozenset({Colour.WHITE}),
    Background.HARBOUR: frozenset({Colour.WHITE}),
    Background.MEADOW: frozenset({Colour.GREEN}),
    Background.DESERT: frozenset({Colour.ORANGE, Colour.WHITE}),
    Background.MOUNTAINS: frozenset({Colour.WHITE}),
    Background.CITY: frozenset({Colour.BLACK}),
    Background.WALL: frozenset({Colour.WHITE}),
    Background.TILES: frozenset({Colour.WHITE}),
    Background.STARS: frozenset({Colour.BLACK, Colour.BLUE}),
}
LOST_AT: dict[Light, frozenset[Colour]] = {
    Light.DAY: frozenset(),
    Light.DUSK: frozenset({Colour.ORANGE}),
    Light.NIGHT: frozenset({Colour.BLACK, Colour.BLUE}),
}

MOST_THINGS = 3

MOTIONS = [3, 2, 2, 1.5, 1.5, 0.6, 0.6, 0.6, 0.6, 1.3, 1.3]
"""How often each motion comes, in their order."""


def lost(colour: Colour, background: Background, light: Light) -> bool:
    """Whether a thing of a colour can hardly be seen before a background."""
    return colour in LOST[background] | LOST_AT[light]


def sample_scene(seed: int) -> Scene:
    """The scene that a seed stands for."""
    chance = random.Random(seed)  # noqa: S311 — pictures, no secrets
    background = chance.choice(list(Background))
    light = chance.choices(list(Light), [5, 2, 2])[0]
    if background is Background.STARS:
        light = Light.NIGHT
    camera = chance.choices(list(Camera), [7, 1, 1, 1, 1, 1, 1, 1])[0]
    kind = chance.choices(["one", "alike", "two"], [5, 2, 3])[0]
    colours = [c for c in Colour if not lost(c, background, light)]
    shapes = chance.sample(list(Shape), 2)
    painted = chance.sample(colours, 2)
    if kind == "alike":
        count, size = chance.choice([2, 2, 3]), chance.choice([Size.SMALL, Size.MEDIUM])
        motion, speed = _motion(chance), chance.uniform(0.35, 0.8)
        places = _apart(chance, count, 1.0, _reach(camera))
        things = [
            Thing(shapes[0], painted[0], size, motion, x, y, speed, chance.uniform(0, 6.28))
            for x, y in places
        ]
    else:
        count = 1 if kind == "one" else 2
        sizes = list(Size) if kind == "one" else [Size.SMALL, Size.MEDIUM]
        things = [
            Thing(
                shapes[i],
                painted[i],
                chance.choice(sizes),
                _motion(chance),
                x,
                y,
                chance.uniform(0.35, 0.8),
                chance.uniform(0, 6.28),
            )
            for i, (x, y) in enumerate(_apart(chance, count, 1.25, _reach(camera)))
        ]
    return Scene(tuple(things), background, light, camera, seed)


def _reach(camera: Camera) -> float:
    """How far from the middle things may start: less under a zoom, which shows less of the world."""
    return 0.38 if camera in (Camera.ZOOM_IN, Camera.ZOOM_OUT) else 0.6


def _motion(chance: random.Random) -> Motion:
    return chance.choices(list(Motion), MOTIONS)[0]


def _apart(chance: random.Random, count: int, least: float, reach: float) -> list[tuple[float, float]]:
    """Places in the picture, as shares of its half width and half height, at least a distance apart."""
    while True:
        places = [(chance.uniform(-reach, reach), chance.uniform(-reach, reach)) for _ in range(count)]
        if all(
            (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= (least * reach) ** 2
            for a in places
            for b in places
            if a is not b
        ):
            return places
