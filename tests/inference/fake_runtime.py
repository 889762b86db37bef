"""A runtime whose providers are made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from touchstone.inference.providers import Array


@dataclass
class FakeProvider:
    """How a made-up provider behaves.

    Attributes:
        ms: what one run takes on the made-up clock.
        becomes: what the session says it uses; itself by default.
        answer: what it makes of the right answer; nothing by default.
        refuses: why it does not load.
    """

    ms: float = 10.0
    becomes: str | None = None
    answer: Callable[[Array], Array] | None = None
    refuses: str | None = None


@dataclass
class FakeRuntime:
    """See providers.Runtime; time passes only when its providers run."""

    providers: Mapping[str, FakeProvider]
    version: str = "1.0"
    now_s: float = 0.0
    opened: list[tuple[str, int]] = field(default_factory=list)

    def available(self) -> list[str]:
        return list(self.providers)

    def clock(self) -> float:
        return self.now_s

    def open(self, content: bytes, provider: str, threads: int) -> FakeSession:
        self.opened.append((provider, threads))
        behaviour = self.providers[provider]
        if behaviour.refuses:
            raise RuntimeError(behaviour.refuses)
        return FakeSession(self, behaviour, behaviour.becomes or provider)


@dataclass
class FakeSession:
    runtime: FakeRuntime
    behaviour: FakeProvider
    provider: str

    def __call__(self, values: Array) -> Array:
        self.runtime.now_s += self.behaviour.ms / 1000
        right = np.asarray([[values.sum(), -values.sum(), values.max()]], np.float32)
        return self.behaviour.answer(right) if self.behaviour.answer else right
