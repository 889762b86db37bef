"""Which pictures are made in which order, so that a clip of any length is one clip.

Keys come first: pictures a second apart, made together, so that what is in the clip is the same from its
beginning to its end; of long clips first every fourth, then those between. Then each second is filled in,
from the last picture of the second before to the key after it. Only one second is ever in memory.

Times are in seconds from the first picture of what is made. Second number n begins at n and has 17 pictures,
the first being the last of the second before; its key lies a quarter of a second after its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..networks import Latents

FPS = 16
WINDOW = 5
"""Latents of a second: one picture, and four groups of four."""
KEY_AT = 0.25
"""When the first key is."""
FAR = 4
"""Seconds between keys that are made first in long clips."""
TOGETHER = 6
"""Keys that are made at once."""
LONGEST_BETWEEN = 4
"""Seconds that can be made between two clips, whose both ends are given."""

Picture = Latents
"""A latent of one picture, `(LATENT, h, w)`."""


@dataclass(frozen=True)
class Ends:
    """What the clip has to fit to.

    Attributes:
        first: its first picture; None where it is free.
        before: the picture three quarters of a second before the first, where something comes before.
        after: the picture a quarter of a second after its last, where something comes after.
    """

    first: Picture | None = None
    before: Picture | None = None
    after: Picture | None = None


@dataclass(frozen=True)
class Batch:
    """Pictures that are made at once.

    Attributes:
        times: of each, seconds.
        keys: of each its number as a key, -1 being the picture before the clip.
        given: how many at the start and how many at the end are there already.
    """

    keys: tuple[int, ...]
    given: tuple[int, int]
    step: int = field(default=1)

    @property
    def times(self) -> tuple[float, ...]:
        return tuple(KEY_AT + key for key in self.keys)


def batches(seconds: int, *, before: bool = False, after: bool = False) -> list[Batch]:
    """How the keys of a clip are made, in order.

    Args:
        seconds: of the clip; it has keys 0 to `seconds`.
        before: whether key -1 is given.
        after: whether the last key is given.

    Raises:
        ValueError: more seconds than can be made between two ends.
    """
    first = -1 if before else 0
    keys = list(range(first, seconds + 1))
    if len(keys) <= TOGETHER:
        return [Batch(tuple(keys), (int(before), int(after)))]
    if after:
        raise ValueError(f"at most {LONGEST_BETWEEN} seconds can be made before a given end")
    found: list[Batch] = []
    far = list(range(first, seconds + FAR, FAR))
    at = 0
    while at < len(far) - 1:
        part = far[at : at + TOGETHER]
        known = int(before) if at == 0 else 2
        found.append(Batch(tuple(part), (known, 0), FAR))
        at += len(part) - 2 if at + len(part) < len(far) else len(part)
    found += [Batch(tuple(range(key, key + FAR + 1)), (1, 1)) for key in far[:-1]]
    return found


Fill = Callable[[Sequence[Picture | None], Sequence[float], float], Latents]
"""Makes what is None of the pictures at these times; the last argument is the middle of what is made."""


def keys_of(seconds: int, ends: Ends, fill: Fill) -> list[Picture]:
    """The keys 0 to `seconds` of a clip."""
    known: dict[int, Picture] = {}
    if ends.before is not None:
        known[-1] = ends.before
    if ends.after is not None:
        known[seconds] = ends.after
    plan = batches(seconds, before=ends.before is not None, after=ends.after is not None)
    for batch in plan:
        given = [known.get(key) for key in batch.keys]
        free = [time for time, picture in zip(batch.times, given, strict=True) if picture is None]
        if not free:
            continue
        made = fill(given, batch.times, sum(free) / len(free))
        known.update(zip(batch.keys, made, strict=True))
    return [known[key] for key in range(seconds + 1)]
