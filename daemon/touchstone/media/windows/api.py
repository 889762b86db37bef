"""The system's functions that are used, and the one way to call them."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import c_int32, c_uint32, c_uint64, c_void_p, c_wchar_p
from importlib import import_module
from typing import Any, Protocol

_P, _D, _B, _W = c_void_p, c_uint32, c_int32, c_wchar_p

# Library: function: (what it returns, what it takes). Source: processthreadsapi.h, securitybaseapi.h, sddl.h,
# jobapi2.h, psapi.h of the Windows SDK.
FUNCTIONS: Mapping[str, Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "kernel32": {
        "AssignProcessToJobObject": (_B, (_P, _P)),
        "CloseHandle": (_B, (_P,)),
        "CreateJobObjectW": (_P, (_P, _W)),
        "DeleteProcThreadAttributeList": (None, (_P,)),
        "DuplicateHandle": (_B, (_P, _P, _P, _P, _D, _B, _D)),
        "GetCurrentProcess": (_P, ()),
        "GetExitCodeProcess": (_B, (_P, _P)),
        "InitializeProcThreadAttributeList": (_B, (_P, _D, _D, _P)),
        "K32GetProcessMemoryInfo": (_B, (_P, _P, _D)),
        "LocalFree": (_P, (_P,)),
        "PeekNamedPipe": (_B, (_P, _P, _D, _P, _P, _P)),
        "QueryInformationJobObject": (_B, (_P, _D, _P, _D, _P)),
        "ResumeThread": (_D, (_P,)),
        "SetInformationJobObject": (_B, (_P, _D, _P, _D)),
        "SetProcessMitigationPolicy": (_B, (_D, _P, c_uint64)),
        "TerminateJobObject": (_B, (_P, _D)),
        "TerminateProcess": (_B, (_P, _D)),
        "UpdateProcThreadAttribute": (_B, (_P, _D, c_uint64, _P, c_uint64, _P, _P)),
        "WaitForSingleObject": (_D, (_P, _D)),
    },
    "advapi32": {
        "ConvertStringSidToSidW": (_B, (_W, _P)),
        "CreateProcessAsUserW": (_B, (_P, _W, _P, _P, _P, _B, _D, _P, _W, _P, _P)),
        "CreateRestrictedToken": (_B, (_P, _D, _D, _P, _D, _P, _D, _P, _P)),
        "DuplicateTokenEx": (_B, (_P, _D, _P, _D, _D, _P)),
        "GetLengthSid": (_D, (_P,)),
        "GetTokenInformation": (_B, (_P, _D, _P, _D, _P)),
        "OpenProcessToken": (_B, (_P, _D, _P)),
        "RevertToSelf": (_B, ()),
        "SetThreadToken": (_B, (_P, _P)),
        "SetTokenInformation": (_B, (_P, _D, _P, _D)),
    },
}


class Api(Protocol):
    """What calls the system: `System`, or a record of calls in tests."""

    def call(self, function: str, *arguments: Any) -> int:
        """Call a function that answers 0 or a null handle when it fails.

        Raises:
            OSError: it failed; the text is the system's.
        """

    def value(self, function: str, *arguments: Any) -> int:
        """Call a function whose answer is a number of its own kind."""

    def handle_of(self, descriptor: int) -> int:
        """The system's handle of a file that is open here."""


class System:
    """The real one. Libraries are loaded when it is made, so before a process is confined.

    Raises:
        OSError: this is not Windows, or a function is missing.
    """

    def __init__(self) -> None:
        load = getattr(ctypes, "WinDLL", None)
        if load is None:
            raise OSError("these functions exist on Windows only")
        self._functions: dict[str, Any] = {}
        for library, functions in FUNCTIONS.items():
            loaded = load(library, use_last_error=True)
            for name, (result, arguments) in functions.items():
                function = getattr(loaded, name)
                function.restype, function.argtypes = result, arguments
                self._functions[name] = function

    def call(self, function: str, *arguments: Any) -> int:
        """See `Api`."""
        answer = self._functions[function](*arguments)
        if not answer:
            error = int(getattr(ctypes, "get_last_error")())  # noqa: B009 - not in ctypes elsewhere
            described = getattr(ctypes, "FormatError")(error)  # noqa: B009
            raise OSError(error, f"{function}: {described}")
        return int(answer)

    def value(self, function: str, *arguments: Any) -> int:
        """See `Api`."""
        return int(self._functions[function](*arguments) or 0)

    def handle_of(self, descriptor: int) -> int:
        """See `Api`."""
        return int(import_module("msvcrt").get_osfhandle(descriptor))
