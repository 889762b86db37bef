"""A runtime whose providers are made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass
class FakeProvider:
    """How a made-up provider behaves.

    Attributes:
        ms: what one run takes on the made-up clock.
        becomes: what the session says it uses; itself by default.
        answer: what it makes of the right answer; nothing by default.
        refuses: why it does not load.
        placed: how many operators each provider has; not told by default.
        complains: what it leaves on the standard error.
        kills: what it raises instead of loading, as a crash would.
    """

    ms: float = 10.0
    becomes: str | None = None
    answer: Callable[[Array], Array] | None = None
    refuses: str | None = None
    placed: Mapping[str, int] | None = None
    complains: str = ""
    kills: type[BaseException] | None = None


@dataclass
class FakeRuntime:
    """See providers.Runtime; time passes only when its providers run."""

    providers: Mapping[str, FakeProvider]
    version: str = "1.0"
    now_s: float = 0.0
    opened: list[tuple[str, int]] = field(default_factory=list)
    complained: str = ""

    def available(self) -> list[str]:
        return list(self.providers)

    def clock(self) -> float:
        return self.now_s

    def open(self, content: bytes, provider: str, threads: int) -> FakeSession:
        self.opened.append((provider, threads))
        behaviour = self.providers[provider]
        self.complained = behaviour.complains
        if behaviour.kills:
            raise behaviour.kills
        if behaviour.refuses:
            raise RuntimeError(behaviour.refuses)
        return FakeSession(self, behaviour, behaviour.becomes or provider, content)

    def complaints(self) -> str:
        return self.complained


@dataclass
class FakeSession:
    """A model whose bytes say what one row of it costs: `fp32`, or `2x` for twice as fast."""

    runtime: FakeRuntime
    behaviour: FakeProvider
    provider: str
    content: bytes

    @property
    def placed(self) -> Mapping[str, int] | None:
        return self.behaviour.placed

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]:
        speed = int(self.content[:-1]) if self.content[-1:] == b"x" else 1
        self.runtime.now_s += self.behaviour.ms * len(values) / speed / 1000
        rows = values.reshape(len(values), -1)
        right = np.stack([rows.sum(1), -rows.sum(1), rows.max(1)], axis=1).astype(np.float32)
        return self.behaviour.answer(right) if self.behaviour.answer else right
