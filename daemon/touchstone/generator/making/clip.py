"""Makes the pictures of a clip, second by second, in memory that does not grow with its length."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..language import Request
from ..networks import GROUP, PATCH, SCALE, Frames, Latents
from ..world import Scene as World
from .plan import FPS, KEY_AT, WINDOW, Ends, Picture, keys_of
from .sampling import Recipe, sample
from .staging import GROUP_S, planned
from .words import words_at


class Coder(Protocol):
    """The part of Networks that is used here."""

    def encode(self, frames: Frames) -> Latents: ...
    def decode(self, latents: Latents) -> Iterator[Frames]: ...
    def velocity(
        self,
        noisy: Latents,
        levels: NDArray[np.float32],
        times: NDArray[np.float32],
        words: NDArray[np.int64],
        plans: NDArray[np.float32],
    ) -> NDArray[np.float32]: ...


class Memory(Protocol):
    """Keeps what was made, so that an interrupted run goes on where it was."""

    def get(self, name: str) -> Latents | None: ...
    def put(self, name: str, latents: Latents) -> None: ...


class Forgetful:
    """Keeps nothing."""

    def get(self, name: str) -> Latents | None:
        """None."""
        return None

    def put(self, name: str, latents: Latents) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Scene:
    """What is shown from a second on.

    Attributes:
        request: filled in (language.fill).
        stage: the scene of the world that shows it, whose seconds begin with it.
        from_s: from when on, in seconds of the clip.
    """

    request: Request
    stage: World
    from_s: float = 0.0


@dataclass(frozen=True)
class Surroundings:
    """Pictures that the clip has to fit to, each `(H, W, 3)` of the clip's size; see plan.Ends."""

    first: Frames | None = None
    before: Frames | None = None
    after: Frames | None = None


@dataclass(frozen=True)
class Order:
    """What is to be made.

    Attributes:
        scenes: in order, the first from 0.
        seconds: whole ones; the clip has `16 * seconds + 1` pictures, 16 a second.
        width, height: pixels, whole multiples of 16.
        seed: another one gives another clip.
        surroundings: what it has to fit to.
    """

    scenes: Sequence[Scene]
    seconds: int
    width: int
    height: int
    seed: int
    recipe: Recipe
    surroundings: Surroundings


Progress = Callable[[float], None]


def pictures(
    order: Order,
    coder: Coder,
    memory: Memory | None = None,
    progress: Progress = lambda share: None,
) -> Iterator[Frames]:
    """The clip in parts, each `(n, H, W, 3)`, as they are made.

    The first part is one picture, unless it was given; a picture that was given is not told again.

    Args:
        memory: what of it was made before.
        progress: told the share that is done.
    """
    kept = memory or Forgetful()
    around = order.surroundings
    shape = order.height // SCALE, order.width // SCALE
    works = 1 + order.seconds  # about: keys of a long clip take a little more
    done = 0.0

    def fill(
        name: str,
        given: Sequence[Picture | None],
        times: Sequence[float],
        middle: float,
        *,
        spans: Sequence[float],
        at_start: bool,
    ) -> Latents:
        if (known := kept.get(name)) is not None:
            return known
        ids = words_at(order.scenes, middle, at_start=at_start)
        chance = np.random.default_rng(_seed(order.seed, name))
        plan = planned(order.scenes, times, spans, shape[0] // PATCH, shape[1] // PATCH)
        made = sample(coder.velocity, given, times, ids, plan, order.recipe, shape, chance)
        kept.put(name, made)
        return made

    def picture(frame: Frames | None) -> Picture | None:
        return None if frame is None else coder.encode(frame[None])[0]

    numbers = iter(range(10_000))

    def keys(given: Sequence[Picture | None], times: Sequence[float], middle: float) -> Latents:
        name = f"keys-{next(numbers)}"
        spans = [0.0] * len(times)
        return fill(name, given, times, middle, spans=spans, at_start=times[0] <= KEY_AT)

    first, before, after = (picture(p) for p in (around.first, around.before, around.after))
    last_keys = (
        keys_of(order.seconds, Ends(first, before, after), keys)
        if order.seconds > 1 or after is not None
        else []
    )
    done += 1
    progress(done / works)
    for second in range(order.seconds):
        given: list[Picture | None] = [first, *[None] * (WINDOW - 1)]
        if last_keys:
            given.append(last_keys[second + 1])
        times = [second + number * GROUP / FPS for number in range(len(given))]
        spans = [0.0] + [GROUP_S] * (WINDOW - 1) + [0.0] * (len(given) - WINDOW)
        made = fill(f"second-{second}", given, times, second + 0.5, spans=spans, at_start=second == 0)
        last: Frames | None = None
        for number, frames in enumerate(coder.decode(made[:WINDOW])):
            if number > 0 or first is None:
                yield frames
            last = frames[-1]
        first = picture(last)
        done += 1
        progress(min(1.0, done / works))


def _seed(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:8], "big")
