#!/usr/bin/env python3
"""Draws the contact sheet of the generator's world for docs/generator-world.md, as one WebP.

usage: python tools/world_sheet.py [--out docs/pictures/generator-world.webp]

Above: every background by day, at dusk and by night. Then every shape, each in a colour of its own; a scene
in nine moments, half a second apart; and one scene in a wide, a square and a tall picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from touchstone.generator.language import Request, parse, stage
from touchstone.generator.world import (
    Background,
    Camera,
    Colour,
    Light,
    Motion,
    Scene,
    Shape,
    Size,
    Thing,
    render,
)

ROOT = Path(__file__).resolve().parent.parent
SIDE = 112
GAP = 4

Picture = NDArray[np.uint8]


def row(pictures: list[Picture]) -> Picture:
    """Pictures of one height beside each other."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis=1)


def still(scene: Scene, second: float, width: int = SIDE, height: int = SIDE) -> Picture:
    """A scene at a second."""
    return next(iter(render(scene, width, height, 1, 16, start_s=second)))


def backgrounds() -> list[Picture]:
    """A row for each time of day."""
    rows = []
    for light in Light:
        pictures = []
        for number, background in enumerate(Background):
            when = Light.NIGHT if background is Background.STARS else light
            asked = Request((), background, when, Camera.STILL)
            pictures.append(still(stage(asked, 40 + 7 * number + list(Light).index(light)), 0.4))
        rows.append(row(pictures))
    return rows


def shapes() -> Picture:
    """Every shape, in the colour that comes at its place."""
    things = zip(Shape, Colour, strict=True)
    pictures = [
        still(
            Scene(
                (Thing(shape, colour, Size.LARGE, Motion.STILL, 0, 0),),
                Background.WALL,
                Light.DAY,
                Camera.STILL,
                1,
            ),
            0,
            100,
            100,
        )
        for shape, colour in things
    ]
    return row(pictures)


def moments() -> Picture:
    """A scene of two things and a camera that pans, half a second apart."""
    asked = parse(
        "a large red kite moves right and a small white boat moves left, a harbour at dusk, pan right"
    )[0]
    scene = stage(asked, 8)
    return row([still(scene, 0.5 * n) for n in range(9)])


def shaped() -> Picture:
    """One scene in a wide, a square and a tall picture."""
    scene = stage(parse("two blue birds fly up left over mountains by day, camera still")[0], 3)
    return row(
        [still(scene, 0.3, 2 * SIDE, SIDE), still(scene, 0.3), still(scene, 0.3, SIDE * 9 // 16, SIDE)]
    )


def sheet() -> Picture:
    """All parts under each other, on white."""
    parts = [*backgrounds(), shapes(), moments(), shaped()]
    width = max(part.shape[1] for part in parts)
    lines = []
    for part in parts:
        line = np.full((part.shape[0] + GAP, width, 3), 255, np.uint8)
        line[: part.shape[0], : part.shape[1]] = part
        lines.append(line)
    whole = np.concatenate(lines)
    even = tuple(n - n % 2 for n in whole.shape[:2])
    return whole[: even[0], : even[1]]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--out", type=Path, default=ROOT / "docs" / "pictures" / "generator-world.webp")
    out = ask.parse_args().out
    out.parent.mkdir(parents=True, exist_ok=True)
    picture = sheet()
    Image.fromarray(picture).save(out, quality=88, method=6)
    print(f"{out}: {picture.shape[1]}x{picture.shape[0]}, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
