"""What Windows is asked for, against a record of the calls: layouts, limits, tokens, order. None is made.

Sizes, offsets and numbers are those that a compiler for 64-bit Windows (MinGW-w64 10) prints of its headers.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from touchstone.media.launch import OVER_PIPES
from touchstone.media.sandbox import ProcessLimits
from touchstone.media.sandbox import windows as own
from touchstone.media.sandbox.kernel import Unsupported
from touchstone.media.windows import api, start, tokens, worker
from touchstone.media.windows import structures as win
from touchstone.media.windows.job import ENDED, Job, limits_of

SIZES = [
    (win.BasicLimits, 64),
    (win.IoCounters, 48),
    (win.ExtendedLimits, 144),
    (win.UserInterfaceLimits, 4),
    (win.StartupInfo, 104),
    (win.StartupInfoEx, 112),
    (win.ProcessInformation, 24),
    (win.SidAndAttributes, 16),
    (win.GroupsHead, 24),
    (win.MemoryCounters, 72),
]
OFFSETS = [
    (win.BasicLimits.flags, 16),
    (win.BasicLimits.smallest_working_set, 24),
    (win.BasicLimits.active_processes, 40),
    (win.BasicLimits.affinity, 48),
    (win.ExtendedLimits.io, 64),
    (win.ExtendedLimits.process_memory, 112),
    (win.ExtendedLimits.peak_process_memory, 128),
    (win.StartupInfo.flags, 60),
    (win.StartupInfo.standard_input, 80),
    (win.StartupInfo.standard_error, 96),
    (win.StartupInfoEx.attributes, 104),
    (win.GroupsHead.first, 8),
    (win.ProcessInformation.process_id, 16),
]


@pytest.mark.parametrize(("structure", "size"), SIZES)
def test_structures_have_the_sizes_of_64_bit_windows(structure: type[ctypes.Structure], size: int) -> None:
    assert ctypes.sizeof(structure) == size


@pytest.mark.parametrize(("member", "offset"), OFFSETS)
def test_members_lie_where_the_system_looks_for_them(member: Any, offset: int) -> None:
    assert member.offset == offset


def test_a_job_bounds_memory_time_and_processes_and_ends_with_the_daemon() -> None:
    limits = limits_of(ProcessLimits(memory_mib=700, cpu_s=90))
    assert limits.process_memory == 700 << 20
    assert limits.basic.per_process_time == 900_000_000
    assert limits.basic.active_processes == 1
    assert limits.basic.flags == 0x2 | 0x8 | 0x100 | 0x400 | 0x2000


@dataclass
class Recorded:
    """Stands for the system: notes calls, hands out handles, fails where a test says so."""

    fails: str = ""
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    answers: dict[str, Callable[..., None]] = field(default_factory=dict)
    handles: int = 1000

    def call(self, function: str, *arguments: Any) -> int:
        self._note(function, arguments)
        if function == self.fails:
            raise OSError(5, f"{function}: access is denied")
        for argument in arguments:
            if isinstance(target := getattr(argument, "_obj", None), ctypes.c_void_p) and not target.value:
                target.value = self._handle()
        if function in self.answers:
            self.answers[function](*arguments)
        return self._handle() if function.startswith("Create") else 1

    def value(self, function: str, *arguments: Any) -> int:
        self._note(function, arguments)
        if function in self.answers:
            self.answers[function](*arguments)
        return 7

    def handle_of(self, descriptor: int) -> int:
        return 5000 + descriptor

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def _note(self, function: str, arguments: tuple[Any, ...]) -> None:
        takes = next(f[function][1] for f in api.FUNCTIONS.values() if function in f)
        assert len(arguments) == len(takes), f"{function} takes {len(takes)} arguments"
        self.calls.append((function, arguments))

    def _handle(self) -> int:
        self.handles += 1
        return self.handles


USER, EVERYONE, INTEGRITY = 0xA000, 0xB000, 0xC000


def token_information(_token: int, kind: int, buffer: Any, size: int, needed: Any) -> None:
    """One user, and two groups of which one is the integrity level's."""
    if kind == win.TOKEN_USER:
        data = struct.pack("<QII", USER, 0, 0)
    else:
        data = struct.pack("<II", 2, 0) + struct.pack("<QIIQII", EVERYONE, 7, 0, INTEGRITY, 0x60, 0)
    needed._obj.value = len(data)
    if buffer is not None:
        assert size >= len(data)
        ctypes.memmove(buffer, data, len(data))


def recorded(fails: str = "") -> Recorded:
    return Recorded(fails, answers={"GetTokenInformation": token_information})


def sids_of(array: Any) -> list[int]:
    return [entry.sid for entry in array]


def test_the_empty_token_denies_all_and_is_restricted_to_nobody() -> None:
    system = recorded()
    with tokens.Tokens(system) as made:
        by_handle = [a for name, a in system.calls if name == "CreateRestrictedToken"]
        empty, restricted, loan = by_handle
        assert made.empty != made.loan
    assert [a[1] for a in by_handle] == [win.DISABLE_MAX_PRIVILEGE] * 3
    assert sids_of(empty[3]) == [USER, EVERYONE], "for denials only"
    assert len(sids_of(empty[7])) == 1, "restricted to one SID"
    texts = [a[0] for name, a in system.calls if name == "ConvertStringSidToSidW"]
    assert texts == [tokens.NOBODY, tokens.LOW, tokens.LOW, tokens.LOW]
    assert (sids_of(restricted[3]), sids_of(restricted[7])) == ([], [])
    assert (sids_of(loan[3]), sids_of(loan[7])) == ([], [USER, EVERYONE])
    # The own token, three restricted ones and the loan are closed again.
    assert system.names.count("CloseHandle") == 5


