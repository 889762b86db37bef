"""Landlock: take every right to files, TCP ports, signals and abstract sockets away from this process.

Source: linux/landlock.h and Documentation/userspace-api/landlock.rst. The ruleset handles every right that
the kernel's ABI knows and allows none of them, so open descriptors are all that is left.
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from .kernel import Unsupported, call, pointer
from .syscalls import Architecture

_CREATE_RULESET_VERSION = 1

# How many file system rights each ABI knows: the lowest so many bits of LANDLOCK_ACCESS_FS_*.
# 1: execute .. make_sym (13); 2: refer; 3: truncate; 5: ioctl_dev.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_RIGHTS_NEWEST = 16
_NET_RIGHTS = 0b11  # bind_tcp, connect_tcp: from ABI 4
_SCOPES = 0b11  # abstract_unix_socket, signal: from ABI 6


class _RulesetAttr(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def abi(machine: Architecture) -> int:
    """The kernel's Landlock ABI version.

    Raises:
        Unsupported: the kernel was built without Landlock, or it is off.
    """
    try:
        return call(machine.numbers["landlock_create_ruleset"], None, 0, _CREATE_RULESET_VERSION)
    except OSError as error:
        why = "not in this kernel" if error.errno == errno.ENOSYS else "switched off in this kernel"
        raise Unsupported(f"Landlock is {why}") from error


def restrict(machine: Architecture) -> int:
    """Deny this process everything Landlock knows of, for good. Returns the ABI that was used.

    It binds the calling thread and what it starts later, so it must be called while there is but one.

    Raises:
        Unsupported: no Landlock here, or other threads are already running.
    """
    threads = _thread_count()
    if threads != 1:
        raise Unsupported(f"Landlock binds one thread, but {threads} are running")
    version = abi(machine)
    attr = _RulesetAttr(
        handled_access_fs=(1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS_NEWEST)) - 1,
        handled_access_net=_NET_RIGHTS if version >= 4 else 0,
        scoped=_SCOPES if version >= 6 else 0,
    )
    try:
        # The structure grew over time and trailing zeros are accepted, so its full size suits every kernel.
        ruleset = call(machine.numbers["landlock_create_ruleset"], pointer(attr), ctypes.sizeof(attr), 0)
        call(machine.numbers["landlock_restrict_self"], ruleset, 0)
    except OSError as error:
        raise Unsupported(f"Landlock refused its ruleset: {error.strerror}") from error
    os.close(ruleset)
    return version


def _thread_count() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir()) if Path("/proc/self/task").is_dir() else 1
