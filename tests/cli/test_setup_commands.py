"""`up`, `stop`, `browsers`, `token`, `doctor` and `native-host` as a person runs them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from touchstone import __version__
from touchstone.cli import main
from touchstone.system.daemon_process import RunningDaemon, find, find_or_start
from touchstone.system.environment import Environment, own_command
from touchstone.system.paths import Paths

STANDIN = Path(__file__).parents[1] / "system" / "standin_daemon.py"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths.under(tmp_path / "touchstone")
    yield paths
    daemon = find(paths)
    if daemon is not None:
        os.kill(daemon.pid, signal.SIGKILL)


@pytest.fixture
def run(paths: Paths, home: Path, environment: dict[str, str]) -> Run:
    """Runs a command in this process: exit code, stdout, stderr."""

    def command(*arguments: str, program: tuple[str, ...] = (), **environ: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        env = Environment(
            paths=paths,
            home=home,
            platform="linux",
            # PATH is empty: the machine that runs the tests may have browsers.
            environ={**environment, "PATH": "", "container": "test", "BEHAVIOUR": "good", **environ},
            command=program or own_command(),
            stdout=out,
            stderr=err,
        )
        return main(list(arguments), env), out.getvalue(), err.getvalue()

    return command


@pytest.fixture
def browsers(home: Path) -> None:
    """A home in which Chromium and Firefox were used."""
    (home / ".config" / "chromium").mkdir(parents=True)
    (home / ".mozilla").mkdir()


@pytest.mark.usefixtures("browsers")
def test_up_sets_everything_up_and_says_what_to_do_next(run: Run, paths: Paths, tmp_path: Path) -> None:
    code, out, err = run("up", "--extension", str(tmp_path / "built"))
    assert (code, err) == (0, "")
    daemon = find(paths)
    assert daemon is not None and daemon.version == __version__
    assert f"port {daemon.port}" in out
    assert "Chromium: registered" in out and "Firefox: registered" in out
    assert "this is a container" in out
    assert f"pick {tmp_path}/built/chrome-mv3" in out
    assert f"pick {tmp_path}/built/firefox-mv3/manifest.json" in out

    code, out, _ = run("up", "--json")
    assert code == 0
    again = json.loads(out)
    assert again["daemon"] == {"port": daemon.port, "version": __version__}
    assert [browser["state"] for browser in again["browsers"]] == ["installed", "installed"]

    code, out, _ = run("doctor", "--json")
    findings = json.loads(out)
    assert code == 0, findings
    assert {finding["health"] for finding in findings} == {"ok"}
    subjects = [finding["subject"] for finding in findings]
    assert {"daemon", "Chromium", "Firefox", "native host", "token", "trust"} <= set(subjects)

    code, out, _ = run("stop")
    assert (code, find(paths)) == (0, None)
    assert "has ended" in out
    assert "No daemon" in run("stop")[1]


def test_up_without_a_browser_says_to_install_one(run: Run) -> None:
    code, out, _ = run("up", program=(sys.executable, str(STANDIN)))
    assert code == 0
    assert "Install a browser" in out


def test_up_replaces_a_daemon_of_another_version(run: Run, paths: Paths) -> None:
    standin = (sys.executable, str(STANDIN))
    paths.create()
    environ = {**os.environ, "TOUCHSTONE_HOME": str(paths.home), "BEHAVIOUR": "good"}
    old = find_or_start(paths, standin, environ, 20)
    assert old.version != __version__
    code, _, _ = run("up")
    new = find(paths)
    assert code == 0
    assert new is not None and (new.pid, new.version) != (old.pid, old.version)
    assert new.version == __version__


def test_up_with_a_daemon_that_does_not_start_says_why(run: Run) -> None:
    code, _, err = run("up", program=(sys.executable, str(STANDIN)), BEHAVIOUR="dies")
    assert code == 1
    assert "no room on this disk" in err


@pytest.mark.usefixtures("browsers")
def test_browsers_are_told_listed_and_forgotten(run: Run, home: Path) -> None:
    code, out, _ = run("browsers", "status")
    assert code == 0
    assert out.count("not registered") == 2
    code, out, _ = run("browsers", "install", "--browser", "chromium", "--json")
    (installed,) = json.loads(out)
    assert (installed["browser"], installed["state"], installed["found"]) == ("chromium", "installed", True)
    assert Path(installed["manifest"]).is_relative_to(home)
    states = {row["browser"]: row["state"] for row in json.loads(run("browsers", "status", "--json")[1])}
    assert states == {"chromium": "installed", "firefox": "missing"}
    assert "Chromium: no longer registered" in run("browsers", "remove")[1]
    assert "nothing to remove" in run("browsers", "remove")[1]


def test_a_profile_directory_gets_its_own_manifest(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("browsers", "install", "--profile-dir", str(tmp_path / "profile"), "--json")
    assert code == 0
    manifest = Path(json.loads(out)["manifest"])
    assert manifest.parent == tmp_path / "profile" / "NativeMessagingHosts"


def test_further_extension_ids_come_from_the_settings(run: Run, home: Path) -> None:
    more = "b" * 32
    code, out, _ = run("browsers", "install", "--browser", "edge", "--json", TOUCHSTONE_EXTENSION_IDS=more)
    assert code == 0
    content = json.loads(Path(json.loads(out)[0]["manifest"]).read_text())
    assert f"chrome-extension://{more}/" in content["allowed_origins"]
    assert len(content["allowed_origins"]) == 2
    code, _, err = run("browsers", "install", TOUCHSTONE_EXTENSION_IDS="not-an-id")
    assert code == 2
    assert "TOUCHSTONE_EXTENSION_IDS" in err


def test_a_folder_that_cannot_be_written_is_named(run: Run, home: Path) -> None:
    (home / ".config").write_text("a file where a folder should be")
    code, _, err = run("browsers", "install", "--browser", "chromium")
    assert code == 1
    assert str(home / ".config") in err


USAGE = [
    ["browsers"],
    ["browsers", "install", "--browser", "netscape"],
    ["token"],
    ["token", "eat"],
    ["up", "--extension"],
]


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_wrong_usage(arguments: list[str], run: Run) -> None:
    with pytest.raises(SystemExit) as end:
        run(*arguments)
    assert end.value.code == 2


def test_the_token_is_shown_and_rotated_with_the_daemon(run: Run, paths: Paths) -> None:
    code, out, _ = run("token", "show")
    assert code == 0
    before = out.strip()
    assert json.loads(run("token", "show", "--json")[1]) == {"token": before, "kept_in": "file"}
    run("up")
    running = find(paths)
    assert running is not None
    code, out, _ = run("token", "rotate")
    assert code == 0
    assert "started again" in out
    again = find(paths)
    assert again is not None and again.pid != running.pid
    after = run("token", "show")[1].strip()
    assert after != before
    assert after not in out and before not in out
    assert run("doctor")[0] == 0


def broken_token(paths: Paths) -> None:
    paths.token_file.write_text("half")
    paths.token_file.chmod(0o600)


def moved_program(paths: Paths) -> None:
    paths.data_dir.joinpath("native-host").write_text("#!/bin/sh\necho gone >&2\nexec /no/such/python\n")


def broken_store(paths: Paths) -> None:
    (paths.data_dir / "touchstone.sqlite3").write_bytes(b"garbage" * 1000)


def nothing(_: Paths) -> None:
    return


ILLS: list[tuple[str, Callable[[Paths], None], dict[str, str], str, str]] = [
    ("a token that is damaged", broken_token, {}, "token", "touchstone token rotate"),
    ("a program that moved", moved_program, {}, "native host", "touchstone browsers install"),
    ("a store that is broken", broken_store, {}, "settings", "move touchstone.sqlite3"),
    ("a setting that is wrong", nothing, {"TOUCHSTONE_PRIOR": "2"}, "settings", "--reset"),
]


@pytest.mark.usefixtures("browsers")
@pytest.mark.parametrize(
    ("break_it", "environ", "subject", "remedy"), [row[1:] for row in ILLS], ids=[row[0] for row in ILLS]
)
def test_doctor_finds_what_is_wrong_and_says_the_remedy(
    break_it: Callable[[Paths], None],
    environ: dict[str, str],
    subject: str,
    remedy: str,
    run: Run,
    paths: Paths,
) -> None:
    assert run("browsers", "install")[0] == 0
    paths.create()
    break_it(paths)
    code, out, _ = run("doctor", "--json", **environ)
    ills: list[dict[str, Any]] = [f for f in json.loads(out) if f["health"] == "problem"]
    assert code == 1
    (ill,) = [f for f in ills if f["subject"] == subject]
    assert remedy in f"{ill['text']} {ill['remedy']}"
    assert remedy in run("doctor", **environ)[1]


def test_doctor_finds_a_daemon_of_another_version(run: Run, paths: Paths) -> None:
    environ = {**os.environ, "TOUCHSTONE_HOME": str(paths.home), "BEHAVIOUR": "good"}
    paths.create()
    daemon: RunningDaemon = find_or_start(paths, (sys.executable, str(STANDIN)), environ, 20)
    code, out, _ = run("doctor")
    assert code == 1
    assert daemon.version in out and "touchstone stop" in out


def test_native_host_says_its_first_message(environment: dict[str, str], tmp_path: Path) -> None:
    """As browsers start it, but for `--probe`: with an origin, and on Windows with a window."""
    command = [*own_command(), "native-host", "--probe", "chrome-extension://abc/", "--parent-window=0"]
    home = {"TOUCHSTONE_HOME": str(tmp_path / "touchstone")}
    said = subprocess.run(command, env={**environment, **home}, capture_output=True, check=True).stdout
    assert json.loads(said[4:]) == {
        "type": "state",
        "protocol": 1,
        "host_version": __version__,
        "daemon": "starting",
    }
    assert not (tmp_path / "touchstone").exists(), "a probe starts nothing"
