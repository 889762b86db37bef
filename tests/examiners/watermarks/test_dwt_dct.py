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


# On smooth pictures the scheme itself is half blind: moving a block's largest coefficient down makes
# another one the largest. marks.md part e measured the same with the reference embedder.
@pytest.mark.parametrize(
    ("name", "at_least"), [("noise 256x256", 48), ("noise 263x519", 48), ("natural 320x576", 40)]
)
def test_an_embedded_message_is_read_back(name: str, at_least: int) -> None:
    message = np.random.default_rng(9).integers(0, 2, 48).astype(bool)
    marked = embed_dwt_dct(carrier(name), message)
    read = dwt_dct.decode(marked, 48)
    assert (read == message).sum() >= at_least
    assert (dwt_dct.decode(carrier(name), 48) == message).sum() < at_least


def test_too_small_a_frame_is_refused_by_its_size() -> None:
    with pytest.raises(ValueError, match="200x100"):
        dwt_dct.read_blocks(np.zeros((100, 200, 3), dtype=np.uint8))
