"""What is asked for at a moment of a clip, as the numbers that the denoiser takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from ..language import Request


class Begun(Protocol):
    """What is shown from a second on."""

    @property
    def from_s(self) -> float: ...


class Shown(Begun, Protocol):
    """A scene of a story."""

    @property
    def request(self) -> Request: ...


Scene = TypeVar("Scene", bound=Begun)


def shown_at(scenes: Sequence[Scene], second: float) -> Scene:
    """The scene that is shown at a second; before the first, the first."""
    return next(s for s in reversed(scenes) if s.from_s <= second or s is scenes[0])


def words_at(scenes: Sequence[Shown], second: float, *, at_start: bool) -> list[int]:
    """Numbers of the scene that is shown at a second.

    Args:
        at_start: whether things are where the scene says that they are at first; later only the pictures
            before say where they are.
    """
    scene = shown_at(scenes, second)
    return (scene.request if at_start else later(scene.request)).ids


def later(request: Request) -> Request:
    """A request without the places of things at first."""
    return replace(request, things=tuple(replace(t, across=None, height=None) for t in request.things))


def carried_on(requests: Sequence[Request]) -> list[Request]:
    """Requests of a story: what a later one leaves open is as it was before.

    One that names no things has those of the one before. A thing of the same shape keeps its colour, size and
    number unless others are asked for. Background and light stay until others are named; the camera does not.
    """
    told: list[Request] = []
    for request in requests:
        if not told:
            told.append(request)
            continue
        before = told[-1]
        things = request.things or before.things
        by_shape = {t.shape: t for t in before.things}
        kept = []
        for thing in things:
            same = by_shape.get(thing.shape)
            if same is not None and thing is not same:
                thing = replace(
                    thing,
                    colour=thing.colour or same.colour,
                    size=thing.size or same.size,
                    count=thing.count if thing.count != 1 else same.count,
                )
            kept.append(thing)
        told.append(
            replace(
                request,
                things=tuple(kept),
                background=request.background or before.background,
                light=request.light or before.light,
            )
        )
    return told
