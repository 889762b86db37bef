"""Clips that the bundled generator makes for a calibration: unmarked, short, of scenes of the world."""

from __future__ import annotations

from pathlib import Path

from ...generator.language import captions
from ...generator.making.request import Wish, make
from ...generator.networks import Networks
from ...generator.world import sample_scene
from .made import Make

SECONDS = 1.5
"""As long as what is encoded again: 24 frames at 16 a second."""


def maker(models: Path | None = None) -> Make:
    """What makes one clip; see made.Make.

    Args:
        models: folder with zoo.toml; that of this installation by default.

    Raises:
        NoAnswer: networks of the generator are missing.
    """
    networks = Networks(models)
    networks.version  # noqa: B018 - finds out whether all are there, before an hour of other work

    def make_one(seed: int, width: int, height: int, target: Path) -> None:
        prompt = captions(sample_scene(seed), aspect=width / height).dense
        wish = Wish((prompt,), SECONDS, f"{width}x{height}", seed)
        make(wish, target.absolute(), networks, marks=None)

    return make_one
