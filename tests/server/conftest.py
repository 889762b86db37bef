"""Fixtures of the daemon's HTTP side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.daemons import PacedScanner, Served, serve_app
from touchstone.system.paths import Paths


@pytest.fixture
def scanner() -> PacedScanner:
    """A scanner that answers at once; `scanner.go.clear()` makes it wait."""
    scanner = PacedScanner()
    scanner.go.set()
    return scanner


@pytest.fixture
def serving(tmp_path: Path, scanner: PacedScanner) -> Callable[..., Any]:
    """`async with serving(settings=...) as served:` for a daemon on this test's folder."""
    return partial(serve_app, tmp_path, scanner=scanner)


@pytest.fixture
async def served(serving: Callable[..., Any]) -> AsyncIterator[Served]:
    """A daemon with the default settings."""
    async with serving() as daemon:
        yield daemon


@pytest.fixture
def read_events() -> Callable[..., Awaitable[list[dict[str, str]]]]:
    """Reads a whole event stream: a list of its events, each a dict of its fields; comments under ``:``."""

    async def read(response: aiohttp.ClientResponse, most: int = 100) -> list[dict[str, str]]:
        events: list[dict[str, str]] = []
        fields: dict[str, str] = {}
        async for line in response.content:
            text = line.decode().rstrip("\n")
            if not text:
                events.append(fields)
                fields = {}
                if len(events) >= most:
                    break
                continue
            name, _, value = text.partition(":")
            fields[name or ":"] = value.removeprefix(" ")
        return events

    return read


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The directories of an installation of this test's own."""
    return Paths.under(tmp_path / "touchstone").create()
