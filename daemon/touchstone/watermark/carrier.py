"""The pattern: a tile of 64 by 64 keyed signs ("chips"), repeated over the frame from its middle.

Chips are measured in the frame's own size: 128 of them span its shorter side, so that a frame of another
resolution carries the same pattern and nothing has to be searched for after rescaling. A quarter of the chips
have signs that depend on the key alone; they show that a mark is there, whatever it says. The others carry
the raw bits of the message, each spread over some 25 chips of the tile and over all its repetitions.

The pattern stays the same from frame to frame. What a moving picture does to its sums averages out, an
encoder that copies a still one copies the pattern too, and no reader has to know the time. Patterns that
change every half second were tried: they read no better after compression
(model_zoo/training/watermark/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .key import Key
from .payload import RAW_BITS

TILE = 64
CHIPS = TILE * TILE
CHIPS_ACROSS = 128
"""Chips along a frame's shorter side."""

SYNC_CHIPS = CHIPS // 4
SYNC = -1
"""Role of a chip that carries no bit."""


@dataclass(frozen=True)
class Carrier:
    """What a key makes of the pattern.

    Attributes:
        roles: `(TILE, TILE) int16`, which raw bit a chip carries, or SYNC.
        signs: `(TILE, TILE) int8`, 1 or -1.
    """

    roles: NDArray[np.int16]
    signs: NDArray[np.int8]

    def chips(self, raw: NDArray[np.int8]) -> NDArray[np.int8]:
        """The tile that carries raw bits (signs, `(RAW_BITS,)`), `(TILE, TILE) int8`."""
        bits = np.append(raw, np.int8(1))  # SYNC, -1, takes the last
        return np.asarray(self.signs * bits[self.roles])


@cache
def carrier(key: Key) -> Carrier:
    """The carrier of a key."""
    order = np.argsort(key.stream("roles", 8 * CHIPS).view("<u8"), kind="stable")
    roles = np.empty(CHIPS, dtype=np.int16)
    roles[order[:SYNC_CHIPS]] = SYNC
    roles[order[SYNC_CHIPS:]] = np.arange(CHIPS - SYNC_CHIPS) % RAW_BITS
    bits = np.unpackbits(key.stream("signs", CHIPS // 8))
    signs = (1 - 2 * bits.astype(np.int8)).reshape(TILE, TILE)
    return Carrier(roles.reshape(TILE, TILE), signs)


SCALE = 64
"""What 1.0 is in a rendered pattern."""


def render(chips: NDArray[np.int8], width: int, height: int) -> NDArray[np.int16]:
    """A tile of chips as a pattern over a whole frame, `(height, width) int16` in units of 1/SCALE.

    Between the middles of chips it runs along Keys' cubic, whose spectrum ends where the chips' does: edges
    would be the first to go when a frame is made smaller. Whole numbers throughout, so that every machine
    renders the same.
    """
    pitch = min(width, height) / CHIPS_ACROSS
    rows, columns = weights(coordinates(height, pitch)), weights(coordinates(width, pitch))
    product = rows @ chips.astype(np.float32) @ columns.T  # below 2**24, so float32 holds it exactly
    return np.asarray(np.rint(product * np.float32(SCALE / _UNIT**2)).astype(np.int16))


_UNIT = 64  # what a weight of 1 is; the product of two and a sum of four stay whole


def coordinates(length: int, pitch: float) -> NDArray[np.float64]:
    """Where `length` pixels lie in units of chips, the frame's middle being 0; chip k spans k to k + 1."""
    return np.asarray((np.arange(length) + 0.5 - length / 2) / pitch, dtype=np.float64)


def weights(at: NDArray[np.float64]) -> NDArray[np.float32]:
    """How much each chip of a tile counts at each coordinate, `(len(at), TILE)`, whole numbers of 1/_UNIT."""
    first = np.floor(at - 0.5).astype(np.intp) - 1
    counts = np.zeros((at.size, TILE), dtype=np.float32)
    for tap in range(4):
        offset = np.abs(at - 0.5 - (first + tap))
        near = (1.5 * offset - 2.5) * offset**2 + 1
        far = ((-0.5 * offset + 2.5) * offset - 4) * offset + 2
        weight = np.where(offset <= 1, near, np.where(offset < 2, far, 0.0))
        counts[np.arange(at.size), (first + tap) % TILE] += np.rint(weight * _UNIT)
    return counts
