"""Clips with words in them, drawn by code: looks as the examiner sees them.

Fonts are the system's: tools/setup/fonts.sh installs them, and a test whose font is missing is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from touchstone.examiners.visible_marks.looks import Look

WIDTH, HEIGHT = 960, 540
LOOKS = 8
SECONDS = 10.0

_LATIN = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans-Bold.ttf",
    "/System/Library/Fonts/Supplemental/Arial Bold.ttf",
)
_CHINESE = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/STHeiti Medium.ttc",
)


@dataclass(frozen=True)
class Word:
    """Text in a picture.

    Attributes:
        text: what it says.
        at: its middle, as fractions of the picture.
        height: of its capitals, as a fraction of the shorter side.
        looks: the looks that show it.
        opacity: of its white, 0 to 1.
    """

    text: str
    at: tuple[float, float]
    height: float = 0.05
    looks: Sequence[int] = tuple(range(LOOKS))
    opacity: float = 0.85


def draw(
    *words: Word,
    count: int = LOOKS,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    moves: bool = True,
    seconds: float = SECONDS,
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
) -> list[Look]:
    """Looks at a clip with `words` over a scene that moves, unless it is a `moves=False` one.

    Args:
        change: what happens to every picture afterwards.
    """
    looks = []
    for number in range(count):
        picture = _scene(number if moves else 0, size)
        for word in words:
            if number in word.looks:
                picture = with_word(picture, word)
        if change is not None:
            picture = np.ascontiguousarray(change(picture))
        looks.append(Look(picture, number * seconds / count))
    return looks


def _scene(number: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Soft blobs that drift: a picture without letters, at `number` steps into the clip."""
    width, height = size
    rng = np.random.default_rng(5)
    coarse = rng.integers(20, 150, (12, 40)).astype(np.uint8)
    wide = Image.fromarray(coarse).resize((width * 2, height), Image.Resampling.BICUBIC)
    left = number * width // 9
    return np.asarray(wide)[:, left : left + width]


def with_word(picture: NDArray[np.uint8], word: Word) -> NDArray[np.uint8]:
    height, width = picture.shape
    pixels = word.height * min(height, width)
    font = font_for(word.text, round(pixels / 0.72))  # capitals are 0.72 of a font's size
    layer = Image.new("L", (width, height), 0)
    ImageDraw.Draw(layer).text(
        (word.at[0] * width, word.at[1] * height), word.text, fill=255, font=font, anchor="mm"
    )
    alpha = np.asarray(layer) / 255 * word.opacity
    return np.asarray(picture * (1 - alpha) + 250 * alpha, np.uint8)


@cache
def font_for(text: str, size: int) -> ImageFont.FreeTypeFont:
    """A font of the system with the letters of `text`; skips the test where there is none."""
    paths = _CHINESE if any("\u4e00" <= letter <= "\u9fff" for letter in text) else _LATIN
    found = next((path for path in paths if Path(path).is_file()), None)
    if found is None:
        pytest.skip(f"no font for {text!r} on this system; tools/setup/fonts.sh installs one")
    return ImageFont.truetype(found, size)
