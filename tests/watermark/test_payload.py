"""The message and its code."""

from __future__ import annotations

import numpy as np
import pytest

from touchstone.watermark.key import WELL_KNOWN, BadKey, Key
from touchstone.watermark.payload import (
    MESSAGE_BITS,
    RAW_BITS,
    BadPayload,
    Statement,
    _viterbi,
    decode,
    encode,
    parse,
)

OTHER = Key("other", bytes(range(32)))


@pytest.mark.parametrize("payload", [0, 1, 0x00C0FFEE, 0xFFFFFFFF])
@pytest.mark.parametrize("statement", list(Statement))
def test_what_is_encoded_is_decoded(payload: int, statement: Statement) -> None:
    message = decode(encode(payload, WELL_KNOWN, statement).astype(float), WELL_KNOWN)
    assert message is not None
    assert (message.payload, message.statement) == (f"{payload:08x}", statement)


def test_twelve_wrong_bits_of_120_are_corrected() -> None:
    soft = encode(7, WELL_KNOWN).astype(float)
    soft[5::10] *= -1
    message = decode(soft, WELL_KNOWN)
    assert message is not None and message.payload == "00000007"


def likeliest(soft: list[float]) -> int:
    """The word whose code agrees best with soft values; of two as good, the first that is come upon."""
    best: dict[int, tuple[float, int]] = {0: (0.0, 0)}  # by the last 8 bits: how well, and the word
    for step in range(RAW_BITS // 2):
        reached: dict[int, tuple[float, int]] = {}
        for state in range(256):
            for before in (state << 1 & 255, state << 1 & 255 | 1):
                if before not in best:
                    continue
                register = (state >> 7) << 8 | before
                signs = [1 - 2 * ((register & g).bit_count() % 2) for g in (0o561, 0o753)]
                score, word = best[before]
                score += signs[0] * soft[2 * step] + signs[1] * soft[2 * step + 1]
                if state not in reached or score > reached[state][0]:
                    reached[state] = score, word << 1 | state >> 7
        best = reached
    return best[0][1] >> (RAW_BITS // 2 - MESSAGE_BITS)


def test_noise_is_read_as_what_agrees_best_with_it() -> None:
    draw = np.random.default_rng(2)
    noises = [draw.normal(size=RAW_BITS) for _ in range(3)]
    ties = [np.rint(draw.normal(size=RAW_BITS)), np.zeros(RAW_BITS)]
    for soft in (*noises, *ties, np.full(RAW_BITS, -1.0)):
        assert _viterbi(soft) == likeliest(soft.tolist())


def test_another_key_makes_nothing_of_it() -> None:
    assert decode(encode(7, WELL_KNOWN).astype(float), OTHER) is None


def test_noise_is_no_message() -> None:
    draw = np.random.default_rng(1)
    assert all(decode(draw.normal(size=RAW_BITS), WELL_KNOWN) is None for _ in range(40))


@pytest.mark.parametrize("text", ["", "1", "00c0ffee00", "00c0ffeg", "0x00c0ff"])
def test_a_payload_is_eight_hex_digits(text: str) -> None:
    with pytest.raises(BadPayload, match="8 hex digits"):
        parse(text)


@pytest.mark.parametrize("text", ["", "00", "z" * 64])
def test_a_key_is_64_hex_digits_and_is_never_printed(text: str) -> None:
    with pytest.raises(BadKey, match="64 hex digits"):
        Key.from_hex("own", text)
    assert OTHER.hex not in repr(OTHER)
