"""Requests in words, at three lengths: what a person types, a sentence, and a detailed description.

The three lengths are the recaptioning of DALL-E 3 and Sora in small: a model that was trained on all three
understands a person's few words and can be steered by many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..world import Background, Camera, Light, Motion, Pace, Scene
from .request import Request, Wanted, from_scene

_PLURAL = {Motion.STILL: "hang still", Motion.CIRCLE: "move in circles", Motion.BOUNCE: "bounce"}
_SINGULAR = {Motion.STILL: "hangs still", Motion.CIRCLE: "moves in circles", Motion.BOUNCE: "bounces"}
_PACE = {Pace.SLOW: "slowly", Pace.STEADY: "steadily", Pace.QUICK: "quickly"}
_BEHIND = {
    Background.SKY: "the sky",
    Background.HARBOUR: "a harbour",
    Background.MEADOW: "a meadow",
    Background.DESERT: "a desert",
    Background.MOUNTAINS: "mountains",
    Background.CITY: "a city",
    Background.WALL: "a wall",
    Background.TILES: "tiles",
    Background.STARS: "a starry sky",
}
_WHEN = {Light.DAY: "by day", Light.DUSK: "at dusk", Light.NIGHT: "at night"}
_HOW = {
    Camera.STILL: "the camera stands still",
    Camera.PAN_LEFT: "the camera pans left",
    Camera.PAN_RIGHT: "the camera pans right",
    Camera.TILT_UP: "the camera tilts up",
    Camera.TILT_DOWN: "the camera tilts down",
    Camera.ZOOM_IN: "the camera zooms in",
    Camera.ZOOM_OUT: "the camera zooms out",
    Camera.SHAKE: "the camera shakes",
}
_COUNT = {2: "two", 3: "three"}


@dataclass(frozen=True)
class Captions:
    """A scene in words, at three lengths."""

    terse: str
    normal: str
    dense: str


def captions(scene: Scene, *, start_s: float = 0.0, aspect: float = 1.0) -> Captions:
    """What a scene shows, in words.

    Args:
        start_s: the second at which the clip begins, for where things are at first.
        aspect: the picture's width over its height.
    """
    whole = from_scene(scene, start_s=start_s, aspect=aspect)
    return Captions(sentence(terse(whole)), sentence(normal(whole)), sentence(whole))


def terse(request: Request) -> Request:
    """Of a request what a person would type: colours and shapes, and where they go."""
    return Request(tuple(_named(t, None if t.motion is Motion.STILL else t.motion) for t in request.things))


def normal(request: Request) -> Request:
    """Of a request what a sentence would say: also what is behind, when, and the camera unless still."""
    camera = None if request.camera is Camera.STILL else request.camera
    return replace(request, things=tuple(_named(t, t.motion) for t in request.things), camera=camera)


def _named(thing: Wanted, motion: Motion | None) -> Wanted:
    return Wanted(thing.shape, thing.colour, motion=motion, count=thing.count)


def sentence(request: Request) -> str:
    """A request as an English sentence that `parse` reads back to the same request."""
    said = " and ".join(_thing(t) for t in request.things) or "nothing"
    if request.background:
        said += f" before {_BEHIND[request.background]}"
    if request.light:
        said += f" {_WHEN[request.light]}"
    if request.camera:
        said = f"{said.removesuffix(',')}, {_HOW[request.camera]}"
    return said.removesuffix(",")


def _thing(thing: Wanted) -> str:
    several = thing.count != 1
    start = "a" if thing.count == 1 else _COUNT.get(thing.count or 0, "some")
    name = (thing.shape.value if thing.shape else "object") + ("s" if several else "")
    words = [start, *(p.value for p in (thing.size, thing.colour) if p), name]
    if thing.motion:
        direction = f"move{'' if several else 's'} {thing.motion.value}"
        words.append((_PLURAL if several else _SINGULAR).get(thing.motion, direction))
    if thing.pace:
        words.append(_PACE[thing.pace])
    at_first = [p.value for p in (thing.across, thing.height) if p]
    return " ".join(words) + (f", first {' and '.join(at_first)}," if at_first else "")
