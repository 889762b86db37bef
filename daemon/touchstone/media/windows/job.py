"""A job object: what one worker may use, and the certainty that it ends when the daemon does."""

from __future__ import annotations

import ctypes

from ..sandbox.limits import ProcessLimits
from . import structures as win
from .api import Api

_TICKS_PER_S = 10_000_000  # FILETIME: 100 ns
ENDED = 0x544F5543  # exit status of workers that we ended; told apart from any of their own


def limits_of(bounds: ProcessLimits) -> win.ExtendedLimits:
    """What a worker may use: committed memory, processor time, no second process, no life after the job."""
    limits = win.ExtendedLimits()
    limits.basic.flags = (
        win.LIMIT_PROCESS_MEMORY
        | win.LIMIT_PROCESS_TIME
        | win.LIMIT_ACTIVE_PROCESSES
        | win.LIMIT_DIE_ON_UNHANDLED
        | win.LIMIT_KILL_ON_CLOSE
    )
    limits.basic.active_processes = 1
    limits.basic.per_process_time = bounds.cpu_s * _TICKS_PER_S
    limits.process_memory = bounds.memory_mib << 20
    return limits


class Job:
    """A job for one process. Closing it ends the process.

    Raises:
        OSError: the system refused.
    """

    def __init__(self, api: Api, bounds: ProcessLimits) -> None:
        self._api = api
        self._handle = api.call("CreateJobObjectW", None, None)
        try:
            limits = limits_of(bounds)
            interface = win.UserInterfaceLimits(win.LIMIT_ALL_OF_USER_INTERFACE)
            for kind, value in ((win.JOB_EXTENDED_LIMITS, limits), (win.JOB_USER_INTERFACE, interface)):
                size = ctypes.sizeof(value)
                api.call("SetInformationJobObject", self._handle, kind, ctypes.byref(value), size)
        except OSError:
            self.close()
            raise

    def take(self, process: int) -> None:
        """Put a process under the job, for good."""
        self._api.call("AssignProcessToJobObject", self._handle, process)

    def end(self) -> None:
        """End whatever runs in it."""
        if self._handle:
            self._api.call("TerminateJobObject", self._handle, ENDED)

    def close(self) -> None:
        """Give the job up. May be called twice."""
        handle, self._handle = self._handle, 0
        if handle:
            self._api.call("CloseHandle", handle)
