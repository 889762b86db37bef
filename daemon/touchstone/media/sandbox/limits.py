"""Resource limits of a worker process."""

from __future__ import annotations

import sys
from dataclasses import dataclass

if sys.platform != "win32":
    import resource  # here, because nothing can be imported once files are out of reach


_DARWIN_FILES = 10_240  # OPEN_MAX, sys/syslimits.h: setrlimit refuses more


@dataclass(frozen=True)
class ProcessLimits:
    """What one worker process may use.

    Attributes:
        memory_mib: address space, in MiB. Most of it is mapped libraries and thread stacks that are never
            touched: a worker that decodes 4K stays under 400 MB of real memory (docs/benchmarks.md).
        cpu_s: processor seconds over the process's whole life, a backstop for a daemon that died.
        files: open descriptors; a fragmented clip needs one for each fragment.
    """

    memory_mib: int = 2048
    cpu_s: int = 3600
    files: int = 10_300


def apply(limits: ProcessLimits, *, allow_threads: bool) -> dict[str, str]:
    """Set the limits on this process, soft and hard, and say what was set, by the limit's name.

    Args:
        allow_threads: false sets the number of processes to none, which also rules threads out. It is used
            where no system call filter can tell the two apart.
    """
    if sys.platform == "win32":
        return {}
    mib = 1024 * 1024
    wanted = {
        "AS": limits.memory_mib * mib,
        "CPU": limits.cpu_s,
        "CORE": 0,
        "FSIZE": 0,
        "NOFILE": limits.files,
    }
    if sys.platform == "darwin":
        wanted["NOFILE"] = min(limits.files, _DARWIN_FILES)
    if not allow_threads:
        wanted["NPROC"] = 0
    report: dict[str, str] = {}
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            report[name] = "not on this system"
            continue
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(kind, (bound, bound))
        except (OSError, ValueError) as error:
            report[name] = f"refused: {error}"
        else:
            report[name] = str(bound)
    if sys.platform == "darwin" and report["AS"].isdecimal():
        report["AS"] = "set, but macOS does not enforce it"
    return report


def no_core_files() -> None:
    """Leave nothing of this process's memory on disk when it crashes."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
