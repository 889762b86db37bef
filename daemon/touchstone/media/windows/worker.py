"""One worker on Windows: two pipes, a job, a token, and files whose handles are put into it."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

from ..framing import MAX_ANSWER
from ..launch import COMPLAINT_BYTES, OVER_PIPES, AnyLink, Launch
from ..pipes import pipes_to_a_process
from ..sandbox.limits import ProcessLimits
from . import structures as win
from .api import Api, System
from .job import ENDED, Job
from .start import create_suspended, lend_token, resume
from .tokens import Tokens

Way = Literal["empty", "restricted"]

_STILL_ACTIVE = 259  # of GetExitCodeProcess
_WAIT_AFTER_END_MS = 5000


class WindowsWorker:
    """A process that was started; see `Launched`.

    Args:
        command: program and arguments.
        environment: its variables.
        limits: for its job.
        inherited: none; what is shared with the inference process can't be passed on here.
        way: with which token: `empty` to open nothing once it is confined; `restricted`, where a process
            can't start with that: no privileges and low integrity, against writing, not against reading.
        api: the system.

    Raises:
        OSError: it cannot be started that way.
    """

    link: AnyLink
    inherits = False

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        limits: ProcessLimits,
        inherited: Sequence[int] = (),
        *,
        way: Way,
        api: Api | None = None,
    ) -> None:
        self._api = api or System()
        self._process = 0
        self._status: int | None = None
        self._closed = False
        self._job = Job(self._api, limits)
        program = [*_real_program(command), OVER_PIPES, way]
        variables = {**environment, "__PYVENV_LAUNCHER__": sys.executable} if _in_venv() else environment
        with pipes_to_a_process(largest=MAX_ANSWER) as (self.link, request, answer):
            self._complaints, complain = os.pipe()
            try:
                self._start(program, variables, (request, answer, complain), way)
            except OSError:
                self.end()
                self.close()
                raise
            finally:
                os.close(complain)

    def _start(
        self, program: Sequence[str], variables: Mapping[str, str], standard: Sequence[int], way: Way
    ) -> None:
        for descriptor in standard:
            os.set_inheritable(descriptor, True)
        with Tokens(self._api) as tokens:
            new = create_suspended(
                self._api,
                tokens.empty if way == "empty" else tokens.restricted,
                program,
                variables,
                variables.get("SYSTEMROOT", "C:\\Windows"),
                [self._api.handle_of(descriptor) for descriptor in standard],
            )
            self._process, self._pid = new.process, new.pid
            try:
                self._job.take(new.process)
                if way == "empty":
                    lend_token(self._api, new, tokens.loan)
                resume(self._api, new)
            finally:
                self._api.call("CloseHandle", new.thread)

    @property
    def pid(self) -> int:
        return self._pid

    def poll(self) -> int | None:
        if self._closed:
            return self._status
        status = ctypes.c_uint32()
        self._api.call("GetExitCodeProcess", self._process, ctypes.byref(status))
        return None if status.value == _STILL_ACTIVE else status.value

    def wait(self, seconds: float) -> None:
        self._api.value("WaitForSingleObject", self._process, int(seconds * 1000))

    def lend(self, descriptor: int) -> int:
        """A handle in the worker for a file that is open here, for reading only."""
        theirs = ctypes.c_void_p()
        ours, handle = self._api.value("GetCurrentProcess"), self._api.handle_of(descriptor)
        self._api.call(
            "DuplicateHandle", ours, handle, self._process, ctypes.byref(theirs), win.FILE_READ, 0, 0
        )
        return theirs.value or 0

    def complaints(self) -> bytes:
        if self._closed:
            return b""
        try:
            waiting = ctypes.c_uint32()
            handle = self._api.handle_of(self._complaints)
            self._api.call("PeekNamedPipe", handle, None, 0, None, ctypes.byref(waiting), None)
            return os.read(self._complaints, min(waiting.value, COMPLAINT_BYTES)) if waiting else b""
        except OSError:  # the other end is closed, and nothing is left in it
            return b""

    def peak_memory_mib(self) -> int | None:
        counters = win.MemoryCounters(size=ctypes.sizeof(win.MemoryCounters))
        try:
            size = ctypes.sizeof(counters)
            self._api.call("K32GetProcessMemoryInfo", self._process, ctypes.byref(counters), size)
        except OSError:
            return None
        return int(counters.peak_working_set) >> 20

    def end(self) -> None:
        with suppress(OSError):
            self._job.end()
        if self._process:
            # Not in its job yet, where starting it broke off.
            with suppress(OSError):
                self._api.call("TerminateProcess", self._process, ENDED)
            self._api.value("WaitForSingleObject", self._process, _WAIT_AFTER_END_MS)

    def close(self) -> None:
        if self._closed:
            return
        if self._process:
            self._status = self.poll()
            self._api.call("CloseHandle", self._process)
        self._closed = True
        self.link.close()
        os.close(self._complaints)
        with suppress(OSError):
            self._job.close()


def _in_venv() -> bool:
    return getattr(sys, "_base_executable", sys.executable) != sys.executable


def _real_program(command: Sequence[str]) -> list[str]:
    """The command without a virtual environment's launcher, which would start Python as a second process."""
    if command[0] == sys.executable:
        return [getattr(sys, "_base_executable", sys.executable), *command[1:]]
    return list(command)


LAUNCHES: Sequence[Launch] = tuple(partial(WindowsWorker, way=way) for way in ("empty", "restricted"))
"""The most confined first."""
