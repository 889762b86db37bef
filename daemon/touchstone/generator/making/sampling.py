"""From noise to latents along the ways that the denoiser learned (rectified flow, Liu et al. 2022)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..networks import LATENT, WORDS, Latents
from .staging import Planes

Velocity = Callable[
    [Latents, NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]],
    NDArray[np.float32],
]
"""See Networks.velocity."""

TRAINED_ON = 5 * 16 * 16
"""Latents of the clips that the denoiser was trained on; larger ones are given more noise for longer."""
SHIFT = 1.5
GUIDED = (0.15, 0.98)
"""Levels at which the prompt is held against none: at the ends it changes little and costs as much."""


@dataclass(frozen=True)
class Recipe:
    """How noise is made into latents.

    Attributes:
        steps: how many.
        guidance: how much the prompt counts; 1 is as learned, more is closer to the words and less varied.
    """

    steps: int = 16
    guidance: float = 1.5

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 200 or not 1 <= self.guidance <= 20:
            raise ValueError(f"steps are 1 to 200 and guidance 1 to 20; got {self}")


def padded(ids: Sequence[int]) -> NDArray[np.int64]:
    """Numbers of words as the denoiser takes them, `(WORDS,)`."""
    numbers = np.zeros(WORDS, np.int64)
    numbers[: min(len(ids), WORDS)] = ids[:WORDS]
    return numbers


def levels(steps: int, size: int) -> NDArray[np.float32]:
    """Noise levels from 1 to 0, `(steps + 1,)`; `size` latents are made at once."""
    shift = SHIFT * max(1.0, size / TRAINED_ON) ** 0.5
    even = np.linspace(1, 0, steps + 1)
    return np.asarray(shift * even / (1 + (shift - 1) * even), np.float32)


def sample(
    velocity: Velocity,
    given: Sequence[NDArray[np.float32] | None],
    times: Sequence[float],
    words: Sequence[int],
    plan: Planes,
    recipe: Recipe,
    shape: tuple[int, int],
    chance: np.random.Generator,
) -> Latents:
    """Latents of a moment each, some of them given.

    Args:
        given: of each moment its latent `(LATENT, h, w)`, or None where it is to be made.
        times: of each, seconds; at even steps.
        words: numbers of what is asked for.
        plan: what is where at each moment.
        shape: h and w, both even.
        chance: where noise comes from.

    Returns:
        `(T, LATENT, h, w)`; what was given is in it unchanged.
    """
    count = len(given)
    there = np.array([latent is not None for latent in given])
    noise = chance.standard_normal((count, LATENT, *shape), np.float32)
    x = np.where(there[:, None, None, None], 0, noise).astype(np.float32)
    for number, latent in enumerate(given):
        if latent is not None:
            x[number] = latent
    when = np.asarray(times, np.float32)
    asked = padded(words)
    both = np.stack([plan, np.zeros_like(plan)])
    at = levels(recipe.steps, count * shape[0] * shape[1])
    for level, after in pairwise(at):
        each = np.where(there, 0, level).astype(np.float32)
        if recipe.guidance > 1 and GUIDED[0] < level < GUIDED[1]:
            with_words, without = velocity(x, each, when, np.stack([asked, np.zeros_like(asked)]), both)
            moving = without + recipe.guidance * (with_words - without)
        else:
            (moving,) = velocity(x, each, when, asked[None], plan[None])
        x = np.where(there[:, None, None, None], x, x + (after - level) * moving).astype(np.float32)
    return x
