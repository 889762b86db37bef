"""Starting one process with a token of ours, three handles, and nothing else of the daemon."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import structures as win
from .api import Api

_FLAGS = (
    win.CREATE_SUSPENDED
    | win.DETACHED_PROCESS  # a console would have to be connected to, which the empty token can't
    | win.CREATE_UNICODE_ENVIRONMENT
    | win.EXTENDED_STARTUPINFO_PRESENT
)
_RESUME_FAILED = 0xFFFFFFFF


@dataclass(frozen=True)
class NewProcess:
    """Handles of a process that is suspended, and of its only thread."""

    process: int
    thread: int
    pid: int


def environment_block(environment: Mapping[str, str]) -> str:
    """The environment as CreateProcess takes it: sorted `NAME=value`, each ended by a null, and one more."""
    ordered = sorted(environment.items(), key=lambda item: item[0].upper())
    return "".join(f"{name}={value}\0" for name, value in ordered) + "\0"


def create_suspended(
    api: Api,
    token: int,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    standard: Sequence[int],
) -> NewProcess:
    """Create a process that does not run yet.

    Args:
        api: the system.
        token: its primary token, a restricted one of our own, which asks for no privilege.
        command: program and arguments.
        environment: all of its variables.
        folder: to start in.
        standard: handles of its standard input, output and error, inheritable; it inherits no others.

    Raises:
        OSError: the system refused.
    """
    handles = (ctypes.c_void_p * len(standard))(*standard)
    needed = ctypes.c_uint64()
    # Asked for its size with no list, it fails by design.
    api.value("InitializeProcThreadAttributeList", None, 1, 0, ctypes.byref(needed))
    attributes = ctypes.create_string_buffer(max(needed.value, 1))
    api.call("InitializeProcThreadAttributeList", attributes, 1, 0, ctypes.byref(needed))
    try:
        api.call(
            "UpdateProcThreadAttribute",
            attributes,
            0,
            win.ATTRIBUTE_HANDLE_LIST,
            handles,
            ctypes.sizeof(handles),
            None,
            None,
        )
        startup = win.StartupInfoEx()
        startup.info.size = ctypes.sizeof(startup)
        startup.info.flags = win.STARTF_USESTDHANDLES
        startup.info.standard_input, startup.info.standard_output, startup.info.standard_error = standard
        startup.attributes = ctypes.addressof(attributes)
        # Both may be written to by the system.
        line = ctypes.create_unicode_buffer(subprocess.list2cmdline(command))
        block = ctypes.create_unicode_buffer(environment_block(environment))
        created = win.ProcessInformation()
        api.call(
            "CreateProcessAsUserW",
            token,
            None,
            line,
            None,
            None,
            1,
            _FLAGS,
            block,
            folder,
            ctypes.byref(startup),
            ctypes.byref(created),
        )
    finally:
        api.value("DeleteProcThreadAttributeList", attributes)
    return NewProcess(created.process or 0, created.thread or 0, created.process_id)


def lend_token(api: Api, process: NewProcess, token: int) -> None:
    """Let a process's first thread act by another token until it gives it back."""
    thread = ctypes.c_void_p(process.thread)
    api.call("SetThreadToken", ctypes.byref(thread), token)


def resume(api: Api, process: NewProcess) -> None:
    """Let it run.

    Raises:
        OSError: the system refused.
    """
    if api.value("ResumeThread", process.thread) == _RESUME_FAILED:
        raise OSError("ResumeThread: the process does not run")
