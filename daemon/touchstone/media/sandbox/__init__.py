"""Confines a worker process before it sees the first hostile byte.

`confine` takes away what the system lets it take away and returns a report of what holds, measured by trying:
a protection that is missing is named, never assumed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from ..windows.api import System
from . import darwin, landlock, limits, seccomp, windows
from .kernel import Unsupported, forbid_new_privileges
from .limits import ProcessLimits
from .report import SandboxReport
from .syscalls import ARCHITECTURES

__all__ = ["ProcessLimits", "SandboxReport", "confine"]


def confine(channel: int, bounds: ProcessLimits, way: str = "") -> SandboxReport:
    """Confine this process for good.

    It must have imported and loaded all that it will need, and hold one thread only.

    Args:
        channel: the descriptor of the link to the daemon, the only one that may be written to.
        way: on Windows, with which token this process was started (`media/windows/worker.py`).
    """
    mechanisms: dict[str, str] = {}
    threads = True
    machine = ARCHITECTURES.get(platform.machine())
    # Asked before file access is gone.
    write_xor_execute = not _has_writable_code()
    if sys.platform == "linux" and machine is not None:
        mechanisms["no_new_privs"] = _attempt(forbid_new_privileges)
        mechanisms["landlock"] = _attempt(lambda: f"on, ABI {landlock.restrict(machine)}")
        # Limits come before the filter, which denies changing them.
        rules = seccomp.worker_rules(channel, os.getpid(), write_xor_execute=write_xor_execute)
        threads = seccomp.available(machine)
        set_limits = limits.apply(bounds, allow_threads=threads)
        mechanisms["seccomp"] = _attempt(lambda: seccomp.install(machine, rules))
        mechanisms["write_xor_execute"] = (
            "on"
            if write_xor_execute and mechanisms["seccomp"] == "on"
            else "off: the system's libffi needs it off"
        )
    elif sys.platform == "darwin":
        set_limits = limits.apply(bounds, allow_threads=True)
        mechanisms["seatbelt"] = _attempt(darwin.restrict)
    elif sys.platform == "win32":
        api = System()
        set_limits = windows.bounds(api)
        for name, protect in windows.protections(api, way).items():
            mechanisms[name] = _attempt(protect)
    else:
        set_limits = limits.apply(bounds, allow_threads=True)
        mechanisms["system_calls"] = f"off: no filter for {sys.platform} on {platform.machine()}"
    return SandboxReport(mechanisms, set_limits, _try_what_is_forbidden(), threads)


def _attempt(protect: Callable[[], str | None]) -> str:
    try:
        return protect() or "on"
    except Unsupported as reason:
        return f"off: {reason}"


def _has_writable_code() -> bool:
    """Whether this process has memory that is writable and executable at once.

    Python's C callbacks, which c2pa-python reads files through, are made by libffi. As many systems build it,
    it keeps them in such memory, and a filter that denied it would break them.
    """
    callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 0)
    callback()
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return True
    return any(line.split(maxsplit=2)[1].startswith("rwx") for line in maps.read_text().splitlines())


def _try_what_is_forbidden() -> dict[str, bool]:
    return {
        "open_file": _refused(_open_a_file),
        "socket": _refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()),
        "child_process": _refused(_start_a_child),
    }


def _refused(action: Callable[[], None]) -> bool:
    try:
        action()
    except OSError:
        return True
    return False


def _open_a_file() -> None:
    os.close(os.open(sys.executable or os.devnull, os.O_RDONLY))


def _start_a_child() -> None:
    if sys.platform == "win32":
        windows.start_a_child()
        return
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
