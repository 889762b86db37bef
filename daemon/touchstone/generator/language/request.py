"""What a clip is asked to show, as far as a text says it; what it leaves open is None.

A request is made from a person's text, from a scene, or by the expander, and is what a model is given (as
numbers), what a caption is written from, and what a clip is judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from ..world import Background, Camera, Colour, Light, Motion, Pace, Scene, Shape, Size, Thing, pace
from ..world.motion import place, view
from .vocabulary import MOST_IDS, SEVERAL, Words, read, vocabulary

COUNTS = {"one": 1, "two": 2, "three": 3}
MOST_THINGS = 3


class Across(StrEnum):
    """Where a thing is at first, from side to side."""

    LEFT = "at the left"
    MIDDLE = "in the middle"
    RIGHT = "at the right"


class Height(StrEnum):
    """Where a thing is at first, from top to bottom."""

    HIGH = "high"
    HALFWAY = "halfway up"
    LOW = "low"


EDGE = 0.25
"""Share of half the picture that counts as its middle, each way."""


@dataclass(frozen=True)
class Wanted:
    """A thing, or several of a kind. `count` None is several, without saying how many."""

    shape: Shape | None = None
    colour: Colour | None = None
    size: Size | None = None
    motion: Motion | None = None
    count: int | None = 1
    pace: Pace | None = None
    across: Across | None = None
    height: Height | None = None

    @property
    def tokens(self) -> list[str]:
        """In the order in which the model is given them."""
        counts = {number: word for word, number in COUNTS.items()}
        said = [self.size, self.colour, self.shape, self.motion, self.pace, self.across, self.height]
        return [*([counts[self.count]] if self.count else []), *(str(s.value) for s in said if s)]


@dataclass(frozen=True)
class Request:
    """What a clip is asked to show."""

    things: tuple[Wanted, ...] = ()
    background: Background | None = None
    light: Light | None = None
    camera: Camera | None = None

    @property
    def tokens(self) -> list[str]:
        """In the order in which the model is given them: things, what is behind them, light, camera."""
        said: list[str] = []
        for number, thing in enumerate(self.things):
            said += (["and"] if number else []) + thing.tokens
        if self.background:
            said.append(self.background.value)
        if self.light:
            said.append(self.light.value)
        if self.camera:
            said.append("camera still" if self.camera is Camera.STILL else self.camera.value)
        return said

    @property
    def ids(self) -> list[int]:
        """The numbers that a model is given."""
        known = vocabulary().ids
        return [known[token] for token in self.tokens][:MOST_IDS]


def from_scene(scene: Scene, *, start_s: float = 0.0, aspect: float = 1.0) -> Request:
    """Everything that a scene shows; things alike are counted together.

    Args:
        start_s: the second at which the clip begins, for where things are at first.
        aspect: the picture's width over its height.
    """
    kinds = groupby(scene.things, key=lambda t: (t.shape, t.colour, t.size, t.motion))
    things = []
    for (shape, colour, size, motion), alike in kinds:
        group = list(alike)
        wanted = Wanted(shape, colour, size, motion, count=len(group))
        if motion is not Motion.STILL:
            wanted = replace(wanted, pace=pace(group[0].speed))
        if len(group) == 1:
            wanted = _placed(wanted, group[0], scene, start_s, aspect)
        things.append(wanted)
    return Request(tuple(things), scene.background, scene.light, scene.camera)


def _placed(wanted: Wanted, thing: Thing, scene: Scene, start_s: float, aspect: float) -> Wanted:
    seen = view(scene, start_s)
    half_width, half_height = max(aspect, 1.0), max(1 / aspect, 1.0)
    x, y = place(thing, start_s, seen, half_width, half_height)
    x, y = x * seen.zoom / half_width, y * seen.zoom / half_height
    if max(abs(x), abs(y)) > 1:
        return wanted
    return replace(
        wanted,
        across=Across.LEFT if x < -EDGE else Across.MIDDLE if x <= EDGE else Across.RIGHT,
        height=Height.HIGH if y < -EDGE else Height.HALFWAY if y <= EDGE else Height.LOW,
    )


def parse(text: str) -> tuple[Request, Words]:
    """What a text asks for, and which of its words were understood."""
    words = read(text)
    return from_tokens(words.tokens), words


_SHAPES = {s.value: s for s in Shape}
_BACKGROUNDS = {b.value: b for b in Background}
_LIGHTS = {light.value: light for light in Light}
_CAMERAS = {"camera still": Camera.STILL} | {c.value: c for c in Camera if c is not Camera.STILL}
_BEFORE_A_SHAPE: dict[str, dict[str, Any]] = {
    "size": {s.value: s for s in Size},
    "colour": {c.value: c for c in Colour},
}
_AFTER_A_SHAPE: dict[str, dict[str, Any]] = {
    "motion": {m.value: m for m in Motion},
    "pace": {p.value: p for p in Pace},
    "across": {a.value: a for a in Across},
    "height": {h.value: h for h in Height},
}


def from_tokens(tokens: Sequence[str]) -> Request:
    """What tokens ask for: what stands before a shape belongs to it, and so does the motion after it.

    What nothing comes after is about the last thing: "a kite that is red".

    Of two things said about the same, the later one counts. Things beyond `MOST_THINGS` in all are left out.
    """
    things: list[Wanted] = []
    coming = Wanted()
    rest = Request()
    for token in tokens:
        if token in COUNTS:
            coming = replace(coming, count=COUNTS[token])
        elif token == SEVERAL:
            coming = replace(coming, count=coming.count if coming.count != 1 else None)
        elif token in _SHAPES:
            things.append(replace(coming, shape=_SHAPES[token]))
            coming = Wanted()
        elif token in _BACKGROUNDS:
            _add(coming, things)
            rest, coming = replace(rest, background=_BACKGROUNDS[token]), Wanted()
        elif token in _LIGHTS:
            _add(coming, things)
            rest, coming = replace(rest, light=_LIGHTS[token]), Wanted()
        elif token in _CAMERAS:
            rest = replace(rest, camera=_CAMERAS[token])
        else:
            coming = _said(token, coming, things)
    if things:
        _add(coming, things)
    elif coming != Wanted():
        things.append(coming)
    return replace(rest, things=_at_most(things))


def _said(token: str, coming: Wanted, things: list[Wanted]) -> Wanted:
    """What is known of the thing to come after a token, which may be about the last thing instead."""
    for name, values in _BEFORE_A_SHAPE.items():
        if token in values:
            coming = replace(coming, **{name: values[token]})
    for name, words in _AFTER_A_SHAPE.items():
        if token not in words:
            continue
        if things and coming == Wanted():
            things[-1] = replace(things[-1], **{name: words[token]})
        else:
            coming = replace(coming, **{name: words[token]})
    return coming


def _add(coming: Wanted, things: list[Wanted]) -> None:
    """What was said of a thing that never came is told of the last one, where that leaves it open."""
    if things:
        last = things[-1]
        said = {name: getattr(coming, name) for name in _ABOUT if getattr(last, name) is None}
        things[-1] = replace(last, **said)


_ABOUT = (*_BEFORE_A_SHAPE, *_AFTER_A_SHAPE)


def _at_most(things: list[Wanted]) -> tuple[Wanted, ...]:
    kept: list[Wanted] = []
    room = MOST_THINGS
    for thing in things:
        if room <= 0:
            break
        if thing.count and thing.count > room:
            thing = replace(thing, count=room)
        room -= thing.count or 2
        kept.append(thing)
    return tuple(kept)
