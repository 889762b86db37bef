"""A runtime whose providers are made up, as a fixture."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inference.fake_runtime import FakeProvider, FakeRuntime

MakeRuntime = Callable[..., FakeRuntime]


@pytest.fixture
def runtime_with() -> MakeRuntime:
    """Makes a runtime from providers by short name: `runtime_with(CPU=FakeProvider(), CUDA=...)`."""

    def make(**providers: FakeProvider) -> FakeRuntime:
        return FakeRuntime({f"{name}ExecutionProvider": provider for name, provider in providers.items()})

    return make
