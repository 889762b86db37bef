"""Windows: what a worker gives up by itself once everything is loaded, and what its job bounds.

The job and the token are the daemon's to set (`media/windows/`). Source: processthreadsapi.h, jobapi2.h.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from ..windows import structures as win
from ..windows.api import Api
from ..windows.tokens import UNTRUSTED, set_integrity
from .kernel import Unsupported

_TICKS_PER_S = 10_000_000


def bounds(api: Api) -> dict[str, str]:
    """Limits of the job that this process is in, under the names that they have elsewhere."""
    limits = win.ExtendedLimits()
    size = ctypes.sizeof(limits)
    try:
        query = "QueryInformationJobObject"
        api.call(query, None, win.JOB_EXTENDED_LIMITS, ctypes.byref(limits), size, None)
    except OSError as error:
        return dict.fromkeys(("AS", "CPU"), f"no job: {error.strerror}")
    flags = int(limits.basic.flags)
    return {
        "AS": str(limits.process_memory) if flags & win.LIMIT_PROCESS_MEMORY else "not set by the job",
        "CPU": str(limits.basic.per_process_time // _TICKS_PER_S)
        if flags & win.LIMIT_PROCESS_TIME
        else "not set by the job",
        "NPROC": str(limits.basic.active_processes)
        if flags & win.LIMIT_ACTIVE_PROCESSES
        else "not set by the job",
        "FSIZE": "Windows has none; low integrity keeps a worker from writing",
    }


def protections(api: Api, way: str) -> dict[str, Callable[[], str | None]]:
    """What to do, by name and in order: the token on loan goes last, since the rest needs its rights.

    Args:
        way: how the process was started: with the `empty` token or a `restricted` one.
    """
    steps: dict[str, Callable[[], str | None]] = {
        name: lambda policy=policy: _set_policy(api, *policy)  # type: ignore[misc]
        for name, policy in win.MITIGATIONS.items()
    }
    steps["integrity"] = lambda: _lower(api)
    steps["empty_token"] = lambda: _give_back(api, way)
    return steps


def _set_policy(api: Api, policy: int, flags: int) -> None:
    value = ctypes.c_uint32(flags)
    try:
        api.call("SetProcessMitigationPolicy", policy, ctypes.byref(value), ctypes.sizeof(value))
    except OSError as error:
        raise Unsupported(error.strerror or str(error)) from error


def _lower(api: Api) -> str:
    token = ctypes.c_void_p()
    wanted = win.TOKEN_QUERY | win.TOKEN_ADJUST_DEFAULT
    try:
        api.call("OpenProcessToken", api.value("GetCurrentProcess"), wanted, ctypes.byref(token))
        try:
            set_integrity(api, token.value or 0, UNTRUSTED)
        finally:
            api.call("CloseHandle", token)
    except OSError as error:
        raise Unsupported(error.strerror or str(error)) from error
    return "on, untrusted"


def _give_back(api: Api, way: str) -> None:
    if way != "empty":
        raise Unsupported("a process does not start with it on this system")
    try:
        api.call("RevertToSelf")
    except OSError as error:
        # The thread would go on acting by the fuller token: nothing hostile may be read like that.
        raise SystemExit(f"RevertToSelf: {error.strerror}") from error


def start_a_child() -> None:
    """Try to start a process.

    Raises:
        OSError: it is refused.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", ""],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(OSError):
        child.kill()
    child.wait()
