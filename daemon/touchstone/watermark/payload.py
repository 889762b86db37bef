"""The message: 32 bits of the user's own, what it states, a check that only the key's owner can make, a code.

52 bits (4 of statement, which is also the version of the layout, 32 of payload, 16 of check) go through the
convolutional code of rate 1/2 and constraint length 9 with generators 561 and 753 (octal; free distance 12:
Proakis, Digital Communications, table 8.3-1), ended by 8 zeros: 120 raw bits. Reading is maximum-likelihood
over soft values, so a raw bit that is barely there counts for little instead of being an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .key import Key

STATEMENT_BITS, PAYLOAD_BITS, CHECK_BITS = 4, 32, 16
PAYLOAD_DIGITS = PAYLOAD_BITS // 4
MESSAGE_BITS = STATEMENT_BITS + PAYLOAD_BITS + CHECK_BITS

MESSAGES = 2.0 ** (STATEMENT_BITS + PAYLOAD_BITS)
"""How many messages have a right check."""

_MEMORY = 8
_GENERATORS = (0o561, 0o753)
_STATES = 1 << _MEMORY
_STEPS = MESSAGE_BITS + _MEMORY
RAW_BITS = _STEPS * len(_GENERATORS)

_PAYLOAD = re.compile(rf"[0-9a-f]{{{PAYLOAD_DIGITS}}}")


class BadPayload(ValueError):
    """What was given is no payload. The text says what one looks like."""


class Statement(IntEnum):
    """What a mark says of its clip, beyond its payload. Other values are of newer layouts and not read."""

    MARKED = 1
    AI_GENERATED = 2


@dataclass(frozen=True)
class Message:
    """What was read. `payload`: eight hex digits, lower case."""

    payload: str
    statement: Statement


def parse(text: str) -> int:
    """A payload from eight hex digits.

    Raises:
        BadPayload: it is anything else.
    """
    if not _PAYLOAD.fullmatch(text.lower()):
        raise BadPayload(f"{text!r} is no payload: give {PAYLOAD_DIGITS} hex digits, such as 00c0ffee")
    return int(text, 16)


def encode(payload: int, key: Key, statement: Statement = Statement.MARKED) -> NDArray[np.int8]:
    """The raw bits of a payload, `(RAW_BITS,) int8`, as signs: 1 for 0 and -1 for 1."""
    head = statement << PAYLOAD_BITS | payload
    word = head << CHECK_BITS | _check(head, key)
    bits = [word >> place & 1 for place in reversed(range(MESSAGE_BITS))] + [0] * _MEMORY
    state, coded = 0, []
    for bit in bits:
        register = bit << _MEMORY | state
        coded += [(register & generator).bit_count() & 1 for generator in _GENERATORS]
        state = register >> 1
    return np.array([1 - 2 * bit for bit in coded], dtype=np.int8)


def decode(soft: NDArray[np.float64], key: Key) -> Message | None:
    """The message that explains soft values best, or None where its check fails.

    Args:
        soft: `(RAW_BITS,)`, positive for 0; the larger, the surer. Of any common scale.
    """
    word = _viterbi(soft)
    head, check = word >> CHECK_BITS, word & ((1 << CHECK_BITS) - 1)
    if check != _check(head, key):
        return None
    if head >> PAYLOAD_BITS not in list(Statement):
        return None
    payload = head & ((1 << PAYLOAD_BITS) - 1)
    return Message(f"{payload:0{PAYLOAD_DIGITS}x}", Statement(head >> PAYLOAD_BITS))


def _check(head: int, key: Key) -> int:
    first, second = key.stream(f"check {head:x}", 2)
    return int(first) << 8 | int(second)


@cache
def _trellis() -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """For each state its two predecessors, `(S, 2)`, and the signs sent on the way, `(S, 2, 2)`."""
    before = np.empty((_STATES, 2), dtype=np.intp)
    signs = np.empty((_STATES, 2, 2), dtype=np.float64)
    for state in range(_STATES):
        bit = state >> (_MEMORY - 1)  # the bit that was read in to get here
        for choice in range(2):
            previous = (state << 1 & (_STATES - 1)) | choice
            register = bit << _MEMORY | previous
            before[state, choice] = previous
            signs[state, choice] = [1 - 2 * ((register & g).bit_count() & 1) for g in _GENERATORS]
    return before, signs


def _viterbi(soft: NDArray[np.float64]) -> int:
    before, signs = _trellis()
    values = soft.reshape(_STEPS, len(_GENERATORS))
    gained = np.ascontiguousarray(np.moveaxis(signs @ values.T, -1, 0))  # (steps, states, choices)
    score = np.full(_STATES, -np.inf)
    score[0] = 0.0
    choices = np.empty((_STEPS, _STATES), dtype=np.bool_)
    for step in range(_STEPS):
        reached = score[before]
        reached += gained[step]
        first, second = reached[:, 0], reached[:, 1]
        np.greater(second, first, out=choices[step])
        score = np.maximum(first, second)
    state, word = 0, 0
    for step in reversed(range(_STEPS)):
        if step < MESSAGE_BITS:
            word |= (state >> (_MEMORY - 1)) << (MESSAGE_BITS - 1 - step)
        state = int(before[state, int(choices[step, state])])
    return word
