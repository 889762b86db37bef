"""Every attack gives a clip that can be looked at, and changes the one it was given."""

from __future__ import annotations

import av
import numpy as np
import pytest

from watermark.pictures import textured
from watermark_attacks import ATTACKS, Attack, Clip

NEEDED = ("libx264", "libx265", "libvpx-vp9", "libsvtav1")


@pytest.fixture(scope="module")
def clip() -> Clip:
    grey = np.full((72, 96), 128, np.uint8)
    return [[luma, grey, grey] for luma in textured(192, 144, 6)]


@pytest.mark.skipif(
    any(codec not in av.codecs_available for codec in NEEDED), reason="this build of FFmpeg lacks an encoder"
)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_what_comes_out_is_a_clip(attack: Attack, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVT_LOG", "1")  # errors only
    out = attack(clip)
    assert out
    for luma, blue, red in out:
        height, width = luma.shape
        assert blue.shape == red.shape == (height // 2, width // 2)
    same = len(out) == len(clip) and all(np.array_equal(a[0], b[0]) for a, b in zip(out, clip, strict=True))
    assert same == (attack.name == "no attack")
