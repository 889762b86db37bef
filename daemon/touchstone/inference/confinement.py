"""What the processes that load execution providers may not do (docs/threat-model.md).

A graphics driver needs device files, shared memory and threads of its own, so they cannot be confined like
the processes that read video. What they never need is taken away: sockets other than local ones, and starting
or looking into other programs.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from ..media.sandbox import bpf, limits, seccomp
from ..media.sandbox.bpf import Rule, Test
from ..media.sandbox.kernel import Unsupported, forbid_new_privileges
from ..media.sandbox.syscalls import ARCHITECTURES

_FORBIDDEN = ("execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev")


@dataclass(frozen=True)
class InferenceConfinement:
    """What holds such a process.

    Attributes:
        mechanisms: each protection by name: "on", or why it is off.
        refused: what it tried right after, and whether it was refused: `network`, `program`.
    """

    mechanisms: dict[str, str] = field(default_factory=dict)
    refused: dict[str, bool] = field(default_factory=dict)


def inference_rules() -> list[Rule]:
    """What is refused; everything else is allowed."""
    return [
        Rule(
            "socket",
            bpf.ALLOW,
            alternatives=((Test(0, socket.AF_UNIX),),),
            otherwise=bpf.refuse(errno.EACCES),
        ),
        # Rings of requests to the kernel open sockets without the call that is refused above.
        Rule("io_uring_setup", bpf.refuse(errno.ENOSYS)),
        *(Rule(name, bpf.refuse(errno.EPERM)) for name in _FORBIDDEN),
    ]


def confine_inference() -> InferenceConfinement:
    """Confine this process for good; call before a provider is loaded."""
    mechanisms: dict[str, str] = {}
    machine = ARCHITECTURES.get(platform.machine())
    if sys.platform == "linux" and machine is not None:
        mechanisms["no_new_privs"] = _attempt(forbid_new_privileges)
        mechanisms["seccomp"] = _attempt(
            lambda: seccomp.install(machine, inference_rules(), default=bpf.ALLOW)
        )
    else:
        mechanisms["system_calls"] = f"off: no filter for {sys.platform} on {platform.machine()}"
    limits.no_core_files()
    return InferenceConfinement(mechanisms, {"network": _refused(_open_socket), "program": _refused(_exec)})


def _attempt(protect: Callable[[], None]) -> str:
    try:
        protect()
    except Unsupported as reason:
        return f"off: {reason}"
    return "on"


def _refused(action: Callable[[], None]) -> bool:
    """Whether `action` is refused for lack of rights; any other end means that it was allowed."""
    try:
        action()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _open_socket() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _exec() -> None:
    # A program that is not there: refused before it is looked for, or not found.
    os.execv("/nonexistent/program", ["program"])  # noqa: S606
