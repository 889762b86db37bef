"""What phones, editors and platforms do to pictures before they are encoded, in a few strokes of numpy.

Each takes and gives `(T, H, W) uint8` planes of one component. Smoothed real footage is what a detector
mistakes most easily for a generator's, so both classes get all of them.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.uint8]


def degraded(planes: Planes, kind: str, seed: str) -> Planes:
    """`planes` after one of conditions.DEGRADATIONS other than `compress` and `rescale`, which encoders do.

    Raises:
        KeyError: no such kind.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed for data, no secret
    values = planes.astype(np.float32)
    if kind == "blur":
        values = _blurred(values, chance.uniform(0.6, 1.3))
    elif kind == "denoise":
        values = _denoised(values, chance.uniform(4, 10))
    elif kind == "sharpen":
        values = values + chance.uniform(0.4, 1.2) * (values - _blurred(values, 1.0))
    elif kind == "noise":
        noise = np.random.default_rng(chance.getrandbits(32)).standard_normal(values.shape, np.float32)
        values = values + chance.uniform(1.0, 4.0) * noise
    else:
        raise KeyError(f"no degradation {kind!r}")
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    reach = max(1, round(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    taps /= taps.sum()
    for axis in (1, 2):
        width = [(0, 0)] * 3
        width[axis] = (reach, reach)
        padded = np.pad(values, width, mode="edge")
        size = values.shape[axis]
        values = np.sum(
            [np.float32(tap) * np.take(padded, range(i, i + size), axis=axis) for i, tap in enumerate(taps)],
            axis=0,
        ).astype(np.float32)
    return values


def _denoised(values: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """A sigma filter over 3 by 3 by 3: the mean of the neighbours that differ by less than `strength`.

    Source: Lee, "Digital image smoothing and the sigma filter", CVGIP 24 (1983).
    """
    total, count = np.zeros_like(values), np.zeros_like(values)
    padded = np.pad(values, 1, mode="edge")
    depth, height, width = values.shape
    for z in range(3):
        for y in range(3):
            for x in range(3):
                other = padded[z : z + depth, y : y + height, x : x + width]
                near = np.abs(other - values) <= strength
                total += np.where(near, other, 0)
                count += near
    kept: NDArray[np.float32] = total / count
    return kept
