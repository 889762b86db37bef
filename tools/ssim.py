"""Structural similarity of pictures, as published (Wang and others, Image Quality Assessment, 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_REACH, _SIGMA = 5, 1.5
_WINDOW = np.exp(-(np.arange(-_REACH, _REACH + 1) ** 2) / (2 * _SIGMA**2))
_WINDOW /= _WINDOW.sum()
_LEAST = ((0.01 * 255) ** 2, (0.03 * 255) ** 2)  # constants of means and of spreads


def ssim(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean over two planes `(H, W)`, in a Gaussian window of 11 by 11; 1 where they are alike."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    mean_a, mean_b = _windowed(a), _windowed(b)
    spread_a = _windowed(a * a) - mean_a**2
    spread_b = _windowed(b * b) - mean_b**2
    shared = _windowed(a * b) - mean_a * mean_b
    means = (2 * mean_a * mean_b + _LEAST[0]) / (mean_a**2 + mean_b**2 + _LEAST[0])
    spreads = (2 * shared + _LEAST[1]) / (spread_a + spread_b + _LEAST[1])
    return float(np.mean(means * spreads))


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    for _ in range(2):
        rows = len(values) - len(_WINDOW) + 1
        values = np.sum([share * values[at : at + rows] for at, share in enumerate(_WINDOW)], axis=0).T
    return values
