"""Every sentence a person reads, kept apart from the code that decides to say it.

Messages live in `<language>/*.toml`: one file for each part of the program, nested tables for the
rest of the key. `say("verdict.headline.signed_ai", signer="OpenAI")` looks the message up and fills
its named places. English is complete; another language may leave keys out and falls back to English.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

FALLBACK = "en"


class UnknownMessage(KeyError):
    """A message key that no message file has: a mistake in the code, found by the tests."""


def catalogue(language: str = FALLBACK) -> dict[str, str]:
    """All messages of one language, `{"part.key.key": text}`; empty for a language that is not there.

    Whoever has called this reads no file for a message any more.
    """
    folder = resources.files(__package__) / language
    if not folder.is_dir():
        return {}
    parts = [file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")]
    return {key: text for part in parts for key, text in _part(language, part).items()}


@cache
def _part(language: str, name: str) -> dict[str, str]:
    """The messages of one file: a command needs a few of thirty, and all take a tenth of its start."""
    file = resources.files(__package__) / language / f"{name}.toml"
    messages: dict[str, str] = {}
    if file.is_file():
        _flatten(name, tomllib.loads(file.read_text(encoding="utf-8")), messages)
    return messages


def _flatten(prefix: str, tree: dict[str, Any], into: dict[str, str]) -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            _flatten(f"{prefix}.{key}", value, into)
        else:
            into[f"{prefix}.{key}"] = str(value)


def say(key: str, /, language: str = FALLBACK, **names: object) -> str:
    """The message for `key` with its named places filled.

    Raises:
        UnknownMessage: no message file has the key.
        KeyError: the message has a place that `names` does not fill.
    """
    part = key.partition(".")[0]
    text = _part(language, part).get(key) or _part(FALLBACK, part).get(key)
    if text is None:
        raise UnknownMessage(key)
    return text.format(**names)
