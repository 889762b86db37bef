"""The DWT-DCT reader, held to the reference decoder's bits and to messages embedded here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from examiners.watermarks.carriers import CARRIERS, carrier, embed_dwt_dct
from touchstone.examiners.watermarks import dwt_dct

# Recorded by tools/dwt_dct_golden.py from the reference decoder.
GOLDEN = json.loads(Path(__file__).with_name("dwt_dct_golden.json").read_text(encoding="utf-8"))["bits"]


@pytest.mark.parametrize("length", [32, 48, 136])
@pytest.mark.parametrize("name", CARRIERS)
def test_bits_equal_the_reference_decoders(name: str, length: int) -> None:
    bits = dwt_dct.decode(carrier(name), length)
    assert np.packbits(bits).tobytes().hex() == GOLDEN[name][str(length)]


@pytest.mark.parametrize("name", ["natural 320x576", "natural 577x1023"])
def test_an_embedded_message_is_read_back(name: str) -> None:
    message = np.random.default_rng(9).integers(0, 2, 48).astype(bool)
    marked = embed_dwt_dct(carrier(name), message)
    read = dwt_dct.decode(marked, 48)
    assert (read == message).sum() >= 47
    assert (dwt_dct.decode(carrier(name), 48) == message).sum() < 40


def test_too_small_a_frame_is_refused_by_its_size() -> None:
    with pytest.raises(ValueError, match="200x100"):
        dwt_dct.read_blocks(np.zeros((100, 200, 3), dtype=np.uint8))
