"""Scales grey pictures by Pillow's bicubic filter, to the very same bits, in about half its time.

Pillow (13, src/libImaging/Resample.c) goes over the rows and then over the columns, each time with weights of
22 fractional bits, and rounds in between to 8 bits. Both are products with matrices of which nearly all is
zero. Done in float32, block by block along the diagonal, a product is off by less than what is known of the
rounding of sums; the few values that lie so close to the middle of two whole numbers are worked out again in
whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_BITS = 22  # Resample.c: PRECISION_BITS
_BLOCK = 8  # outputs that are worked out by one product; measured
_BAND = 1 << 20  # samples of the picture at a time; measured


def scaled(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """What Pillow's `resize((width, height), BICUBIC)` makes of `(H, W) uint8`, by one factor."""
    if picture.shape[0] > 2 * picture.shape[1]:
        # Some versions of Pillow then go over the columns first, which rounds otherwise.
        whole = Image.fromarray(np.ascontiguousarray(picture))
        return np.asarray(whole.resize((width, height), Image.Resampling.BICUBIC))
    if picture.shape[1] != width:
        picture = _along_rows(picture, _filter(picture.shape[1], width))
    if picture.shape[0] != height:
        across = np.ascontiguousarray(picture.T)
        picture = _along_rows(across, _filter(across.shape[1], height)).T
    return np.ascontiguousarray(picture)


@dataclass(frozen=True)
class _Filter:
    """How a row of samples becomes another.

    Attributes:
        first: `(M,)`, the first sample that each output is made of.
        weights: `(M, taps) int64`, of the samples from there on, in units of 2^-22; 0 beyond the last one.
        blocks: for some outputs at a time: from which sample, up to which, from which output, up to which,
            and the weights as a matrix.
        doubt: what a product in float32 may be off by.
    """

    first: NDArray[np.intp]
    weights: NDArray[np.int64]
    blocks: tuple[tuple[int, int, int, int, NDArray[np.float32]], ...]
    doubt: float


@lru_cache(maxsize=16)  # of each size there are many frames
def _filter(length: int, wanted: int) -> _Filter:
    rows = list(_rows(length, wanted))
    taps = max(len(weights) for _, weights in rows)
    first = np.array([start for start, _ in rows], np.intp)
    table = np.array([[*weights, *[0] * (taps - len(weights))] for _, weights in rows], np.int64)
    blocks = []
    for begin in range(0, wanted, _BLOCK):
        some = rows[begin : begin + _BLOCK]
        low, high = some[0][0], max(start + len(weights) for start, weights in some)
        matrix = np.zeros((high - low, len(some)), np.float32)
        for column, (start, weights) in enumerate(some):
            # Exact: no weight has more than 24 bits.
            matrix[start - low : start - low + len(weights), column] = np.array(weights) / (1 << _BITS)
        blocks.append((low, high, begin, begin + len(some), matrix))
    # Rounding of each of so many products and sums (Higham, Accuracy and Stability, section 3.1).
    largest = 255 * np.abs(table).sum(axis=1).max() / (1 << _BITS)
    doubt = 2 * (taps + 1) * float(np.finfo(np.float32).eps) * float(largest)
    return _Filter(first, table, tuple(blocks), doubt)


def _rows(length: int, wanted: int) -> Iterator[tuple[int, list[int]]]:
    """For each output its first sample and the weights, by the very steps of Resample.c."""
    scale = length / wanted
    stretch = max(scale, 1.0)
    reach = 2.0 * stretch
    for place in range(wanted):
        centre = (place + 0.5) * scale
        start, end = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), length)
        shares = [_bicubic((sample - centre + 0.5) * (1.0 / stretch)) for sample in range(start, end)]
        total = 0.0
        for share in shares:  # in this order: `sum` may be more exact than what it has to equal
            total += share
        yield start, [int(math.copysign(0.5, share) + share / total * (1 << _BITS)) for share in shares]


def _bicubic(x: float) -> float:
    """Keys' cubic, a = -0.5."""
    x, a = abs(x), -0.5
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2.0 else 0.0


def _along_rows(picture: NDArray[np.uint8], kernel: _Filter) -> NDArray[np.uint8]:
    """`(H, M) uint8`: every row of `(H, N) uint8` by itself."""
    height, length = picture.shape
    wanted = len(kernel.first)
    made = np.empty((height, wanted), np.uint8)
    band = max(1, _BAND // max(length, wanted))
    samples, values = np.empty((band, length), np.float32), np.empty((band, wanted), np.float32)
    for top in range(0, height, band):
        here = picture[top : top + band]
        given, sums = samples[: len(here)], values[: len(here)]
        given[...] = here
        for low, high, begin, end, matrix in kernel.blocks:
            np.matmul(given[:, low:high], matrix, out=sums[:, begin:end])
        rounded = np.rint(sums)
        sums -= rounded
        np.abs(sums, out=sums)
        made[top : top + band] = np.clip(rounded, 0, 255, out=rounded)
        rows, columns = np.divmod(np.flatnonzero(sums > 0.5 - kernel.doubt), wanted)
        made[top + rows, columns] = _exactly(here, rows, columns, kernel)
    return made


def _exactly(
    picture: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp], kernel: _Filter
) -> NDArray[np.int64]:
    """Some outputs, in whole numbers."""
    taps = kernel.first[columns, None] + np.arange(kernel.weights.shape[1])
    samples = picture[rows[:, None], np.minimum(taps, picture.shape[1] - 1)]
    sums = (samples * kernel.weights[columns]).sum(axis=1) + (1 << (_BITS - 1))
    return np.asarray(np.clip(sums >> _BITS, 0, 255))
