"""Calls into the Linux kernel that the standard library has no function for."""

from __future__ import annotations

import ctypes
import os

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h


class Unsupported(Exception):
    """The kernel, or this machine's configuration, lacks a protection. The text says which and why."""


def call(number: int, *arguments: int | ctypes.c_void_p | None) -> int:
    """Make a system call by number.

    Raises:
        OSError: the kernel refused it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    words = [a if isinstance(a, ctypes.c_void_p) else ctypes.c_long(a or 0) for a in arguments]
    answer = int(libc.syscall(ctypes.c_long(number), *words))
    if answer == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return answer


def forbid_new_privileges() -> None:
    """Set `no_new_privs`: no program started from here can gain rights; seccomp and Landlock ask for it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise Unsupported(f"no_new_privs: {os.strerror(ctypes.get_errno())}")


def pointer(structure: ctypes.Structure | ctypes.Array[ctypes.c_char]) -> ctypes.c_void_p:
    """The address of a C structure, which the caller keeps alive."""
    return ctypes.cast(ctypes.pointer(structure), ctypes.c_void_p)
