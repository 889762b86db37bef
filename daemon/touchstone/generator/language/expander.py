"""From a few words to a detailed description, and from that to one scene it describes.

This is a grammar with a seeded sampler, not a language model: it only adds what was left open, never changes
what was asked for, and says the same for the same seed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..world import Background, Camera, Colour, Light, Motion, Pace, Scene, Shape, Size, Thing
from ..world.motion import BOUNCE_HEIGHT, CIRCLE_RADIUS, HEADING, view
from ..world.sampling import lost
from .captions import sentence
from .request import MOST_THINGS, Across, Height, Request, Wanted, parse


def expand(text: str, seed: int) -> str:
    """A text as a detailed description, `""` where nothing of it was understood."""
    asked, words = parse(text)
    return sentence(fill(asked, seed)) if words.tokens else ""


def fill(request: Request, seed: int) -> Request:
    """A request with everything filled in that it left open, by chance and the same for the same seed.

    Colours and backgrounds are drawn so that things can be seen before what is behind them.
    """
    chance = random.Random(seed)  # noqa: S311 - pictures, no secret
    asked = request.things or (Wanted(),)
    colours = [t.colour for t in asked if t.colour]
    light = request.light or _light(chance, request.background, colours)
    background = request.background or _background(chance, light, colours)
    camera = request.camera or chance.choices(list(Camera), [7, 1, 1, 1, 1, 1, 1, 1])[0]
    things: list[Wanted] = []
    for thing in asked:
        things.append(_thing(chance, thing, things, asked, background, light))
    return Request(tuple(things), background, light, camera)


def _light(chance: random.Random, background: Background | None, colours: Sequence[Colour]) -> Light:
    if background is Background.STARS:
        return Light.NIGHT
    behind = background or Background.TILES
    clear = [light for light in Light if not any(lost(c, behind, light) for c in colours)]
    weights = {Light.DAY: 5, Light.DUSK: 2, Light.NIGHT: 2}
    return chance.choices(clear or list(Light), [weights[light] for light in clear or Light])[0]


def _background(chance: random.Random, light: Light, colours: Iterable[Colour]) -> Background:
    fit = [b for b in Background if b is not Background.STARS or light is Light.NIGHT]
    clear = [b for b in fit if not any(c in colours and lost(c, b, light) for c in colours)]
    return chance.choice(clear or fit)


def _thing(
    chance: random.Random,
    thing: Wanted,
    others: Sequence[Wanted],
    asked: Sequence[Wanted],
    background: Background,
    light: Light,
) -> Wanted:
    taken_colours = {t.colour for t in (*others, *asked)}
    taken_shapes = {t.shape for t in (*others, *asked)}
    seen = [c for c in Colour if not lost(c, background, light) and c not in taken_colours]
    room = MOST_THINGS - sum(t.count or 2 for t in asked if t is not thing)
    alone = len(asked) == 1 and thing.count == 1
    filled = replace(
        thing,
        shape=thing.shape or chance.choice([s for s in Shape if s not in taken_shapes]),
        colour=thing.colour or chance.choice(seen),
        size=thing.size or chance.choice(list(Size) if alone else [Size.SMALL, Size.MEDIUM]),
        motion=thing.motion or _motion(chance, thing.pace),
        count=thing.count or chance.choice([2, 3] if room >= MOST_THINGS else [2]),
    )
    if filled.motion is Motion.STILL:
        filled = replace(filled, pace=None)
    elif filled.pace is None:
        filled = replace(filled, pace=chance.choice(list(Pace)))
    if filled.count != 1:
        return replace(filled, across=None, height=None)
    return _placed(chance, filled, others)


def _motion(chance: random.Random, pace: Pace | None) -> Motion:
    weights = [0 if pace else 3, 2, 2, 1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1]
    return chance.choices(list(Motion), weights)[0]


def _placed(chance: random.Random, thing: Wanted, others: Sequence[Wanted]) -> Wanted:
    """With a place that no other thing has, and from which the thing's way leads through the picture."""
    dx, dy = HEADING.get(thing.motion or Motion.STILL, (0.0, 0.0))
    across = [a for a in Across if (a, dx < 0) != (Across.LEFT, True) and (a, dx > 0) != (Across.RIGHT, True)]
    heights = [h for h in Height if (h, dy < 0) != (Height.HIGH, True) and (h, dy > 0) != (Height.LOW, True)]
    places = [
        (thing.across or a, thing.height or h)
        for a in across
        for h in heights
        if not any((o.across, o.height) == (thing.across or a, thing.height or h) for o in others)
    ]
    x, y = chance.choice(places or [(thing.across or across[0], thing.height or heights[0])])
    return replace(thing, across=x, height=y)


_SHARES = {
    Across.LEFT: (-0.55, -0.35),
    Across.MIDDLE: (-0.15, 0.15),
    Across.RIGHT: (0.35, 0.55),
    Height.HIGH: (-0.55, -0.35),
    Height.HALFWAY: (-0.15, 0.15),
    Height.LOW: (0.35, 0.55),
}
_SPEEDS = {Pace.SLOW: (0.35, 0.48), Pace.STEADY: (0.52, 0.63), Pace.QUICK: (0.67, 0.8)}


def stage(request: Request, seed: int) -> Scene:
    """A scene that shows a request (filled in where it is open), as a square picture would show it."""
    whole = fill(request, seed)
    chance = random.Random(seed)  # noqa: S311 - pictures, no secret
    background, light, camera = whole.background, whole.light, whole.camera
    assert background and light and camera  # noqa: S101 - `fill` leaves nothing open
    zoom = view(Scene((), background, light, camera, seed), 0.0).zoom
    things: list[Thing] = []
    for wanted in whole.things:
        speed = chance.uniform(*_SPEEDS[wanted.pace or Pace.STEADY])
        for number in range(wanted.count or 1):
            turn = chance.uniform(0, 6.28)
            x, y = _start(chance, wanted, number)
            dx, dy = _offset(wanted.motion or Motion.STILL, turn)
            things.append(
                Thing(
                    wanted.shape or Shape.BALL,
                    wanted.colour or Colour.RED,
                    wanted.size or Size.MEDIUM,
                    wanted.motion or Motion.STILL,
                    x / zoom - dx,
                    y / zoom - dy,
                    speed,
                    turn,
                )
            )
    return Scene(tuple(things), background, light, camera, seed)


def _start(chance: random.Random, wanted: Wanted, number: int) -> tuple[float, float]:
    """Where a thing is at first, as shares of the half picture; things of a kind stand in a slanting row."""
    if wanted.count == 1 and wanted.across and wanted.height:
        return chance.uniform(*_SHARES[wanted.across]), chance.uniform(*_SHARES[wanted.height])
    step = 1.1 / max((wanted.count or 2) - 1, 1)
    return -0.55 + number * step, chance.uniform(-0.5, 0.5)


def _offset(motion: Motion, turn: float) -> tuple[float, float]:
    """How far a thing is from its middle place at second 0."""
    # Circles and bounces begin at their phase: see `motion.place`.
    if motion is Motion.CIRCLE:
        return CIRCLE_RADIUS * math.cos(turn), CIRCLE_RADIUS * math.sin(turn)
    if motion is Motion.BOUNCE:
        return 0.0, BOUNCE_HEIGHT * (0.5 - abs(math.sin(turn)))
    return 0.0, 0.0
