"""Proof from inside: what a confined worker tries and must be refused, and what the filter is built from."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hostile_examiners import FORBIDDEN
from kernel_numbers import NUMBERS
from pools import clip, collect, hostile_pool

from touchstone.media.sandbox import bpf
from touchstone.media.sandbox.seccomp import worker_rules
from touchstone.media.sandbox.syscalls import ARCHITECTURES, Architecture
from touchstone.media.workers import Found

linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")


@linux
async def test_everything_forbidden_is_refused_from_inside(tmp_path: Path) -> None:
    names = list(FORBIDDEN)
    pool = hostile_pool(names)
    try:
        messages = await collect(pool, clip(tmp_path), names)
        report = await pool.check()
    finally:
        await pool.close()
    if not report.complete:
        pytest.skip(f"this kernel cannot confine workers fully: {report.mechanisms}")
    said = {m.evidence.examiner: m.evidence.finding for m in messages if isinstance(m, Found)}
    assert dict.fromkeys(names, "refused") == {name: said[name].partition(":")[0] for name in names}


@linux
async def test_the_report_names_what_holds(tmp_path: Path) -> None:
    pool = hostile_pool(["nothing"])
    try:
        report = await pool.check()
    finally:
        await pool.close()
    assert set(report.mechanisms) == {"no_new_privs", "landlock", "seccomp", "write_xor_execute"}
    assert all(re.match(r"on\b|off: \S", state) for state in report.mechanisms.values())
    assert set(report.refused) == {"open_file", "socket", "child_process"}
    assert report.limits["FSIZE"] == "0"
    assert report.limits["CORE"] == "0"


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_system_call_numbers_are_the_kernels(machine: str) -> None:
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"no kernel headers at {header}")
    defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    table = ARCHITECTURES[machine].numbers
    assert {name: int(defined[name]) for name in table} == dict(table)


@pytest.mark.parametrize("machine", NUMBERS)
def test_system_call_numbers_are_right_for_each_machine(machine: str) -> None:
    """Also for the one that the tests do not run on."""
    table = ARCHITECTURES[machine].numbers
    assert dict(table) == {name: NUMBERS[machine][name] for name in table}


def test_machines_differ_only_by_calls_that_64_bit_arm_never_had() -> None:
    numbers = {name: set(machine.numbers) for name, machine in ARCHITECTURES.items()}
    assert numbers["x86_64"] - numbers["aarch64"] == {"poll", "time"}
    assert not numbers["aarch64"] - numbers["x86_64"]


def run_filter(
    program: bytes,
    number: int,
    arguments: tuple[int, ...] = (),
    audit: int | None = None,
    machine: Architecture = ARCHITECTURES["x86_64"],
) -> int:
    """A BPF machine for the few instructions that the assembler makes: what the kernel would answer."""
    data = number.to_bytes(4, "little") + (machine.audit if audit is None else audit).to_bytes(4, "little")
    data += bytes(8) + b"".join(a.to_bytes(8, "little") for a in (*arguments, *(0,) * (6 - len(arguments))))
    accumulator, at = 0, 0
    while True:
        code, yes, no = int.from_bytes(program[at : at + 2], "little"), program[at + 2], program[at + 3]
        operand = int.from_bytes(program[at + 4 : at + 8], "little")
        at += 8
        match code:
            case 0x20:
                accumulator = int.from_bytes(data[operand : operand + 4], "little")
            case 0x54:
                accumulator &= operand
            case 0x15:
                at += 8 * (yes if accumulator == operand else no)
            case 0x35:
                at += 8 * (yes if accumulator >= operand else no)
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"instruction {code:#x}")


EPERM, ENOSYS = bpf.refuse(1), bpf.refuse(38)
RULES = [
    bpf.Rule("read"),
    bpf.Rule("clone3", bpf.refuse(38)),
    bpf.Rule("write", alternatives=((bpf.Test(0, 2),), (bpf.Test(0, 7),))),
    bpf.Rule("mmap", alternatives=((bpf.Test(2, 0, 4), bpf.Test(0, 0)),)),
    bpf.Rule("ioctl", alternatives=((bpf.Test(1, 5),),), otherwise=bpf.refuse(25)),
]
# call number, arguments, the answer
ANSWERS = [
    (0, (), bpf.ALLOW),
    (435, (), ENOSYS),
    (1, (2,), bpf.ALLOW),
    (1, (7,), bpf.ALLOW),
    (1, (3,), EPERM),
    (1, (2 | 1 << 32,), EPERM),  # all 64 bits count
    (9, (0, 0, 3), bpf.ALLOW),
    (9, (0, 0, 5), EPERM),
    (9, (1, 0, 3), EPERM),
    (16, (0, 5), bpf.ALLOW),
    (16, (0, 6), bpf.refuse(25)),
    (59, (), EPERM),  # execve: no rule
    (0 | 0x40000000, (), bpf.KILL_PROCESS),  # x32
]


@pytest.mark.parametrize(("number", "arguments", "answer"), ANSWERS)
def test_the_filter_answers_as_its_rules_say(number: int, arguments: tuple[int, ...], answer: int) -> None:
    program = bpf.assemble(ARCHITECTURES["x86_64"], RULES, EPERM)
    assert run_filter(program, number, arguments) == answer


def test_calls_of_another_architecture_kill() -> None:
    program = bpf.assemble(ARCHITECTURES["x86_64"], RULES, EPERM)
    assert run_filter(program, 0, audit=ARCHITECTURES["aarch64"].audit) == bpf.KILL_PROCESS


# A call, its arguments, and what a worker with the channel 5 and the process id 1234 is answered.
WORKER_ANSWERS: list[tuple[str, tuple[int, ...], int]] = [
    ("read", (9,), bpf.ALLOW),
    ("futex", (), bpf.ALLOW),
    ("exit_group", (), bpf.ALLOW),
    ("write", (2,), bpf.ALLOW),
    ("write", (5,), bpf.ALLOW),
    ("write", (6,), EPERM),
    ("sendto", (5,), bpf.ALLOW),
    ("sendto", (6,), EPERM),
    ("clone", (0x10000,), bpf.ALLOW),  # CLONE_THREAD
    ("clone", (0x11,), EPERM),
    ("clone3", (), ENOSYS),
    ("mmap", (0, 4096, 3), bpf.ALLOW),
    ("mmap", (0, 4096, 7), EPERM),  # writable and executable
    ("mprotect", (0, 4096, 5), EPERM),
    ("tgkill", (1234,), bpf.ALLOW),
    ("tgkill", (1,), EPERM),
    ("prlimit64", (0, 7, 0), bpf.ALLOW),
    ("prlimit64", (0, 7, 1), EPERM),
    *((name, (), EPERM) for name in ("openat", "openat2", "socket", "connect", "bind", "execve", "execveat")),
    *((name, (), EPERM) for name in ("kill", "tkill", "ptrace", "mount", "bpf", "io_uring_setup")),
    *((name, (), EPERM) for name in ("userfaultfd", "unlinkat", "renameat2", "setns", "unshare")),
    *((name, (), EPERM) for name in ("pidfd_getfd", "process_vm_readv", "process_vm_writev", "statx")),
    *((name, (), EPERM) for name in ("memfd_create", "seccomp", "landlock_create_ruleset")),
]


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize(("call", "arguments", "answer"), WORKER_ANSWERS)
def test_a_workers_filter_on_each_machine(
    machine: str, call: str, arguments: tuple[int, ...], answer: int
) -> None:
    processor = ARCHITECTURES[machine]
    program = bpf.assemble(processor, worker_rules(5, 1234, write_xor_execute=True), EPERM)
    number = NUMBERS[machine][call]
    assert run_filter(program, number, arguments, processor.audit, processor) == answer
    other = next(other for name, other in ARCHITECTURES.items() if name != machine)
    assert run_filter(program, number, arguments, other.audit, processor) == bpf.KILL_PROCESS


def test_jumps_fit_their_byte() -> None:
    for machine in ARCHITECTURES.values():
        for on in (True, False):
            bpf.assemble(machine, worker_rules(5, 1234, write_xor_execute=on), EPERM)
