"""The daemon as a process of this machine: is it up, start it, end it.

A running daemon holds `paths.daemon_lock` and writes `paths.daemon_file`; whether that file still tells the
truth is asked of the lock and of the daemon itself. Standard library only, and no asyncio: the native host
runs this before its first message.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..messages import say
from .locks import LockTimeout, file_lock, is_held
from .paths import PRIVATE_FILE, Paths

HOST = "127.0.0.1"
HEALTH_PATH = "/v1/health"
# A daemon that is up answers /v1/health in a few milliseconds even while it scans; a second is a machine
# that swaps.
HEALTH_TIMEOUT_S = 2.0
START_WAIT_S = 30.0
# A daemon gives running scans 5 s to end, and a worker that is just starting on a busy machine takes a few.
STOP_WAIT_S = 20.0
POLL_S = 0.05
LOG_LIMIT_BYTES = 4_000_000
_HEALTH_LIMIT_BYTES = 64_000


class DaemonNotStarted(Exception):
    """The daemon could not be started; the text says why and where its log is."""


@dataclass(frozen=True)
class RunningDaemon:
    """A daemon, as its runtime file describes it.

    Attributes:
        pid: its process.
        port: on the loopback address 127.0.0.1.
        version: of its program, by its own word.
        started_at: seconds since the epoch.
    """

    pid: int
    port: int
    version: str
    started_at: float

    @property
    def base_url(self) -> str:
        """Where its API is, without a path."""
        return f"http://{HOST}:{self.port}"


def find(paths: Paths, timeout_s: float = HEALTH_TIMEOUT_S) -> RunningDaemon | None:
    """The daemon of these paths if one is up and answers, else None."""
    written = _read_daemon_file(paths.daemon_file)
    # The number of a process that died is given to another one some day: the lock is what no other can hold.
    if written is None or not _is_ours(written.pid) or not is_held(paths.daemon_lock):
        return None
    return written if _is_healthy(written.port, timeout_s) else None


def find_or_start(
    paths: Paths, command: Sequence[str], environ: Mapping[str, str], wait_s: float = START_WAIT_S
) -> RunningDaemon:
    """The daemon that is up, or a new one, once it answers. Two callers at once get the same daemon.

    Args:
        paths: whose daemon.
        command: starts `touchstone`, without arguments.
        environ: the new process's variables; must lead it to the same `paths`.
        wait_s: how long to wait for it to answer.

    Raises:
        DaemonNotStarted: it ended before it answered, or did not answer in time.
    """
    if found := find(paths):
        return found
    deadline = time.monotonic() + wait_s
    try:
        with file_lock(paths.runtime_dir / "start.lock", wait_s):
            # Whoever held the lock before us may have started it.
            return find(paths) or _start(paths, [*command, "serve"], environ, deadline)
    except LockTimeout as problem:
        raise DaemonNotStarted(say("system.daemon.start_blocked", seconds=f"{wait_s:g}")) from problem
    except OSError as problem:
        raise DaemonNotStarted(
            say("system.daemon.cannot_run", command=command[0], reason=problem)
        ) from problem


def stop(daemon: RunningDaemon, paths: Paths, wait_s: float = STOP_WAIT_S) -> bool:
    """Ask a daemon to end and wait for it; True when it has ended. Scans that run are kept by its store.

    It stops answering before it has ended; a new one can start only once its lock is free.
    """
    try:
        os.kill(daemon.pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if not is_held(paths.daemon_lock):
            return True
        time.sleep(POLL_S)
    return False


def log_file(paths: Paths) -> Path:
    """What a daemon that was started from here prints."""
    return paths.log_dir / "daemon.log"


def _start(
    paths: Paths, command: Sequence[str], environ: Mapping[str, str], deadline: float
) -> RunningDaemon:
    paths.create()
    log = log_file(paths)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".old.log"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=dict(environ),
            cwd=paths.data_dir,
            close_fds=True,
            **_detached(),
        )
    finally:
        os.close(descriptor)
    while time.monotonic() < deadline:
        if found := find(paths):
            return found
        code = process.poll()
        if code is not None:
            # It may have found another daemon at work, started by hand a moment ago, and left it the field.
            if found := find(paths):
                return found
            raise DaemonNotStarted(say("system.daemon.ended", code=code, log=log, last=_last_line(log)))
        time.sleep(POLL_S)
    process.terminate()
    raise DaemonNotStarted(say("system.daemon.silent", log=log))


def _detached() -> dict[str, Any]:
    """Popen arguments that let the daemon outlive the browser that had it started."""
    if sys.platform == "win32":
        # Browsers put their native hosts into a job object that ends with them.
        flags = (
            subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.DETACHED_PROCESS
            | subprocess.CREATE_BREAKAWAY_FROM_JOB
        )
        return {"creationflags": flags}
    return {"start_new_session": True}


def _read_daemon_file(path: Path) -> RunningDaemon | None:
    try:
        content = json.loads(path.read_bytes())
        return RunningDaemon(
            pid=int(content["pid"]),
            port=int(content["port"]),
            version=str(content["version"]),
            started_at=float(content["started_at"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no daemon, or a file from which nothing can be learnt: the same to us


def _is_ours(pid: int) -> bool:
    """Whether `pid` runs and is this user's: another user's process at our port must not get our token."""
    if pid <= 0:
        return False
    if sys.platform == "win32":
        return True  # os.kill(pid, 0) would end the process there; the health check has to do
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _is_healthy(port: int, timeout_s: float) -> bool:
    """Whether what listens at `port` answers like our daemon. Sends no token."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout_s)
    try:
        connection.request("GET", HEALTH_PATH)
        response = connection.getresponse()
        answer = json.loads(response.read(_HEALTH_LIMIT_BYTES))
        return response.status == http.HTTPStatus.OK and isinstance(answer, dict) and "status" in answer
    except (OSError, OverflowError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].strip() if lines else ""
