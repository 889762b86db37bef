"""A small assembler for the classic BPF programs that seccomp runs.

A program is a list of rules, one for each system call; each ends in an action. Only what the worker's
filter needs is here: equal, masked-equal and null tests on 64-bit arguments.
Source: linux/filter.h, linux/seccomp.h, Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .syscalls import AUDIT_ARCH_X86_64, Architecture

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6] (little endian on both machines)
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
_X32_BIT = 0x40000000  # asm/unistd.h: calls of the x32 ABI, which shares x86-64's audit architecture

_LOAD, _AND, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_MASK32 = 0xFFFFFFFF


def refuse(errno: int) -> int:
    """The action that makes a call fail with `errno`."""
    return _ERRNO | errno


@dataclass(frozen=True)
class Test:
    """`(args[argument] & mask) == value`, over all 64 bits."""

    argument: int
    value: int
    mask: int = (1 << 64) - 1


@dataclass(frozen=True)
class Rule:
    """What becomes of one system call: `action` if any of the alternatives holds in full, else `otherwise`.

    An alternative is a set of tests that must all hold; no alternatives means always.
    """

    call: str
    action: int = ALLOW
    alternatives: tuple[tuple[Test, ...], ...] = ()
    otherwise: int | None = None


@dataclass(frozen=True)
class _Instruction:
    code: int
    jump_true: int
    jump_false: int
    operand: int

    def pack(self) -> bytes:
        return struct.pack("=HBBI", self.code, self.jump_true, self.jump_false, self.operand)


def _return(action: int) -> _Instruction:
    return _Instruction(_RETURN, 0, 0, action)


def _word_tests(test: Test) -> list[tuple[int, int, int]]:
    """A 64-bit test as tests of its halves: (offset, mask, value); one that is masked out is left out."""
    base = _OFFSET_ARGS + 8 * test.argument
    halves = (
        (base, test.mask & _MASK32, test.value & _MASK32),
        (base + 4, test.mask >> 32, test.value >> 32),
    )
    return [half for half in halves if half[1]]


def _alternative(tests: Sequence[Test], action: int) -> list[_Instruction]:
    """Code that returns `action` if all tests hold and runs on behind itself if one does not."""
    words = [word for test in tests for word in _word_tests(test)]
    blocks = [
        [_Instruction(_LOAD, 0, 0, offset)] + ([] if mask == _MASK32 else [_Instruction(_AND, 0, 0, mask)])
        for offset, mask, _ in words
    ]
    total = sum(len(block) + 1 for block in blocks) + 1  # + the jump of each, + the return
    code: list[_Instruction] = []
    for block, (_, _, value) in zip(blocks, words, strict=True):
        code += block
        code.append(_Instruction(_JUMP_EQUAL, 0, total - len(code) - 1, value))
    return [*code, _return(action)]


def assemble(machine: Architecture, rules: Sequence[Rule], default: int) -> bytes:
    """The program as the kernel takes it: 8 bytes an instruction.

    Calls of another architecture end the process: their numbers mean something else. A rule for a call
    that the machine does not have is left out.
    """
    code = [
        _Instruction(_LOAD, 0, 0, _OFFSET_ARCH),
        _Instruction(_JUMP_EQUAL, 1, 0, machine.audit),
        _return(KILL_PROCESS),
        _Instruction(_LOAD, 0, 0, _OFFSET_NR),
    ]
    if machine.audit == AUDIT_ARCH_X86_64:
        code += [_Instruction(_JUMP_AT_LEAST, 0, 1, _X32_BIT), _return(KILL_PROCESS)]
    for rule in rules:
        number = machine.numbers.get(rule.call)
        if number is None:
            continue
        body: list[_Instruction] = []
        for tests in rule.alternatives:
            body += _alternative(tests, rule.action)
        body.append(_return((default if rule.otherwise is None else rule.otherwise) if body else rule.action))
        code += [_Instruction(_JUMP_EQUAL, 0, len(body), number), *body]
    code.append(_return(default))
    return b"".join(instruction.pack() for instruction in code)
