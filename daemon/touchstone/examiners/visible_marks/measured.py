"""What a visible mark is worth: measured.toml, written by tools/measure_visible_marks.py."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal


@cache
def measured() -> Mapping[str, float]:
    """The log10 likelihood ratio of a mark read in a `clip`, and of one read in a single `picture`."""
    text = resources.files(__package__).joinpath("measured.toml").read_text(encoding="utf-8")
    return {of: float(table["log10_lr"]) for of, table in tomllib.loads(text).items()}


def log10_lr(of: Literal["clip", "picture"]) -> float:
    """The log10 likelihood ratio of a mark that was read in several looks at a clip, or in a single picture.

    It is the lower bound of how often marks are read where they are, over the upper bound of how often any is
    read where there is none, both at 95 % (Clopper-Pearson).
    """
    return measured()[of]
