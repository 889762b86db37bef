"""The table of visible marks, rules.toml, as objects."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from ...verdict import Supports
from .matching import matches

Place = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions of the picture."""

Kind = Literal["brand", "label"]
Motion = Literal["static", "jumps"]


@dataclass(frozen=True)
class Rule:
    """One mark; rules.toml says what each field means."""

    id: str
    kind: Kind
    texts: Sequence[str]
    places: Sequence[Place]
    height: tuple[float, float]
    motion: Motion
    frames: int
    single: bool
    source: str
    generator: str | None = None
    supports: Supports = Supports.AI
    before: int = 0
    after: str = ""

    def fits(self, middle: tuple[float, float], height: float) -> bool:
        """Whether a line with its middle there, of such a height, could be this mark."""
        low, high = self.height
        return low <= height <= high and self.place_of(middle) is not None

    def place_of(self, middle: tuple[float, float]) -> int | None:
        """Which of the places a point lies in, by number; None for none."""
        x, y = middle
        for number, (left, top, right, bottom) in enumerate(self.places):
            if left <= x <= right and top <= y <= bottom:
                return number
        return None

    def says(self, text: str) -> bool:
        """Whether a line that OCR read as `text` says what this mark says."""
        return any(matches(text, wanted, before=self.before, after=self.after) for wanted in self.texts)


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of the table.

    Raises:
        ValueError: the table is wrong; the text names the rule.
    """
    text = resources.files(__package__).joinpath("rules.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return tuple(_rule(row, table["places"]) for row in table["rule"])


def _rule(row: Mapping[str, Any], named: Mapping[str, Sequence[float]]) -> Rule:
    values = dict(row)
    try:
        values["places"] = tuple(
            tuple(named[place] if isinstance(place, str) else place) for place in values["places"]
        )
        values["height"] = tuple(values["height"])
        values["supports"] = Supports(values.get("supports", "ai"))
        re.compile(values.get("after", ""))
        rule = Rule(**values)
    except (KeyError, TypeError, ValueError, re.error) as problem:
        raise ValueError(f"rules.toml, rule {row.get('id')!r}: {problem}") from problem
    for left, top, right, bottom in rule.places:
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise ValueError(f"rules.toml, rule {rule.id!r}: a place is not left, top, right, bottom in 0..1")
    return rule