def test_tokens_that_cannot_be_made_leave_no_handle_open() -> None:
    system = recorded(fails="DuplicateTokenEx")
    with pytest.raises(OSError, match="access is denied"):
        tokens.Tokens(system)
    assert system.names.count("CloseHandle") == 4


def test_the_environment_is_sorted_and_ends_twice() -> None:
    assert start.environment_block({"b": "2", "A": "1"}) == "A=1\0b=2\0\0"


def test_a_job_that_cannot_be_bounded_is_closed() -> None:
    system = recorded(fails="SetInformationJobObject")
    with pytest.raises(OSError, match="access is denied"):
        Job(system, ProcessLimits())
    assert system.names == ["CreateJobObjectW", "SetInformationJobObject", "CloseHandle"]


def created(process: int, thread: int, pid: int) -> Callable[..., None]:
    def answer(*arguments: Any) -> None:
        information = arguments[-1]._obj
        information.process, information.thread, information.process_id = process, thread, pid

    return answer


def launched(system: Recorded, way: worker.Way) -> worker.WindowsWorker:
    system.answers["CreateProcessAsUserW"] = created(31, 32, 33)
    system.answers["InitializeProcThreadAttributeList"] = lambda *a: setattr(a[3]._obj, "value", 64)
    command = [sys.executable, "-m", "touchstone.media.worker"]
    return worker.WindowsWorker(command, {"A": "1"}, ProcessLimits(), way=way, api=system)


ORDER = {
    "empty": ["CreateProcessAsUserW", "AssignProcessToJobObject", "SetThreadToken", "ResumeThread"],
    "restricted": ["CreateProcessAsUserW", "AssignProcessToJobObject", "ResumeThread"],
}


@pytest.mark.parametrize("way", ["empty", "restricted"])
def test_a_worker_runs_only_once_it_is_in_its_job(way: worker.Way) -> None:
    system = recorded()
    process = launched(system, way)
    try:
        assert [name for name in system.names if name in ORDER["empty"]] == ORDER[way]
        arguments = dict(system.calls)["CreateProcessAsUserW"]
        line, flags, startup = arguments[2].value, arguments[6], arguments[9]._obj
        assert line.endswith(f"-m touchstone.media.worker {OVER_PIPES} {way}")
        assert flags == 0x4 | 0x8 | 0x400 | 0x80000
        assert startup.info.size == 112
        assert startup.info.flags == win.STARTF_USESTDHANDLES
        assert min(startup.info.standard_input, startup.info.standard_output) > 5000
        handed = dict(system.calls)["UpdateProcThreadAttribute"]
        assert list(handed[3]) == [
            startup.info.standard_input,
            startup.info.standard_output,
            startup.info.standard_error,
        ]
        assert process.pid == 33
        assert not process.inherits, "so it is not told of memory that it does not share"
    finally:
        process.end()
        process.close()
    assert dict(system.calls)["TerminateJobObject"][1] == ENDED


@pytest.mark.parametrize("step", ["AssignProcessToJobObject", "SetThreadToken", "CreateProcessAsUserW"])
def test_a_worker_that_cannot_be_confined_is_ended_before_it_runs(step: str) -> None:
    system = recorded(fails=step)
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: PTH208
    with pytest.raises(OSError, match="access is denied"):
        launched(system, "empty")
    assert "ResumeThread" not in system.names
    assert "TerminateJobObject" in system.names
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == before, "no pipe stays open"  # noqa: PTH208


def test_files_are_lent_for_reading_only() -> None:
    system = recorded()
    process = launched(system, "empty")
    try:
        number = process.lend(9)
    finally:
        process.end()
        process.close()
    arguments = dict(system.calls)["DuplicateHandle"]
    assert arguments[1:3] == (5009, 31)
    assert arguments[4:] == (0x120089, 0, 0), "FILE_GENERIC_READ, not inherited, no other option"
    assert number == arguments[3]._obj.value


def test_the_loan_is_given_back_last() -> None:
    system = recorded()
    for protect in own.protections(system, "empty").values():
        protect()
    assert system.names[-1] == "RevertToSelf"
    assert system.names.count("SetProcessMitigationPolicy") == len(win.MITIGATIONS)
    assert tokens.UNTRUSTED in [a[0] for name, a in system.calls if name == "ConvertStringSidToSidW"]


def test_a_loan_that_stays_ends_the_worker() -> None:
    with pytest.raises(SystemExit, match="RevertToSelf"):
        own.protections(recorded(fails="RevertToSelf"), "empty")["empty_token"]()


def test_without_the_empty_token_the_report_says_so() -> None:
    with pytest.raises(Unsupported, match="does not start with it"):
        own.protections(recorded(), "restricted")["empty_token"]()


def test_bounds_are_those_of_the_job() -> None:
    system = recorded()

    def answer(_job: None, _kind: int, limits: Any, _size: int, _needed: None) -> None:
        ctypes.memmove(ctypes.byref(limits._obj), ctypes.byref(limits_of(ProcessLimits())), 144)

    system.answers["QueryInformationJobObject"] = answer
    found = own.bounds(system)
    assert (found["AS"], found["CPU"], found["NPROC"]) == (str(2048 << 20), "3600", "1")
    assert own.bounds(recorded(fails="QueryInformationJobObject"))["AS"].startswith("no job")


@pytest.mark.skipif(sys.platform == "win32", reason="there the functions exist")
def test_away_from_windows_the_real_system_says_so() -> None:
    with pytest.raises(OSError, match="on Windows only"):
        api.System()
