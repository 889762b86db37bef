"""What is done to a clip before a model sees it. The same for both classes, drawn from one table.

A condition names a size, a codec and a quality. Every clip is scaled down to at most 0.8 of its own size, so
that no class is ever at a scale that the other is not, and gets the same number of frames at the same rate.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from .corpus import Clip

SHRINK = 0.8
"""Largest scale: what was never resampled looks different from what was (research: size is a shortcut)."""
DRAWS = 64
"""Different random draws; each is given to equally many clips of every label."""


@dataclass(frozen=True)
class Encoding:
    """One pass through an encoder. `options` are FFmpeg's, `gop` the frames from keyframe to keyframe."""

    codec: str = "libx264"
    crf: int = 23
    preset: str = "medium"
    gop: int = 250
    b_frames: int = 3


@dataclass(frozen=True)
class Treatment:
    """All that happens to a clip.

    Attributes:
        short_side: pixels of the shorter side at most.
        shrink: largest scale, applied before `short_side`.
        kernel: of the scaling, in FFmpeg's words.
        degrade: what a phone, an editor or a platform may have done before; see `degrade.py`. None: nothing.
        first: an encoding before the last one, for double compression.
        last: the encoding whose pictures are looked at.
    """

    short_side: int
    last: Encoding
    shrink: float = SHRINK
    kernel: str = "BICUBIC"
    degrade: str | None = None
    first: Encoding | None = None
    canvas: bool = False


CANVASES = (128, 160, 192, 240, 288, 360, 480, 576, 720)
"""Sides of the squares that evaluated clips are cut to, so that sizes are few and pairs are found."""

EVALUATED = {
    "720p_crf20": Treatment(720, Encoding(crf=20), canvas=True),
    "360p_crf28": Treatment(360, Encoding(crf=28), canvas=True),
    "360p_crf33": Treatment(360, Encoding(crf=33), canvas=True),
    "360p_vp9": Treatment(360, Encoding("libvpx-vp9", crf=36), canvas=True),
}
"""Conditions that the table reports."""

WHOLE = ("720p_crf20", "360p_crf28")
"""Conditions of which every patch is measured; of the others every second, which took half of the time."""

DEGRADATIONS = ("blur", "rescale", "denoise", "noise", "sharpen", "compress")
DEGRADED = {
    f"degraded_{name}": Treatment(360, Encoding(crf=26), degrade=name, canvas=True)
    for name in ("blur", "rescale", "denoise", "compress")
}
"""Conditions for false alarms on recordings that a phone or an editor has smoothed."""

RANDOM = tuple(f"random_{number}" for number in range(2))
"""Conditions drawn for training; never reported."""


def treatment(condition: str, draw: int) -> Treatment:
    """What `condition` does to a clip that was dealt `draw`.

    Raises:
        KeyError: there is no such condition.
    """
    if condition in EVALUATED:
        return EVALUATED[condition]
    if condition in DEGRADED:
        return DEGRADED[condition]
    if condition not in RANDOM:
        raise KeyError(f"no condition {condition!r}; there are {', '.join((*EVALUATED, *DEGRADED, *RANDOM))}")
    return _drawn(random.Random(f"{condition}/{draw}"))  # noqa: S311 - a seed for data, no secret


def _drawn(chance: random.Random) -> Treatment:
    return Treatment(
        short_side=chance.choice((288, 360, 360, 432, 512, 576)),
        shrink=chance.uniform(0.55, SHRINK),
        kernel=chance.choice(("BICUBIC", "BILINEAR", "LANCZOS", "AREA")),
        degrade=chance.choice(DEGRADATIONS) if chance.random() < 0.35 else None,
        first=_encoding(chance) if chance.random() < 0.2 else None,
        last=_encoding(chance),
    )


def _encoding(chance: random.Random) -> Encoding:
    codec = chance.choice(("libx264",) * 5 + ("libx265", "libvpx-vp9", "libsvtav1"))
    # About the same quality in all of them: the usual scales of the encoders differ by these offsets.
    offset = {"libx264": 0, "libx265": 2, "libvpx-vp9": 8, "libsvtav1": 10}[codec]
    return Encoding(
        codec,
        chance.randint(18, 33) + offset,
        chance.choice(("veryfast", "fast", "medium")),
        chance.choice((4, 12, 250)),
        chance.choice((0, 2, 3)),
    )


def deal(clips: Sequence[Clip]) -> dict[str, int]:
    """The draw of each clip, by its name: equally many of each label get each draw, in order of a hash."""
    dealt: dict[str, int] = {}
    for label in sorted({clip.label for clip in clips}):
        members = sorted(
            (clip for clip in clips if clip.label == label),
            key=lambda clip: hashlib.sha256(f"draw/{clip.sha256}".encode()).hexdigest(),
        )
        for number, clip in enumerate(members):
            dealt[clip.name] = number % DRAWS
    return dealt
