"""Whether a clip shows what was asked for, attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

from ..language import Request, Wanted, parse
from ..world import Motion
from ..world.motion import HEADING
from .describing import Description

ATTRIBUTES = ("shape", "colour", "size", "count", "motion", "direction", "background", "light", "camera")


@dataclass(frozen=True)
class Held:
    """An attribute that was asked for, what was seen in its place, and whether that is it."""

    attribute: str
    asked: str
    seen: str | None

    @property
    def met(self) -> bool:
        return self.asked == self.seen


@dataclass(frozen=True)
class Adherence:
    """Everything that was asked for, held against a clip.

    Attributes:
        extra: things that were seen and that nobody asked for.
    """

    held: tuple[Held, ...]
    extra: int

    @property
    def share(self) -> float:
        """How much of what was asked for is shown, from 0 to 1; 1 where nothing was asked for."""
        return sum(h.met for h in self.held) / len(self.held) if self.held else 1.0


def adherence(asked: str | Request, description: Description) -> Adherence:
    """Hold a clip's description against a prompt or a request: only what it says is asked for.

    Things are paired with those seen so that the most is met.
    """
    request = parse(asked)[0] if isinstance(asked, str) else asked
    seen = description.request
    wanted = request.things
    # Where fewer were seen than wanted, some of those wanted are paired with nothing.
    candidates: list[Wanted | None] = [*seen.things, *[None] * len(wanted)]
    pairings = permutations(candidates[: len(wanted) + 4], len(wanted))
    best: tuple[Held, ...] = ()
    most = (-1, 0)
    for pairing in pairings:
        held = tuple(h for one, other in zip(wanted, pairing, strict=True) for h in _things(one, other))
        # Of pairings that meet as much, the one that pairs shapes and colours is the one a person would see.
        merit = sum(h.met for h in held), sum(h.met for h in held if h.attribute in ("shape", "colour"))
        if merit > most:
            best, most = held, merit
    rest = tuple(_scene(request, seen))
    return Adherence(best + rest, max(0, len(seen.things) - len(wanted)))


def _things(asked: Wanted, seen: Wanted | None) -> Iterator[Held]:
    for name in ("shape", "colour", "size"):
        if value := getattr(asked, name):
            yield Held(name, value.value, getattr(seen, name).value if seen else None)
    if asked.count:
        yield Held("count", str(asked.count), str(seen.count) if seen else None)
    if asked.motion:
        shown = seen.motion if seen else None
        yield Held("motion", _kind(asked.motion), _kind(shown) if shown else None)
        if asked.motion in HEADING:
            yield Held("direction", asked.motion.value, shown.value if shown in HEADING and shown else None)


def _kind(motion: Motion) -> str:
    return "straight" if motion in HEADING else motion.value


def _scene(asked: Request, seen: Request) -> Iterator[Held]:
    for name in ("background", "light", "camera"):
        if value := getattr(asked, name):
            yield Held(name, value.value, getattr(seen, name).value)
