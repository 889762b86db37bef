"""The structures and numbers of the Windows API that are used here, in the layout of 64-bit Windows.

Types of fixed size, not `ctypes.wintypes`: those follow the compiler that built Python, and a `DWORD` would
have eight bytes elsewhere. Source: winnt.h, winbase.h, processthreadsapi.h of the Windows SDK.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_int64, c_uint16, c_uint32, c_uint64, c_void_p

MAX_DWORD = 0xFFFFFFFF


class BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION; times in 100 ns."""

    _fields_ = (
        ("per_process_time", c_int64),
        ("per_job_time", c_int64),
        ("flags", c_uint32),
        ("smallest_working_set", c_uint64),
        ("largest_working_set", c_uint64),
        ("active_processes", c_uint32),
        ("affinity", c_uint64),
        ("priority_class", c_uint32),
        ("scheduling_class", c_uint32),
    )


class IoCounters(ctypes.Structure):
    """IO_COUNTERS."""

    _fields_ = tuple((name, c_uint64) for name in ("reads", "writes", "others", "read", "written", "other"))


class ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION; memory in bytes, committed."""

    _fields_ = (
        ("basic", BasicLimits),
        ("io", IoCounters),
        ("process_memory", c_uint64),
        ("job_memory", c_uint64),
        ("peak_process_memory", c_uint64),
        ("peak_job_memory", c_uint64),
    )


class UserInterfaceLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_UI_RESTRICTIONS."""

    _fields_ = (("classes", c_uint32),)


class StartupInfo(ctypes.Structure):
    """STARTUPINFOW."""

    _fields_ = (
        ("size", c_uint32),
        ("reserved", c_void_p),
        ("desktop", c_void_p),
        ("title", c_void_p),
        *((name, c_uint32) for name in ("x", "y", "width", "height", "columns", "rows", "fill", "flags")),
        ("show_window", c_uint16),
        ("reserved_size", c_uint16),
        ("reserved_bytes", c_void_p),
        ("standard_input", c_void_p),
        ("standard_output", c_void_p),
        ("standard_error", c_void_p),
    )


class StartupInfoEx(ctypes.Structure):
    """STARTUPINFOEXW."""

    _fields_ = (("info", StartupInfo), ("attributes", c_void_p))


class ProcessInformation(ctypes.Structure):
    """PROCESS_INFORMATION."""

    _fields_ = (
        ("process", c_void_p),
        ("thread", c_void_p),
        ("process_id", c_uint32),
        ("thread_id", c_uint32),
    )


class SidAndAttributes(ctypes.Structure):
    """SID_AND_ATTRIBUTES; TOKEN_USER and TOKEN_MANDATORY_LABEL are one of these."""

    _fields_ = (("sid", c_void_p), ("attributes", c_uint32))


class GroupsHead(ctypes.Structure):
    """TOKEN_GROUPS, whose array starts at `first` and goes on behind it."""

    _fields_ = (("count", c_uint32), ("first", SidAndAttributes))


class MemoryCounters(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS (psapi.h)."""

    _fields_ = (
        ("size", c_uint32),
        ("page_faults", c_uint32),
        *(
            (name, c_uint64)
            for name in (
                "peak_working_set",
                "working_set",
                "peak_paged",
                "paged",
                "peak_nonpaged",
                "nonpaged",
                "pagefile",
                "peak_pagefile",
            )
        ),
    )


# winnt.h, JOB_OBJECT_LIMIT_*
LIMIT_PROCESS_TIME = 0x2
LIMIT_ACTIVE_PROCESSES = 0x8
LIMIT_PROCESS_MEMORY = 0x100
LIMIT_DIE_ON_UNHANDLED = 0x400
LIMIT_KILL_ON_CLOSE = 0x2000
# JOB_OBJECT_UILIMIT_*: other processes' windows, clipboard (both ways), system parameters, display settings,
# global atoms, other desktops, logging off.
LIMIT_ALL_OF_USER_INTERFACE = 0xFF
JOB_EXTENDED_LIMITS = 9  # JobObjectExtendedLimitInformation
JOB_USER_INTERFACE = 4  # JobObjectBasicUIRestrictions

# winnt.h, TOKEN_*
TOKEN_ASSIGN_PRIMARY = 0x1
TOKEN_DUPLICATE = 0x2
TOKEN_IMPERSONATE = 0x4
TOKEN_QUERY = 0x8
TOKEN_ADJUST_DEFAULT = 0x80
TOKEN_EVERYTHING_ASKED = (
    TOKEN_ASSIGN_PRIMARY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE | TOKEN_QUERY | TOKEN_ADJUST_DEFAULT
)
DISABLE_MAX_PRIVILEGE = 0x1
TOKEN_USER, TOKEN_GROUPS, TOKEN_INTEGRITY_LEVEL = 1, 2, 25
GROUP_INTEGRITY = 0x20  # SE_GROUP_INTEGRITY
SECURITY_IMPERSONATION = 2
TOKEN_TYPE_IMPERSONATION = 2

FILE_READ = 0x120089  # winnt.h, FILE_GENERIC_READ

# winbase.h
CREATE_SUSPENDED = 0x4
DETACHED_PROCESS = 0x8
CREATE_UNICODE_ENVIRONMENT = 0x400
EXTENDED_STARTUPINFO_PRESENT = 0x80000
STARTF_USESTDHANDLES = 0x100
ATTRIBUTE_HANDLE_LIST = 0x20002

# winnt.h, PROCESS_MITIGATION_POLICY: which, and the flags to set.
MITIGATIONS: dict[str, tuple[int, int]] = {
    "no_child_processes": (13, 0x1),  # ProcessChildProcessPolicy, NoChildProcessCreation
    "no_extension_points": (6, 0x1),  # ProcessExtensionPointDisablePolicy
    "no_remote_images": (10, 0x7),  # ProcessImageLoadPolicy: none remote or of low label; prefer System32
}


def array_of(sids: Sequence[int]) -> ctypes.Array[SidAndAttributes]:
    """The addresses of SIDs as the array that CreateRestrictedToken takes."""
    return (SidAndAttributes * len(sids))(*(SidAndAttributes(sid, 0) for sid in sids))
