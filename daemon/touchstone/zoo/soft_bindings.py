"""Watermarks by the names that C2PA manifests give them: what they are, and which decoder reads them.

A table, not a decision: installed decoders look at every clip whether a manifest names them or not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class SoftBinding:
    """A watermark or fingerprint of the C2PA's list.

    Attributes:
        alg: the name in a manifest.
        title: for people.
        decoder: `open` where the developers publish one, `closed`, or `unknown` for names not in the table.
        home: where an open one is found.
    """

    alg: str
    title: str
    decoder: str
    home: str | None = None


@cache
def table() -> Mapping[str, SoftBinding]:
    """All known names. Reads a file the first time: a confined process has to have done so before."""
    text = (resources.files(__package__) / "soft_bindings.toml").read_text(encoding="utf-8")
    return {
        alg: SoftBinding(alg, entry["title"], entry["decoder"], entry.get("home"))
        for entry in tomllib.loads(text)["binding"]
        for alg in entry["alg"]
    }


def named(algorithms: Sequence[str]) -> list[SoftBinding]:
    """What is known of each name; names that are not in the table are kept as they are."""
    return [table().get(alg) or SoftBinding(alg, alg, "unknown") for alg in algorithms]
