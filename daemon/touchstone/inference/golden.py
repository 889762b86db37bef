"""Inputs that the answers of providers and variants are compared on.

A model may bring its own: `golden.npy` beside its file, `(N, ...)` as it takes them, made from pictures like
those it will see. Without one, inputs are made from a seed and are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "golden.npy"

COUNT = 8
"""How many are made where the model brings none."""

MAX_BYTES = 64 << 20


class BadGolden(ValueError):
    """A model's golden inputs are none. The text names the file and says why."""


def golden_inputs(shape: Sequence[int], low: float, high: float, count: int = COUNT) -> NDArray[np.float32]:
    """Pictures from a seed: noise, coarse and fine, over a slope. The same everywhere.

    Args:
        shape: of one input, batch of one included.
        low, high: what 0 and 255 become.

    Returns:
        `(count, ...)` float32.
    """
    inputs = []
    for seed in range(count):
        chance = np.random.default_rng(seed)
        slope = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
        noise = chance.random(shape) * (seed + 1) / count
        inputs.append((low + (high - low) * (slope + noise) / 2).astype(np.float32))
    return np.concatenate(inputs)


def kept_with(model: Path, shape: Sequence[int]) -> NDArray[Any] | None:
    """The golden inputs that lie beside a model's file; None where there are none.

    Args:
        shape: of one input, batch of one included.

    Raises:
        BadGolden: there is such a file, and it is not of this model.
    """
    path = model.with_name(FILE)
    if not path.is_file():
        return None
    if path.stat().st_size > MAX_BYTES:
        raise BadGolden(f"{path}: larger than {MAX_BYTES >> 20} MiB")
    try:
        inputs: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as problem:
        raise BadGolden(f"{path}: is no array in NumPy's format ({problem})") from problem
    if not isinstance(inputs, np.ndarray) or inputs.shape[1:] != tuple(shape[1:]) or not len(inputs):
        raise BadGolden(f"{path}: holds {inputs.shape}, where the model takes {tuple(shape)}")
    return inputs
