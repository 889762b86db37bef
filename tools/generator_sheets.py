#!/usr/bin/env python3
"""Makes the pictures of docs/generator.md: clips of the bundled generator, as contact sheets.

usage: python tools/generator_sheets.py [--only prompts shapes minute join] [--steps N]

Every clip is made as `touchstone generate` makes it, seed 1. Nothing is chosen: the first clip of a prompt is
the one that is shown.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from touchstone.generator.making.footage import frames_of, resized
from touchstone.generator.making.request import Wish, make
from touchstone.generator.networks import Frames, Networks

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
PROMPTS = (
    "a red kite over a harbour at dusk",
    "a large yellow balloon rises over a meadow",
    "two small white birds fly left over mountains",
    "a blue boat moves right in a harbour by day",
    "a green cube bounces before a wall",
    "a purple star in a starry sky",
    "a pink heart moves in circles before a desert",
    "three orange balls bounce before tiles",
    "a black bird flies right over a city at dusk",
    "a cyan ring moves down before a wall",
    "a red ball and a blue cube before a meadow",
    "a large green pyramid in a desert at night",
    "a white balloon over a city at night",
    "an orange kite moves up left over mountains at dusk",
    "a yellow boat at night, the camera pans left",
    "a small red heart, the camera zooms in",
    "a purple ball moves quickly right over tiles",
    "a blue star and a yellow star over a harbour",
    "a pink bird over a meadow, handheld camera",
    "a green ring before mountains by day",
)
STORY = (
    "a large red ball moves right before a desert by day",
    "the ball bounces, at dusk",
    "the ball moves left and a blue kite moves up, at night",
    "the kite hangs still in a starry sky",
)
GAP = 4


def clip(wish: Wish, networks: Networks, folder: Path) -> list[Frames]:
    """The pictures of a clip."""
    target = folder / f"{wish.digest}.unmarked"
    make(wish, target, networks, None)
    return list(frames_of(target))


def sheet(rows: Sequence[Sequence[Frames]], name: str) -> None:
    """Write pictures in rows, a gap between them."""
    high = [max(p.shape[0] for p in row) for row in rows]
    wide = max(sum(p.shape[1] + GAP for p in row) for row in rows)
    whole = np.full((sum(h + GAP for h in high), wide, 3), 255, np.uint8)
    top = 0
    for row, height in zip(rows, high, strict=True):
        left = 0
        for picture in row:
            whole[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
            left += picture.shape[1] + GAP
        top += height + GAP
    Image.fromarray(whole).save(PICTURES / f"generator-{name}.webp", quality=82, method=6)


def prompts(networks: Networks, folder: Path, steps: int) -> None:
    """Twenty prompts, the picture after a second of each, five in a row."""
    shown = [clip(Wish((p,), 1, "256x256", 1, steps), networks, folder)[-1] for p in PROMPTS]
    sheet([shown[n : n + 5] for n in range(0, len(shown), 5)], "prompts")


def shapes(networks: Networks, folder: Path, steps: int) -> None:
    """One prompt in four shapes, at 0, 1 and 2 s."""
    rows = []
    for size in ("256x256", "384x216", "216x384", "320x240"):
        made = clip(Wish((PROMPTS[0],), 2, size, 1, steps), networks, folder)
        rows.append([made[0], made[16], made[-1]])
    sheet(rows, "shapes")


def minute(networks: Networks, folder: Path, steps: int) -> None:
    """A story of a minute in twelve pictures."""
    made = clip(Wish(STORY, 60, "256x256", 1, steps), networks, folder)
    shown = [made[round(n * (len(made) - 1) / 11)] for n in range(12)]
    sheet([shown[:6], shown[6:]], "minute")


def join(networks: Networks, folder: Path, steps: int) -> None:
    """Two clips and what lies between them: six pictures of the two seconds, and one on either side."""
    ends = []
    for text, seed in (("a red ball moves right before a meadow", 1), ("a red ball in a meadow at dusk", 2)):
        target = folder / f"end-{seed}.unmarked"
        make(Wish((text,), 2, "256x256", seed, steps), target, networks, None)
        ends.append(target)
    first = sum(1 for _ in frames_of(ends[0]))
    made = clip(Wish((), 2, None, 1, steps, join=tuple(ends)), networks, folder)
    picked = [first - 16, *(first - 1 + round(n * 32 / 6) for n in range(7)), first + 47]
    sheet([[resized(made[min(n, len(made) - 1)], 160, 160) for n in picked]], "join")


SHEETS = {"prompts": prompts, "shapes": shapes, "minute": minute, "join": join}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--only", nargs="+", choices=list(SHEETS), default=list(SHEETS))
    ask.add_argument("--steps", type=int, default=16)
    given = ask.parse_args()
    networks = Networks()
    with tempfile.TemporaryDirectory() as folder:
        for name in given.only:
            SHEETS[name](networks, Path(folder), given.steps)
            print(f"{PICTURES.name}/generator-{name}.webp")


if __name__ == "__main__":
    main()
