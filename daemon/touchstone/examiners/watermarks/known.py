"""Messages that are known in advance, and how well votes over blocks agree with one.

The test is a correlation, not a count of bits: it does not care whether the picture pulls all votes one way,
which blinds the scheme's own decoder. Its false-positive rate is computed, not hoped for. Given any picture
whatsoever, a message that was chosen without looking at it is a draw of random signs s, and Hoeffding's
inequality bounds the chance that its sum with the centred votes g reaches t times the length of g:

    P(s . g >= t |g|) <= exp(-t^2 / 2)

Messages of ASCII text are no random signs within a byte (the first bit is always 0), so votes and message are
centred for each place in the byte apart; what is left of the message is what counts as random.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

BITS_OF_A_BYTE = 8


@dataclass(frozen=True)
class KnownMessage:
    """One message of one generator.

    Attributes:
        name: short, for tables.
        generator: for people.
        bits: `(L,) bool`.
        period: places that are centred apart: 8 for ASCII text, 1 else.
        sizes: `(width, height)` of the frames that the generator makes.
    """

    name: str
    generator: str
    bits: NDArray[np.bool_]
    period: int
    sizes: tuple[tuple[int, int], ...]

    @property
    def length(self) -> int:
        """Number of bits."""
        return int(self.bits.size)


@dataclass(frozen=True)
class Agreement:
    """How well votes agree with a message.

    Attributes:
        correlation: -1 to 1; 1 is a perfect mark whatever the picture does to all votes alike.
        p_bound: upper bound of the chance of such agreement with a message that is not there.
        matched: bits that the scheme's own decoder would get right, for comparison with other readers.
    """

    correlation: float
    p_bound: float
    matched: int


def agreement(message: KnownMessage, ones: NDArray[np.int64], blocks: NDArray[np.int64]) -> Agreement:
    """Hold pooled votes against a message.

    Args:
        message: what is looked for.
        ones: `(L,)`, for each bit the number of blocks that say 1, summed over frames.
        blocks: `(L,)`, the number of blocks there were.
    """
    share = ones / np.maximum(blocks, 1)
    matched = int(((share * 255 > 127) == message.bits).sum())
    signs = _centred(np.where(message.bits, 1.0, -1.0), message.period)
    votes = _centred(share, message.period)
    length, energy = float(np.linalg.norm(votes)), float(np.linalg.norm(signs))
    if length < 1e-9:  # all votes alike, as on a flat picture: nothing can be said
        return Agreement(0.0, 1.0, matched)
    t = float(signs @ votes) / length
    p_bound = math.exp(-t * t / 2) if t > 0 else 1.0
    return Agreement(t / energy, p_bound, matched)


def _centred(values: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    centred = values.astype(np.float64, copy=True)
    for place in range(period):
        centred[place::period] -= centred[place::period].mean()
    return centred


@cache
def known_messages() -> tuple[KnownMessage, ...]:
    """Every message of known_messages.toml."""
    text = resources.files(__package__).joinpath("known_messages.toml").read_text(encoding="utf-8")
    return tuple(_message(entry) for entry in tomllib.loads(text)["message"])


def _message(entry: dict[str, str | list[str]]) -> KnownMessage:
    if "text" in entry:
        raw = np.frombuffer(str(entry["text"]).encode("ascii"), dtype=np.uint8)
        bits = np.unpackbits(raw).astype(bool)
    else:
        bits = np.array([bit == "1" for bit in entry["bits"]])
    sizes = tuple(tuple(map(int, size.split("x"))) for size in entry["sizes"])
    return KnownMessage(
        name=str(entry["name"]),
        generator=str(entry["generator"]),
        bits=bits,
        period=BITS_OF_A_BYTE if "text" in entry else 1,
        sizes=tuple((width, height) for width, height in sizes),
    )
