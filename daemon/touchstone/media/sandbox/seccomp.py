"""The system calls that a worker may make once it is confined, and how the kernel is told.

It is a list of what is allowed: what compressed video in memory needs, and no more. Everything else fails
with EPERM instead of killing the process, because the C library and the decoders try calls that they can
do without (reading /etc/localtime, naming threads, newer variants of old calls), a refusal gains an attacker
nothing, and a scan that goes on is worth more than one that dies. Calls of a foreign architecture do kill.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Sequence

from . import bpf
from .bpf import Rule, Test
from .kernel import Unsupported, call, pointer
from .syscalls import Architecture

_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_GET_ACTION_AVAIL = 2
_SECCOMP_FILTER_FLAG_TSYNC = 1

_CLONE_THREAD = 0x00010000  # linux/sched.h
_PROT_WRITE, _PROT_EXEC = 2, 4
_PR_SET_NAME = 15
_F_GETFD, _F_SETFD, _F_GETFL = 1, 2, 3
_STDERR = 2

# Memory, time, threads and descriptors that are open already: nothing here names a file, an address or
# another process.
_PLAIN = (
    "read", "readv", "pread64", "preadv", "lseek", "close", "fstat",
    "munmap", "mremap", "madvise", "brk",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "setitimer",
    "futex", "set_robust_list", "rseq", "membarrier", "set_tid_address", "restart_syscall",
    "sched_yield", "sched_getaffinity", "getcpu",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid",
    "uname", "sysinfo", "getrusage", "getrandom", "poll", "ppoll",
    "exit", "exit_group",
)  # fmt: skip


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def worker_rules(channel: int, pid: int, *, write_xor_execute: bool) -> list[Rule]:
    """The allowlist of a worker that talks through the socket `channel` and is process `pid`."""
    on_channel = ((Test(0, channel),),)
    not_both = ((Test(2, 0, _PROT_EXEC),), (Test(2, 0, _PROT_WRITE),)) if write_xor_execute else ()
    return [
        # A library that tries clone3 and finds it missing falls back to clone, whose flags can be seen.
        Rule("clone3", bpf.refuse(errno.ENOSYS)),
        *(Rule(name) for name in _PLAIN),
        Rule("mmap", alternatives=not_both),
        Rule("mprotect", alternatives=not_both[:1]),
        Rule("clone", alternatives=((Test(0, _CLONE_THREAD, _CLONE_THREAD),),)),
        Rule("write", alternatives=((Test(0, _STDERR),), (Test(0, channel),))),
        Rule("writev", alternatives=((Test(0, _STDERR),),)),
        *(Rule(name, alternatives=on_channel) for name in ("sendto", "sendmsg", "recvfrom", "recvmsg")),
        Rule("fcntl", alternatives=tuple((Test(1, command),) for command in (_F_GETFD, _F_SETFD, _F_GETFL))),
        Rule("prctl", alternatives=((Test(0, _PR_SET_NAME),),)),
        Rule("prlimit64", alternatives=((Test(2, 0),),)),  # asking, not setting
        Rule("tgkill", alternatives=((Test(0, pid),),)),  # abort() raises a signal in its own process
        Rule("ioctl", bpf.refuse(errno.ENOTTY)),  # "is this a terminal?"
    ]


def available(machine: Architecture) -> bool:
    """Whether this kernel has seccomp filters that can refuse a call."""
    action = ctypes.create_string_buffer(bpf.refuse(0).to_bytes(4, "little"), 4)
    try:
        call(machine.numbers["seccomp"], _SECCOMP_GET_ACTION_AVAIL, 0, pointer(action))
    except OSError:
        return False
    return True


def install(
    machine: Architecture,
    rules: Sequence[Rule],
    default: int = bpf.refuse(errno.EPERM),
) -> None:
    """Put every thread of this process under `rules`, for good; `default` is what becomes of all other calls.

    Raises:
        Unsupported: the kernel has no seccomp filters or refused this one.
    """
    code = bpf.assemble(machine, rules, default)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    try:
        answer = call(
            machine.numbers["seccomp"], _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, pointer(program)
        )
    except OSError as error:
        raise Unsupported(f"seccomp: {os.strerror(error.errno or 0)}") from error
    if answer:
        raise Unsupported(f"seccomp: thread {answer} could not be put under the filter")
