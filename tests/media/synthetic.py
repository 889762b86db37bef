"""Small clips made by code: every frame is different and knows its number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Recipe:
    """How to make one clip.

    Attributes:
        suffix: decides the muxer unless `muxer` names it.
        codec, pixels, options: of the encoder.
        frames, rate, gop: how many, how fast, and frames from keyframe to keyframe.
        ticks: display times in 1/90000 s, for clips of variable frame rate; None for a steady rate.
    """

    suffix: str
    codec: str
    pixels: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)
    frames: int = 60
    rate: int = 30
    gop: int = 10
    width: int = 64
    height: int = 48
    ticks: Sequence[int] | None = None
    muxer: str | None = None
    mux_options: Mapping[str, str] = field(default_factory=dict)


X264 = {
    "preset": "superfast",
    "crf": "18",
    "bf": "2",
    "b_strategy": "0",
    "sc_threshold": "0",
    "threads": "1",
}


def number_picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """`(H, W, 3) uint8`: a moving ramp with texture, different for every number."""
    rng = np.random.default_rng(7)
    texture = rng.integers(0, 60, (height, width, 3), dtype=np.int32)
    across = (np.arange(width) * 3 + number * 7) % 190
    return np.clip(texture + across[None, :, None], 0, 255).astype(np.uint8)


def make(recipe: Recipe, path: Path) -> Path:
    """Encode a clip to `path`."""
    with av.open(str(path), "w", format=recipe.muxer, options=dict(recipe.mux_options)) as container:
        stream = container.add_stream(recipe.codec, rate=recipe.rate)
        stream.width, stream.height, stream.pix_fmt = recipe.width, recipe.height, recipe.pixels
        stream.gop_size = recipe.gop
        defaults = X264 if recipe.codec == "libx264" else {}
        stream.options = {**defaults, "g": str(recipe.gop), **recipe.options}
        base = Fraction(1, 90_000) if recipe.ticks else Fraction(1, recipe.rate)
        stream.codec_context.time_base = base
        for number in range(recipe.frames):
            rgb = number_picture(number, recipe.width, recipe.height)
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=recipe.pixels)
            frame.pts, frame.time_base = (recipe.ticks[number] if recipe.ticks else number), base
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def turn(mp4: bytes, degrees: int) -> bytes:
    """The MP4 with a display matrix that turns it clockwise (ISO/IEC 14496-12, clause 8.3.2)."""
    one = 0x10000
    a, b, c, d = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}[degrees]
    matrix = b"".join(v.to_bytes(4, "big", signed=True) for v in (a, b, 0, c, d, 0, 0, 0, 1 << 30))
    at = mp4.index(b"tkhd") + 4 + 40
    return mp4[:at] + matrix + mp4[at + 36 :]


def start_later(mp4: bytes, ticks: int) -> bytes:
    """The MP4 with the start of its only edit moved on by `ticks` of the media's clock."""
    at = mp4.index(b"elst") + 4 + 8 + 4
    start = int.from_bytes(mp4[at : at + 4], "big") + ticks
    return mp4[:at] + start.to_bytes(4, "big") + mp4[at + 4 :]
