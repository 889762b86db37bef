"""Starting the daemon at login: what is written, and where it is left alone."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from touchstone.system.autostart import RUN_KEY, RUN_VALUE, Autostart, run_command
from touchstone.system.paths import Paths

from .fake_registry import FakeRegistry

COMMAND = ("/opt/it's 100% $here/python", "-P", "-m", "touchstone")


class Programs:
    """The system's own programs: notes what is run and answers with one exit code."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.ran: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> int:
        self.ran.append(tuple(command))
        return self.code


def autostart(
    tmp_path: Path,
    platform: str = "linux",
    programs: Programs | None = None,
    environ: Mapping[str, str] | None = None,
    registry: FakeRegistry | None = None,
) -> Autostart:
    return Autostart(
        platform=platform,
        home=tmp_path / "home",
        paths=Paths.under(tmp_path / "touch stone"),
        command=COMMAND,
        environ=environ or {},
        registry=registry,
        run=programs or Programs(),
        root=tmp_path / "root",
    )


@pytest.fixture
def systemd(tmp_path: Path) -> Path:
    folder = tmp_path / "root" / "run" / "systemd" / "system"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.usefixtures("systemd")
def test_systemd_gets_a_user_unit_and_loses_it_again(tmp_path: Path) -> None:
    programs = Programs()
    start = autostart(tmp_path, programs=programs)
    outcome = start.enable()
    unit = tmp_path / "home/.config/systemd/user/touchstone.service"
    assert (outcome.done, outcome.detail) == (True, str(unit))
    assert programs.ran[-1] == ("systemctl", "--user", "enable", "touchstone.service")
    text = unit.read_text()
    assert '"/opt/it\'s 100%% $$here/python" "-P" "-m" "touchstone" "serve"' in text
    assert f'Environment="TOUCHSTONE_HOME={tmp_path / "touch stone"}"' in text
    assert start.disable().done
    assert not unit.exists()
    assert not start.disable().done


@pytest.mark.usefixtures("systemd")
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze to check the unit with")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program = tmp_path / "touch stone" / "touchstone"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    start = autostart(tmp_path)
    outcome = Autostart(**{**vars(start), "command": (str(program),)}).enable()
    checked = subprocess.run(
        ["systemd-analyze", "--user", "verify", outcome.detail], capture_output=True, text=True, check=False
    )
    assert "touchstone.service" not in checked.stderr


LEFT_ALONE = [
    ("a container by its file", {}, ".dockerenv", "container"),
    ("a container by its variable", {"container": "podman"}, "run/systemd/system/x", "container"),
    ("no systemd", {}, "etc", "systemd"),
]


@pytest.mark.parametrize(
    ("environ", "trace", "says"), [row[1:] for row in LEFT_ALONE], ids=[row[0] for row in LEFT_ALONE]
)
def test_where_it_makes_no_sense_it_says_so_and_writes_nothing(
    environ: dict[str, str], trace: str, says: str, tmp_path: Path
) -> None:
    (tmp_path / "root" / trace).mkdir(parents=True)
    programs = Programs()
    outcome = autostart(tmp_path, programs=programs, environ=environ).enable()
    assert not outcome.done
    assert says in outcome.detail
    assert programs.ran == []
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("systemd")
def test_without_a_session_nothing_is_left_behind(tmp_path: Path) -> None:
    outcome = autostart(tmp_path, programs=Programs(code=1)).enable()
    assert not outcome.done
    assert not list((tmp_path / "home").rglob("*.service"))


@pytest.mark.usefixtures("systemd")
def test_the_configuration_directory_of_the_environment_counts(tmp_path: Path) -> None:
    outcome = autostart(tmp_path, environ={"XDG_CONFIG_HOME": str(tmp_path / "xdg")}).enable()
    assert outcome.detail == str(tmp_path / "xdg/systemd/user/touchstone.service")


def test_macos_gets_an_agent(tmp_path: Path) -> None:
    programs = Programs()
    start = autostart(tmp_path, "darwin", programs)
    assert start.enable().done
    file = tmp_path / "home/Library/LaunchAgents/org.touchstone.daemon.plist"
    agent = plistlib.loads(file.read_bytes())
    assert agent["ProgramArguments"] == [*COMMAND, "serve"]
    assert agent["EnvironmentVariables"] == {"TOUCHSTONE_HOME": str(tmp_path / "touch stone")}
    assert programs.ran == [("launchctl", "load", "-w", str(file))]
    assert start.disable().done
    assert not file.exists()


def test_windows_gets_a_run_key(tmp_path: Path) -> None:
    registry = FakeRegistry()
    start = autostart(tmp_path, "win32", registry=registry)
    assert start.enable().done
    assert registry.read(RUN_KEY, RUN_VALUE) == f'"{COMMAND[0]}" -P -m touchstone serve'
    start.disable()
    assert registry.values == {}


def test_a_program_of_the_system_that_is_missing_is_no_exception() -> None:
    assert run_command(["/no/such/program"]) == 127
    assert run_command([sys.executable, "-c", "raise SystemExit(3)"]) == 3
