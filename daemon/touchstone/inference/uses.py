"""Which models ran, where and how long, for `Scan.models`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..verdict import ModelUse


class Identified(Protocol):
    """What is known of a model's file."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class ModelFile:
    """A model's file; see Identified."""

    name: str
    version: str
    variant: str
    sha256: str


class Timed(Protocol):
    """A loaded model that counts its time: `sessions.Session`."""

    @property
    def provider(self) -> str: ...

    def take_ms(self) -> float: ...


def use_of(model: Identified, provider: str, ms: float) -> dict[str, ModelUse]:
    """One use, by the model's name."""
    use = ModelUse(
        version=model.version,
        variant=model.variant,
        provider=provider,
        sha256=model.sha256,
        ms=round(ms, 3),
    )
    return {model.name: use}


def taken(sessions: Iterable[tuple[Identified, Timed]]) -> dict[str, ModelUse]:
    """What of `sessions` ran since this was last asked, by the model's name."""
    spent = [(model, session.provider, session.take_ms()) for model, session in sessions]
    return merged(*(use_of(model, provider, ms) for model, provider, ms in spent if ms))


def merged(*uses: Mapping[str, ModelUse]) -> dict[str, ModelUse]:
    """Several counts as one: times of a model add up."""
    found: dict[str, ModelUse] = {}
    for counted in uses:
        for name, use in counted.items():
            before = found.get(name)
            found[name] = use.model_copy(update={"ms": round(before.ms + use.ms, 3)}) if before else use
    return found
