"""Linux's system call numbers as data, apart from the table in the product, which is held against them.

Taken from the headers of Linux 6.1: asm/unistd_64.h for x86-64, asm-generic/unistd.h for 64-bit ARM. Those
that a worker must never get through are among them.
"""

from __future__ import annotations

from collections.abc import Mapping

NUMBERS: Mapping[str, Mapping[str, int]] = {
    "x86_64": {
        "read": 0, "write": 1, "open": 2, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
        "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19, "writev": 20, "sched_yield": 24,
        "mremap": 25, "madvise": 28, "nanosleep": 35, "setitimer": 38, "getpid": 39, "socket": 41,
        "connect": 42, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "bind": 49, "clone":
        56, "fork": 57, "vfork": 58, "execve": 59, "exit": 60, "kill": 62, "uname": 63, "fcntl": 72,
        "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "ptrace": 101, "getuid": 102, "getgid": 104,
        "geteuid": 107, "getegid": 108, "sigaltstack": 131, "prctl": 157, "mount": 165, "gettid": 186,
        "tkill": 200, "time": 201, "futex": 202, "sched_getaffinity": 204, "set_tid_address": 218,
        "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230,
        "exit_group": 231, "tgkill": 234, "openat": 257, "newfstatat": 262, "unlinkat": 263, "ppoll":
        271, "unshare": 272, "set_robust_list": 273, "preadv": 295, "prlimit64": 302, "setns": 308,
        "getcpu": 309, "process_vm_readv": 310, "process_vm_writev": 311, "renameat2": 316, "seccomp":
        317, "getrandom": 318, "memfd_create": 319, "bpf": 321, "execveat": 322, "userfaultfd": 323,
        "membarrier": 324, "statx": 332, "rseq": 334, "io_uring_setup": 425, "pidfd_open": 434,
        "clone3": 435, "openat2": 437, "pidfd_getfd": 438, "landlock_create_ruleset": 444,
        "landlock_restrict_self": 446,
    },
    "aarch64": {
        "fcntl": 25, "ioctl": 29, "unlinkat": 35, "mount": 40, "openat": 56, "close": 57, "lseek": 62,
        "read": 63, "write": 64, "readv": 65, "writev": 66, "pread64": 67, "preadv": 69, "ppoll": 73,
        "fstat": 80, "exit": 93, "exit_group": 94, "set_tid_address": 96, "unshare": 97, "futex": 98,
        "set_robust_list": 99, "nanosleep": 101, "setitimer": 103, "clock_gettime": 113, "clock_getres":
        114, "clock_nanosleep": 115, "ptrace": 117, "sched_getaffinity": 123, "sched_yield": 124,
        "restart_syscall": 128, "kill": 129, "tkill": 130, "tgkill": 131, "sigaltstack": 132,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "uname": 160, "getrusage": 165,
        "prctl": 167, "getcpu": 168, "gettimeofday": 169, "getpid": 172, "getuid": 174, "geteuid": 175,
        "getgid": 176, "getegid": 177, "gettid": 178, "sysinfo": 179, "socket": 198, "bind": 200,
        "connect": 203, "sendto": 206, "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "brk": 214,
        "munmap": 215, "mremap": 216, "clone": 220, "execve": 221, "mmap": 222, "mprotect": 226,
        "madvise": 233, "prlimit64": 261, "setns": 268, "process_vm_readv": 270, "process_vm_writev":
        271, "renameat2": 276, "seccomp": 277, "getrandom": 278, "memfd_create": 279, "bpf": 280,
        "execveat": 281, "userfaultfd": 282, "membarrier": 283, "statx": 291, "rseq": 293,
        "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
        "landlock_create_ruleset": 444, "landlock_restrict_self": 446,
    },
}  # fmt: skip
