"""Decides whether a mark is there, and reads it.

Presence does not depend on the message. Given any picture whatsoever, the signs that a key gives to the sync
chips are a draw of random signs s that knew nothing of it, and Hoeffding's inequality bounds the chance that
their sum with what was seen, g, reaches t times the length of g:

    P(s . g >= t |g|) <= exp(-t^2 / 2)

Everything that was tried (places, orientations, other geometries, parts of the clip) multiplies that chance.
So the false-positive rate is computed, and holds for every picture and for every way of looking at it that
does not know the key.

A message whose check is right gives a second test of the same kind, over all chips: the signs of a given
message are as random as those of the sync chips, and there are 2^36 messages that could have been read. The
smaller of the two bounds counts, twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .carrier import SYNC, TILE, carrier
from .key import Key
from .payload import MESSAGES, RAW_BITS, Message, decode, encode
from .sight import PIXELS_A_CHIP, chip_sums

LAGS = TILE * TILE * PIXELS_A_CHIP**2
"""Places at which the pattern may begin."""

ORIENTATIONS = 8
"""Four quarter turns, each straight and in a mirror."""

MAX_LOG10_P = -9.0
"""A mark is there when the bound of the chance that it is not falls below this."""


@dataclass(frozen=True)
class Pose:
    """How the pattern lies in what was seen.

    Attributes:
        mirrored: whether frames are seen in a mirror (left and right swapped), before they are turned.
        turns: quarter turns, counter-clockwise.
        place, row, column: where the tile begins.
    """

    mirrored: bool
    turns: int
    place: int
    row: int
    column: int

    def chips(self, folded: NDArray[np.float32]) -> NDArray[np.float32]:
        """What each chip of the tile got, `(TILE, TILE)`."""
        sums = chip_sums(oriented(folded, self.mirrored, self.turns))[self.place]
        return np.roll(sums, (-self.row, -self.column), axis=(0, 1))


@dataclass(frozen=True)
class Found:
    """The best that was found.

    Attributes:
        log10_p: of the bound of the chance that frames without a mark of this key look like this, over
            everything that was tried.
        t: the statistic over sync chips.
        pose: where.
        soft: `(RAW_BITS,)`, positive for 0.
        message: None where the check fails.
    """

    log10_p: float
    t: float
    pose: Pose
    soft: NDArray[np.float64]
    message: Message | None

    @property
    def present(self) -> bool:
        """Whether there is a mark of this key."""
        return self.log10_p <= MAX_LOG10_P


class Detector:
    """Looks for the mark of one key.

    Args:
        key: whose.
    """

    def __init__(self, key: Key) -> None:
        self.key = key
        own = carrier(key)
        self._carrier = own
        self._sync = own.roles == SYNC
        self._mask = np.conj(np.fft.rfft2(self._sync.astype(np.float32)))
        self._template = np.conj(np.fft.rfft2((own.signs * self._sync).astype(np.float32)))

    def look(self, folded: NDArray[np.float32], tried: float = 1.0) -> Found:
        """Hold what was seen against the pattern, in all orientations and places.

        Args:
            folded: `(PERIOD, PERIOD) float32`, as `sight.fold` makes it, summed over frames.
            tried: how many such looks the caller takes, for the bound.
        """
        poses = [self._best(folded, mirrored, turns) for mirrored in (False, True) for turns in range(4)]
        pose = max(poses, key=lambda scored: scored[0])[1]
        return self.at(folded, pose, tried * LAGS * ORIENTATIONS)

    def at(self, folded: NDArray[np.float32], pose: Pose, tests: float) -> Found:
        """What is found in one pose, when so many poses were tried."""
        chips = pose.chips(folded)
        t = statistic(chips[self._sync], self._carrier.signs[self._sync])
        log10_p = _log10_bound(t, tests)
        soft = self._soft(chips)
        message = decode(soft, self.key)
        if message is not None:
            whole = statistic(chips, self.signs_of(message))
            log10_p = min(log10_p, _log10_bound(whole, tests * MESSAGES))
        return Found(min(0.0, log10_p + math.log10(2)), t, pose, soft, message)

    def signs_of(self, message: Message) -> NDArray[np.int8]:
        """All signs of the tile that carries a message."""
        return self._carrier.chips(encode(int(message.payload, 16), self.key, message.statement))

    @property
    def sync_signs(self) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """The signs that do not depend on the message, and which chips have them."""
        return self._carrier.signs, self._sync

    def _best(self, folded: NDArray[np.float32], mirrored: bool, turns: int) -> tuple[float, Pose]:
        """The largest statistic in one orientation, and where."""
        total = chip_sums(oriented(folded, mirrored, turns))
        hits = np.fft.irfft2(np.fft.rfft2(total) * self._template, s=(TILE, TILE))
        power = np.fft.irfft2(np.fft.rfft2(total * total) * self._mask, s=(TILE, TILE))
        # Against a picture of almost nothing, where the transform's own noise would divide by itself.
        floor = max(1e-9, 1e-6 * float(power.max()))
        t = hits / np.sqrt(np.maximum(power, floor))
        place, row, column = np.unravel_index(int(t.argmax()), t.shape)
        return float(t.max()), Pose(mirrored, turns, int(place), int(row), int(column))

    def _soft(self, chips: NDArray[np.float32]) -> NDArray[np.float64]:
        carrying = ~self._sync
        values = (chips * self._carrier.signs)[carrying]
        return np.asarray(
            np.bincount(self._carrier.roles[carrying], weights=values, minlength=RAW_BITS), float
        )


def oriented(folded: NDArray[np.float32], mirrored: bool, turns: int) -> NDArray[np.float32]:
    """What was seen, mirrored and turned about the frame's middle, which is the corner of the array."""
    return np.rot90(folded[:, ::-1] if mirrored else folded, turns)


def statistic(seen: NDArray[np.float32], signs: NDArray[np.int8]) -> float:
    """Sum of what was seen times signs, over its length."""
    length = float(np.linalg.norm(seen))
    return float((seen * signs).sum()) / length if length > 1e-9 else 0.0


def _log10_bound(t: float, tests: float) -> float:
    """log10 of the bound of the chance that the best of so many tests reaches t."""
    return math.log10(tests) - (t * t / 2) / math.log(10) if t > 0 else 0.0
