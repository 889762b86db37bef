"""A native host as a browser has it: a process with two pipes, and a daemon with a scripted pipeline."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from touchstone.system.daemon_process import RunningDaemon, find, find_or_start
from touchstone.system.paths import Paths

PROGRAMS = Path(__file__).with_name("programs")
WAIT_S = 20.0
HELLO = {"type": "hello", "request": "hello", "protocol": 1, "extension_version": "0.0.0"}


class Port:
    """The browser's end of a port."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin and process.stdout
        self.stdin = process.stdin
        self.stdout = process.stdout

    async def send(self, message: dict[str, Any]) -> None:
        await self.send_bytes(json.dumps(message).encode())

    async def send_bytes(self, body: bytes, length: int | None = None) -> None:
        self.stdin.write(struct.pack("=I", len(body) if length is None else length) + body)
        await self.stdin.drain()

    async def receive(self, wait_s: float = WAIT_S) -> dict[str, Any] | None:
        """The next message, whole; None when the host has ended."""
        message = await self.receive_frame(wait_s)
        text = ""
        while message is not None and message["type"] == "part":
            text += message["data"]
            if message["last"]:
                return dict(json.loads(text))
            message = await self.receive_frame(wait_s)
        return message

    async def receive_frame(self, wait_s: float = WAIT_S) -> dict[str, Any] | None:
        async with asyncio.timeout(wait_s):
            try:
                (size,) = struct.unpack("=I", await self.stdout.readexactly(4))
                assert size <= 1_000_000, "over what a browser takes"
                return dict(json.loads(await self.stdout.readexactly(size)))
            except asyncio.IncompleteReadError as end:
                assert not end.partial, "the host ended inside a message"
                return None

    async def until(self, kind: str, **fields: object) -> dict[str, Any]:
        """Skip messages up to one of this type with these fields."""
        skipped = []
        while (message := await self.receive()) is not None:
            if message["type"] == kind and fields.items() <= message.items():
                return message
            skipped.append(message)
        raise AssertionError(f"the host ended before {kind} {fields}; it said {skipped}")

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its direct answer."""
        await self.send(message)
        while (answer := await self.receive()) is not None:
            if answer.get("request") == message["request"]:
                return answer
        raise AssertionError(f"the host ended before it answered {message}")

    async def close(self) -> int:
        """Close the port as a browser does, and return the host's exit code."""
        if self.process.returncode is None:
            with suppress(BrokenPipeError, ConnectionResetError):
                self.stdin.close()
            async with asyncio.timeout(WAIT_S):
                return await self.process.wait()
        return self.process.returncode


OpenPort = Callable[..., Awaitable[Port]]


@pytest.fixture
def touchstone_home(tmp_path: Path) -> Path:
    folder = tmp_path / "touchstone"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def host_environment(environment: dict[str, str], touchstone_home: Path) -> dict[str, str]:
    return {**environment, "TOUCHSTONE_HOME": str(touchstone_home)}


@pytest.fixture
def paths(touchstone_home: Path) -> Iterator[Paths]:
    """Paths of a home; whatever daemon was started for it is ended afterwards."""
    paths = Paths.under(touchstone_home)
    yield paths
    end_daemon(paths, signal.SIGKILL)  # it would give a scan that hangs some seconds to end


@pytest.fixture
def start_daemon(paths: Paths, host_environment: dict[str, str]) -> Callable[[], RunningDaemon]:
    command = (sys.executable, str(PROGRAMS / "daemon.py"))
    return lambda: find_or_start(paths, command, host_environment, WAIT_S)


@pytest.fixture
async def open_port(paths: Paths, host_environment: dict[str, str]) -> AsyncIterator[OpenPort]:
    """Opens ports; `greet=True` also gets the state and the hello out of the way."""
    ports: list[Port] = []

    async def open_(*, greet: bool = True, program: str = "host.py") -> Port:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(PROGRAMS / program),
            "chrome-extension://abc/",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=host_environment,
        )
        port = Port(process)
        ports.append(port)
        if greet:
            state = await port.receive()
            assert state is not None and state["type"] == "state"
            answer = await port.ask(HELLO)
            assert answer["type"] == "welcome", answer
        return port

    yield open_
    for port in ports:
        if port.process.returncode is None:
            port.process.kill()
            await port.process.wait()


def end_daemon(paths: Paths, how: int = signal.SIGTERM) -> int | None:
    """End the daemon of these paths, wait until its process is gone, and return its id."""
    daemon = find(paths)
    if daemon is None:
        return None
    os.kill(daemon.pid, how)
    deadline = time.monotonic() + WAIT_S
    while is_running(daemon.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return daemon.pid


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        try:
            os.kill(pid, 0)
        except OSError:
            return False
        return True
    return stat.rpartition(")")[2].split()[0] != "Z"
