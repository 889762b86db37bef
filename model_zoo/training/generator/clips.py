"""Clips to train on: rendered scenes without end, and crops of the corpus' real clips."""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from touchstone.generator.world import render, sample_scene

Clip = NDArray[np.uint8]
"""`(T, H, W, 3) uint8, RGB`."""


def held_out(group: str) -> bool:
    """Whether a source is kept for measuring: a quarter are, by the hash of its name."""
    return hashlib.sha256(f"generator {group}".encode()).digest()[0] % 4 == 0


def real_clips(corpus: Path, *, training: bool) -> list[Path]:
    """Real and rendered (cgi) clips of the corpus of the training or of the held-out sources."""
    with (corpus / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["label"] in ("real", "cgi")]
    return [corpus / r["file"] for r in rows if held_out(r["group"]) != training]


def crops(path: Path, side: int, frames: int, count: int, draw: random.Random) -> Iterator[Clip]:
    """Crops of a clip, at its own size or down to 0.4 of it, `(frames, side, side, 3)`."""
    pictures: list[av.VideoFrame] = []
    with av.open(str(path), metadata_errors="ignore") as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            pictures.append(frame)
            if len(pictures) == 4 * frames:
                break
    if len(pictures) < frames:
        return
    for _ in range(count):
        start = draw.randrange(len(pictures) - frames + 1)
        least = side / min(pictures[0].width, pictures[0].height)
        scale = max(least, draw.uniform(0.4, 1.0))
        if scale > 1:
            return
        width, height = (max(side, round(n * scale)) for n in (pictures[0].width, pictures[0].height))
        left, top = draw.randrange(width - side + 1), draw.randrange(height - side + 1)
        yield np.stack(
            [
                f.to_ndarray(width=width, height=height, format="rgb24", interpolation="AREA")[
                    top : top + side, left : left + side
                ]
                for f in pictures[start : start + frames]
            ]
        )


def rendered(seed: int, side: int, frames: int) -> Clip:
    """A crop of a rendered scene at a drawn size, rate and second, `(frames, side, side, 3)`."""
    draw = random.Random(seed)  # noqa: S311 - pictures, no secret
    short = draw.choice([side, side, round(1.25 * side), round(1.6 * side), 2 * side])
    wide = round(short * draw.choice([1, 1, 4 / 3, 16 / 9]))
    width, height = (wide, short) if draw.random() < 0.7 else (short, wide)
    left, top = draw.randrange(width - side + 1), draw.randrange(height - side + 1)
    fps, start = draw.choice([8, 16, 16, 24]), draw.uniform(0, 6)
    pictures = render(sample_scene(seed), width, height, frames, fps, start_s=start)
    return np.stack([p[top : top + side, left : left + side] for p in pictures])
