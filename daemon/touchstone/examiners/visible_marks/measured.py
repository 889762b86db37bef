"""What a visible mark is worth: measured.toml, written by tools/measure_visible_marks.py."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal


@cache
def _table() -> Mapping[str, Mapping[str, float]]:
    text = resources.files(__package__).joinpath("measured.toml").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, float]] = tomllib.loads(text)
    return table


def rates() -> Mapping[str, tuple[float, float]]:
    """For a mark in a `clip` and in a `picture`: how often one is read where it is, at least, and where there
    is none, at most."""
    return {of: (row["read_rate_lower"], row["false_rate_upper"]) for of, row in _table().items()}


@cache
def measured() -> Mapping[str, float]:
    """The log10 likelihood ratio of a mark read in a `clip`, and of one read in a single `picture`."""
    return {of: float(row["log10_lr"]) for of, row in _table().items()}


def log10_lr(of: Literal["clip", "picture"]) -> float:
    """The log10 likelihood ratio of a mark that was read in several looks at a clip, or in a single picture.

    It is the lower bound of how often marks are read where they are, over the upper bound of how often any is
    read where there is none, both at 95 % (Clopper-Pearson).
    """
    return measured()[of]
