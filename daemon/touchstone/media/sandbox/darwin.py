"""macOS: Seatbelt's profile for processes that only compute.

`sandbox_init` is marked deprecated since 10.8 and still what browsers use; the profile denies files, network
and new processes, while descriptors that are open already go on working. Source: sandbox_init(3), sandbox.h.
"""

from __future__ import annotations

import ctypes
import ctypes.util

from .kernel import Unsupported

_SANDBOX_NAMED = 1
_PURE_COMPUTATION = b"pure-computation"  # the value of kSBXProfilePureComputation


def restrict() -> None:
    """Enter the profile, for good.

    Raises:
        Unsupported: the system library is missing or refused.
    """
    path = ctypes.util.find_library("sandbox") or "/usr/lib/libsandbox.1.dylib"
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise Unsupported(f"Seatbelt: {error}") from error
    message = ctypes.c_char_p()
    if library.sandbox_init(_PURE_COMPUTATION, ctypes.c_uint64(_SANDBOX_NAMED), ctypes.byref(message)) != 0:
        text = (message.value or b"no reason given").decode("utf-8", "replace")
        raise Unsupported(f"Seatbelt: {text}")
