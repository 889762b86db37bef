"""Clips made for a calibration: drawn by the procedural world, and made by the bundled generator.

Both are small, deterministic for their seed, and kept between runs. Neither is ever marked, and none looks
like a finished video by its name: they are measuring material and lie in the calibration's own folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from ...evaluation.conditions import FRAMES, Encode
from ...evaluation.corpus import CGI, GENERATED, Clip
from ...evaluation.encoding import write
from ...generator.world import render, sample_scene
from ...messages import say
from ...system.paths import PRIVATE_FILE, make_private_dir, replace_file

WORLD = "touchstone world"
GENERATOR = "touchstone generator"

SIZES = ((512, 288), (288, 512), (384, 384))
"""Widths and heights, taken in turn: large enough for every examiner, small enough to be drawn in seconds."""

FPS = 24
_QUALITY = Encode(16)
_SEEDS_FROM = 7_000_000
"""Where seeds begin: far from those that the generator's networks were trained on (0 upwards)."""

LEAST_FREE = 256 << 20
"""Bytes that stay free on the disk, whatever is made."""

Make = Callable[[int, int, int, Path], None]
"""Makes one clip: `(seed, width, height, target)`; the target appears whole or not at all."""


class NoRoom(OSError):
    """The disk has too little room. The text names the folder and the remedy."""


def check_room(folder: Path, least: int = LEAST_FREE) -> None:
    """Whether there is room for more.

    Raises:
        NoRoom: there is not.
    """
    free = shutil.disk_usage(folder).free
    if free < least:
        raise NoRoom(say("calibrate.no_room", folder=folder, free=free >> 20, least=least >> 20))


def rendered(folder: Path, count: int, enough: Callable[[], bool] = lambda: False) -> Iterator[Clip]:
    """Clips of scenes of the world, which no camera and no AI made: label `cgi`, all of one source.

    Args:
        folder: where they are kept; those that are there already are not drawn again.
        count: how many.
        enough: once it says so, no more are drawn.

    Raises:
        NoRoom, OSError: there is no room for them, or they cannot be written.
    """
    yield from _made(folder / "world", count, draw, CGI, WORLD, enough)


def generated(
    folder: Path, count: int, make: Make, enough: Callable[[], bool] = lambda: False
) -> Iterator[Clip]:
    """Clips of the bundled generator, unmarked: label `generated`, of one generator; else as `rendered`."""
    yield from _made(folder / "generator", count, make, GENERATED, GENERATOR, enough)


def _made(
    folder: Path, count: int, make: Make, label: str, group: str, enough: Callable[[], bool]
) -> Iterator[Clip]:
    make_private_dir(folder.parent)
    make_private_dir(folder)
    for number in range(count):
        width, height = SIZES[number % len(SIZES)]
        seed = _SEEDS_FROM + number
        path = folder / f"{seed}-{width}x{height}.unmarked-calibration.mp4"
        if not path.is_file():
            if enough():
                return
            check_room(folder)
            make(seed, width, height, path)
        yield Clip(path, f"{group}/{path.name}", label, group, group, group)


def draw(seed: int, width: int, height: int, target: Path) -> None:
    """Write a clip of a scene of the world."""
    pictures = render(sample_scene(seed), width, height, FRAMES, FPS)
    frames = (VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p") for picture in pictures)
    replace_file(target, write(frames, _QUALITY, Fraction(FPS)), PRIVATE_FILE)
