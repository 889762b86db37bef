"""What was measured of each scheme: measured.toml, written by tools/measure_watermarks.py."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def measured() -> dict[str, dict[str, float]]:
    """For each scheme, what was measured of it."""
    text = resources.files(__package__).joinpath("measured.toml").read_text(encoding="utf-8")
    table: dict[str, dict[str, float]] = tomllib.loads(text)["scheme"]
    return table


def read_rate(scheme: str) -> float:
    """Lower bound (95 %, Clopper-Pearson) of the share of marked clips that are read.

    Raises:
        KeyError: the scheme was never measured.
    """
    return float(measured()[scheme]["read_rate_lower"])
