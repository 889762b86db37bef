"""`serve`, `settings` and `history` as a person runs them."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server.daemons import TOKEN, PacedScanner, running
from touchstone.cli import main
from touchstone.server.client import DaemonClient
from touchstone.system import daemon_process
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.wire import UrlSource


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """The directories of an installation of this test's own."""
    return Paths.under(tmp_path / "touchstone").create()


@pytest.fixture
def command(paths: Paths, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process: exit code, stdout, stderr."""

    def run(*arguments: str, **environ: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        env = Environment(
            paths=paths, home=tmp_path, platform=sys.platform, environ=environ, stdout=out, stderr=err
        )
        return main(list(arguments), env), out.getvalue(), err.getvalue()

    return run


def test_a_bad_setting_stops_the_daemon_before_it_starts(command: Any) -> None:
    code, _, err = command("serve", TOUCHSTONE_PRIOR="2")
    assert code == 2
    assert "TOUCHSTONE_PRIOR" in err and "'2'" in err


def test_a_broken_store_is_named(command: Any, paths: Paths) -> None:
    (paths.data_dir / "touchstone.sqlite3").write_bytes(b"garbage" * 1000)
    for arguments in (["serve"], ["history"], ["settings"]):
        code, _, err = command(*arguments)
        assert code == 1
        assert str(paths.data_dir) in err


def test_settings_are_shown_changed_and_reset(command: Any) -> None:
    assert "port = 8917" in command("settings")[1]
    assert command("settings", "port", "9000")[:2] == (0, "port = 9000\n")
    assert json.loads(command("settings", "port", "--json")[1]) == {"port": 9000}
    assert command("settings", "port", "--reset")[:2] == (0, "port = 8917\n")
    for arguments in (["prot"], ["port", "80"], ["--reset"]):
        code, out, err = command("settings", *arguments)
        assert (code, out) == (2, "") and err


def test_history_is_shown_and_forgotten(command: Any, paths: Paths) -> None:
    assert "nothing" in command("history")[1]

    async def fill() -> None:
        scanner = PacedScanner()
        scanner.go.set()
        async with running(paths, scanner):
            client = DaemonClient(partial(daemon_process.find, paths), TOKEN)
            async with client:
                for name in "abc":
                    await client.scan(UrlSource(url=f"https://video.example/{name}.mp4"))

    asyncio.run(fill())
    code, out, _ = command("history", "--limit", "2")
    assert code == 0
    assert "c.mp4" in out and "b.mp4" in out and "a.mp4" not in out
    page = json.loads(command("history", "--json", "--text", "a.mp4")[1])
    (scan,) = page["scans"]
    assert scan["scan"]["schema"] == "touchstone.scan/1"
    assert command("history", "--forget", scan["id"])[0] == 0
    assert command("history", "--forget", scan["id"])[0] == 2
    assert "a.mp4" not in command("history")[1]
    command("history", "--clear")
    assert json.loads(command("history", "--json")[1]) == {"scans": [], "before": None}
