"""What the words in a manifest mean: source types, actions, names of generators. The words are data."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

MAX_TEXT = 300
"""Characters of any text of a manifest that is looked at or shown."""


class Kind(StrEnum):
    """What a manifest says of where a video came from."""

    AI = "ai"
    EDITED = "edited"
    CAMERA = "camera"
    SCREEN = "screen"
    OTHER = "other"
    EMPTY = "empty"


@dataclass(frozen=True)
class SourceType:
    """One digital source type: its name, what it says, whether such a change leaves a recording one."""

    name: str
    kind: Kind
    keeps_camera: bool


@dataclass(frozen=True)
class Generator:
    """A product as people call it; `generates`: it does nothing but generate."""

    name: str
    generates: bool


@cache
def _words() -> dict[str, Any]:
    text = (resources.files(__package__) / "source_types.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _types() -> dict[str, SourceType]:
    return {
        name.casefold(): SourceType(name, Kind(entry["class"]), bool(entry.get("keeps_camera")))
        for name, entry in _words()["types"].items()
    }


@cache
def _prefixes() -> tuple[str, ...]:
    return tuple(_words()["prefixes"]["known"])


@cache
def inception_actions() -> frozenset[str]:
    """Actions by which a manifest says that something came into being or was opened."""
    return frozenset(_words()["actions"]["inception"])


@cache
def non_editorial_actions() -> frozenset[str]:
    """Actions that change nothing that can be seen."""
    return frozenset(_words()["actions"]["non_editorial"])


@cache
def _ai_descriptions() -> frozenset[str]:
    return frozenset(_words()["descriptions"]["ai"])


def source_type(value: object) -> SourceType | None:
    """The source type that a URI, or its last part alone, names; None for anything else."""
    if isinstance(value, dict):  # JSON-LD writes a reference as {"@id": URI}
        value = value.get("@id")
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return None
    name = value.strip()
    for prefix in _prefixes():
        if name.casefold().startswith(prefix):
            name = name[len(prefix) :]
            break
    return _types().get(name.strip("/").casefold())


def says_ai_in_words(description: object) -> bool:
    """Whether an action's description is one of those by which older manifests say that AI made it."""
    if not isinstance(description, str) or len(description) > MAX_TEXT:
        return False
    return description.strip().rstrip(".").casefold() in _ai_descriptions()


@cache
def _generators() -> tuple[tuple[re.Pattern[str], Generator], ...]:
    text = (resources.files(__package__) / "generators.toml").read_text(encoding="utf-8")
    rules = []
    for entry in tomllib.loads(text)["generator"]:
        pieces = "|".join(re.escape(piece) for piece in entry["has"])
        pattern = rf"(?<![a-z])(?:{pieces})(?![a-z])" if entry.get("words") else pieces
        rules.append((re.compile(pattern), Generator(entry["name"], bool(entry.get("generates")))))
    return tuple(rules)


def generator(text: str | None) -> Generator | None:
    """The product that a software agent or claim generator names, where it is a known one."""
    if not text:
        return None
    lowered = text[:MAX_TEXT].casefold()
    return next((product for pattern, product in _generators() if pattern.search(lowered)), None)


def load() -> None:
    """Read all tables now: a confined worker cannot open files later."""
    _types(), _prefixes(), inception_actions(), non_editorial_actions(), _ai_descriptions(), _generators()
