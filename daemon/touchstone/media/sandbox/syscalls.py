"""Linux system call numbers that the worker's filter knows.

Source: the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h` (which
64-bit ARM uses); tests compare this table with the installed headers where there are any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AUDIT_ARCH_X86_64 = 0xC000003E  # linux/audit.h
AUDIT_ARCH_AARCH64 = 0xC00000B7


@dataclass(frozen=True)
class Architecture:
    """One processor architecture: how seccomp names it and its numbers, None where it lacks the call."""

    audit: int
    numbers: Mapping[str, int]


# name: (x86-64, aarch64)
_TABLE: Mapping[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "ioctl": (16, 29),
    "pread64": (17, 67),
    "readv": (19, 65),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "setitimer": (38, 103),
    "getpid": (39, 172),
    "socket": (41, 198),
    "sendto": (44, 206),
    "recvfrom": (45, 207),
    "sendmsg": (46, 211),
    "recvmsg": (47, 212),
    "clone": (56, 220),
    "execve": (59, 221),
    "exit": (60, 93),
    "uname": (63, 160),
    "fcntl": (72, 25),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "ptrace": (101, 117),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "sigaltstack": (131, 132),
    "prctl": (157, 167),
    "gettid": (186, 178),
    "time": (201, None),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "set_tid_address": (218, 96),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "tgkill": (234, 131),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "preadv": (295, 69),
    "prlimit64": (302, 261),
    "getcpu": (309, 168),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "seccomp": (317, 277),
    "getrandom": (318, 278),
    "execveat": (322, 281),
    "membarrier": (324, 283),
    "rseq": (334, 293),
    "io_uring_setup": (425, 425),
    "clone3": (435, 435),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
}


def _column(index: int) -> dict[str, int]:
    return {name: numbers[index] for name, numbers in _TABLE.items() if numbers[index] is not None}  # type: ignore[misc]


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(AUDIT_ARCH_X86_64, _column(0)),
    "aarch64": Architecture(AUDIT_ARCH_AARCH64, _column(1)),
}
"""By the name that `uname -m` gives."""
