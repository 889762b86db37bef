"""Examiners that behave as badly as a decoder that an attacker took over; the tests' workers import this."""
# ruff: noqa: PTH101, PTH108, PTH116, PTH208, S103, S606

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from touchstone.examiners import Clip, Examiner, Needs
from touchstone.verdict import Evidence, Supports


def _say(examiner: str, finding: str) -> Evidence:
    return Evidence(examiner=examiner, finding=finding, supports=Supports.NEITHER)


class Acting:
    """An examiner that does one thing and says what came of it."""

    needs = Needs.BYTES

    def __init__(self, name: str, act: Callable[[Clip], object]) -> None:
        self.name = name
        self._act = act

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        if clip.size < 1000:
            return  # the rehearsal, before the process is confined
        yield _say(self.name, "before")
        yield _say(self.name, str(self._act(clip)))


class Trying(Acting):
    """Tries one forbidden thing and says how it was refused."""

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        if clip.size < 1000:
            return
        try:
            self._act(clip)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            yield _say(self.name, f"refused: {type(error).__name__}")
        else:
            yield _say(self.name, "allowed")


def _crash(_: Clip) -> None:
    ctypes.string_at(0)


def _hang(_: Clip) -> None:
    while True:
        time.sleep(1)


def _spin(_: Clip) -> None:
    while True:
        pass


def _devour(_: Clip) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


def _fork_bomb(_: Clip) -> str:
    refused = 0
    for _attempt in range(1000):
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        except OSError:
            refused += 1
    return f"{refused} of 1000 refused"


def _babble(_: Clip) -> None:
    os.write(_channel(), b"\x00\x00\x00\x05hello")
    time.sleep(60)


def _forge(_: Clip) -> None:
    body = b'{"type":"checked","examiner":"somebody else"}'
    os.write(_channel(), len(body).to_bytes(4, "big") + body)
    time.sleep(60)


def _announce_too_much(_: Clip) -> None:
    os.write(_channel(), b"\xff\xff\xff\xff")
    time.sleep(60)


def _channel() -> int:
    if sys.argv[1].isdigit():
        return int(sys.argv[1])
    # Over pipes: the only one, but for standard output and error, that is open for writing alone.
    return next(number for number in range(3, 100) if _is_for_writing(number))


def _is_for_writing(number: int) -> bool:
    try:
        return fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    except OSError:
        return False


def _write_to_input(clip: Clip) -> None:
    os.write(clip.file.fileno(), b"x")


def _start_thread(_: Clip) -> str:
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.append("ran"))
    thread.start()
    thread.join()
    return seen[0]


def _read(clip: Clip) -> int:
    clip.file.seek(0)
    return len(clip.file.read())


def _connect() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as end:
        end.connect(("127.0.0.1", 9))


ACTS: Mapping[str, Callable[[Clip], object]] = {
    "crash": _crash,
    "hang": _hang,
    "spin": _spin,
    "devour": _devour,
    "fork_bomb": _fork_bomb,
    "babble": _babble,
    "forge": _forge,
    "announce_too_much": _announce_too_much,
    "leave": lambda _: os._exit(3),
    "raise": lambda _: {}["nothing"],
    "thread": _start_thread,
    "read": _read,
    "doze": lambda _: time.sleep(0.3),
    "nap": lambda _: time.sleep(0.01),
    "fragments": lambda clip: sum(len(fragment.read()) for fragment in clip.fragments),
    "pid": lambda _: os.getpid(),
    "surrogate": lambda _: "\ud800",
    "huge": lambda _: "x" * (8 << 20),
    "nothing": lambda _: "after",
}

FORBIDDEN: Mapping[str, Callable[[Clip], object]] = {
    "open a system file": lambda _: Path("/etc/passwd").read_bytes(),
    "open this program": lambda _: Path(sys.executable).open("rb").close(),
    "open the input again to write": lambda clip: os.open(f"/proc/self/fd/{clip.file.fileno()}", os.O_RDWR),
    "create a file": lambda _: Path("/tmp/touchstone-escape").write_bytes(b""),
    "look a file up": lambda _: os.stat("/etc/passwd"),
    "list a folder": lambda _: os.listdir("/"),
    "write to the input": _write_to_input,
    "change the input's mode": lambda clip: os.chmod(clip.file.fileno(), 0o777),
    "truncate the input": lambda clip: os.truncate(clip.file.fileno(), 0),
    "make a TCP connection": lambda _: _connect(),
    "make a UDP socket": lambda _: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close(),
    "make a Unix socket": lambda _: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close(),
    "make a socket pair": lambda _: socket.socketpair(),
    "fork": lambda _: os.fork() or os._exit(0),
    "run a program": lambda _: subprocess.run([sys.executable, "-c", ""], check=True),
    "replace itself": lambda _: os.execv(sys.executable, [sys.executable, "-c", ""]),
    "signal the daemon": lambda _: os.kill(os.getppid(), 0),
    "raise its limits": lambda _: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1)),
    "make a memory file": lambda _: os.memfd_create("x"),
    "change folder": lambda _: os.chdir("/tmp"),
    "remove a file": lambda _: os.unlink("/tmp/touchstone-absent"),
    "make a pipe": lambda _: os.pipe(),
}  # fmt: skip


class Looking:
    """An examiner of frames: says how many it saw, and of what size."""

    needs = Needs.FRAMES

    def __init__(self, name: str) -> None:
        self.name = name

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        for run in clip.frames:
            for frame in run.frames:
                frame.rgb()
            first = run.frames[0]
            yield _say(self.name, f"{len(run.frames)} of {first.width}x{first.height}")


class LookingThen(Acting):
    """An examiner of frames that does one thing after it has seen them."""

    needs = Needs.FRAMES

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        if clip.size >= 1000:
            yield _say(self.name, f"saw {sum(len(run.frames) for run in clip.frames)}")
            yield from super().examine(clip)


def build(names: Sequence[str], settings: Mapping[str, Any]) -> list[Examiner]:
    """The registry that the tests' workers use instead of the product's."""
    if settings.get("fail"):
        raise RuntimeError("told to fail")
    return [_examiner(name) for name in names]


def _examiner(name: str) -> Examiner:
    kind = name.partition("#")[0]
    if kind == "look":
        return Looking(name)
    if kind.startswith("look then "):
        return LookingThen(name, ACTS[kind.removeprefix("look then ")])
    return Trying(name, FORBIDDEN[name]) if name in FORBIDDEN else Acting(name, ACTS[kind])
