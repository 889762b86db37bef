"""Finding and starting the daemon, with programs that stand in for it and misbehave."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from touchstone.system import daemon_process
from touchstone.system.daemon_process import DaemonNotStarted, find, find_or_start, stop
from touchstone.system.locks import is_held
from touchstone.system.paths import Paths

PROGRAM = Path(__file__).with_name("standin_daemon.py")
WAIT_S = 20.0


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[Paths]:
    paths = Paths.under(tmp_path / "home").create()
    yield paths
    for line in starts(paths):
        with suppress(ProcessLookupError):
            os.kill(int(line), signal.SIGKILL)


def starts(paths: Paths) -> list[str]:
    """Process ids of the stand-ins that were started, one a line."""
    file = paths.data_dir / "starts"
    return file.read_text().split() if file.exists() else []


def start(paths: Paths, behaviour: str, wait_s: float = WAIT_S) -> daemon_process.RunningDaemon:
    environ = {**os.environ, "TOUCHSTONE_HOME": str(paths.home), "BEHAVIOUR": behaviour}
    return find_or_start(paths, (sys.executable, str(PROGRAM)), environ, wait_s)


def test_a_daemon_is_started_once_found_again_and_ended(paths: Paths) -> None:
    assert find(paths) is None
    daemon = start(paths, "good")
    assert find(paths) == daemon == start(paths, "good")
    assert starts(paths) == [str(daemon.pid)]
    assert stop(daemon, paths)
    assert find(paths) is None


def test_many_that_start_it_at_once_get_the_same(paths: Paths) -> None:
    with ThreadPoolExecutor(6) as pool:
        daemons = set(pool.map(lambda _: start(paths, "good"), range(6)))
    assert len(daemons) == 1
    assert len(starts(paths)) == 1


FAILS = [
    ("it ends at once", "dies", WAIT_S, "ended with code 3.*no room on this disk"),
    ("it never answers", "silent", 1.5, "did not answer in time"),
]


@pytest.mark.parametrize(
    ("behaviour", "wait_s", "says"), [row[1:] for row in FAILS], ids=[row[0] for row in FAILS]
)
def test_a_daemon_that_does_not_come_up_is_given_up_with_the_reason(
    behaviour: str, wait_s: float, says: str, paths: Paths
) -> None:
    with pytest.raises(DaemonNotStarted, match=says) as problem:
        start(paths, behaviour, wait_s)
    assert str(daemon_process.log_file(paths)) in str(problem.value)


def test_a_program_that_is_not_there_is_named(paths: Paths) -> None:
    with pytest.raises(DaemonNotStarted, match="/no/such/touchstone"):
        find_or_start(paths, ("/no/such/touchstone",), {}, 5)


def own(**changes: Any) -> dict[str, Any]:
    return {"pid": os.getpid(), "port": 9, "version": "1", "started_at": 0.0, **changes}


STALE: list[tuple[str, str]] = [
    ("nothing in it", ""),
    ("not JSON", "{"),
    ("a list", "[]"),
    ("a field missing", json.dumps({"pid": 1})),
    ("a port that is none", json.dumps(own(port=99_999_999))),
    ("a process that is gone", json.dumps(own(pid=2**22 + 1))),
    ("no process at all", json.dumps(own(pid=0))),
    ("a port where nobody listens", json.dumps(own())),
]


@pytest.mark.parametrize("content", [row[1] for row in STALE], ids=[row[0] for row in STALE])
def test_what_a_dead_daemon_left_behind_is_no_daemon(content: str, paths: Paths) -> None:
    paths.daemon_file.write_text(content)
    assert find(paths, 0.5) is None


def test_another_program_at_the_port_is_no_daemon_and_gets_no_token(paths: Paths) -> None:
    daemon = start(paths, "good")
    requests = paths.data_dir / "requests"
    assert "authorization" not in requests.read_text().lower()
    os.kill(daemon.pid, signal.SIGUSR1)  # from now on it answers as something else
    deadline = time.monotonic() + WAIT_S
    while find(paths) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert find(paths) is None


def test_a_daemon_that_stops_answering_before_it_ends_has_not_ended_yet(paths: Paths) -> None:
    """`token rotate` during a scan started the next daemon too early, and left none."""
    first = start(paths, "lingers")
    assert stop(first, paths)
    assert not is_held(paths.daemon_lock)
    assert start(paths, "good").pid != first.pid


def test_a_recycled_process_number_is_no_daemon(paths: Paths, tmp_path: Path) -> None:
    """The file of a killed daemon names a process of ours and a port at which a daemon of ours answers."""
    other = Paths.under(tmp_path / "other").create()
    daemon = start(other, "good")
    try:
        paths.daemon_file.write_text(json.dumps(own(port=daemon.port)))
        paths.daemon_lock.touch()
        assert find(paths) is None
    finally:
        assert stop(daemon, other)


def test_a_log_that_has_grown_is_put_aside(paths: Paths) -> None:
    log = daemon_process.log_file(paths)
    grown = b"x" * (daemon_process.LOG_LIMIT_BYTES + 1)
    log.write_bytes(grown)
    start(paths, "good")
    assert log.with_suffix(".old.log").read_bytes() == grown
    assert log.stat().st_mode & 0o777 == 0o600
