"""Our end of the process that looks at a model file; see worker.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..media.link import MAX_ANSWER, Link, LinkBroken, LinkSlow
from ..messages import say
from ..own_processes import command_of
from ..zoo.entry import Model
from . import NotImported

SECONDS = 90.0
"""For starting, loading and one run: a model that takes longer is of no use to a scan."""

_PASSED_ON = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
# Threads that libraries start at import would escape confinement.
_SET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "PYTHONUTF8": "1"}


def command() -> list[str]:
    """How to start the process."""
    return command_of("model-check")


def check_confined(
    path: Path,
    model: Model,
    *,
    environ: Mapping[str, str] = os.environ,
    start: Sequence[str] | None = None,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Have a confined process look at a model file. Returns what it found out (see `worker.check`).

    Args:
        path: the file; opened here, read there.
        model: what its card says.
        environ: variables, of which the few that matter are passed on.
        start: the command, to which the descriptor of the socket is added.
        seconds: how long it may take.

    Raises:
        NotImported: the file was refused, or the process did not survive it.
    """
    deadline = time.monotonic() + seconds
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [*(start or command()), str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        cwd=Path("/"),
        env={**{name: environ[name] for name in _PASSED_ON if name in environ}, **_SET},
        start_new_session=True,
    )
    theirs.close()
    link = Link(ours, largest=MAX_ANSWER)
    try:
        if link.receive(deadline).get("type") != "ready":
            raise NotImported(say("models.check.no_start"))
        with path.open("rb") as file:
            link.send({"model": model.as_json()}, [file.fileno()])
        answer = link.receive(deadline)
    except LinkSlow as slow:
        raise NotImported(say("models.check.overtime", seconds=seconds)) from slow
    except LinkBroken as broken:
        raise NotImported(say("models.check.crashed")) from broken
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        link.close()
    if answer.get("type") != "right" or not isinstance(answer.get("facts"), dict):
        raise NotImported(str(answer.get("reason") or say("models.check.crashed")))
    facts: dict[str, Any] = answer["facts"]
    return facts
