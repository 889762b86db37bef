"""The daemon: one at a time, on loopback only, found while it is there and gone without a trace."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat

import pytest

from server.daemons import PacedScanner, running
from touchstone.server.serve import AlreadyRunning, listen
from touchstone.system import daemon_process
from touchstone.system.paths import Paths


async def test_the_runtime_file_tells_where_the_daemon_is_while_it_is_there(
    paths: Paths, scanner: PacedScanner
) -> None:
    async with running(paths, scanner) as port:
        written = json.loads(paths.daemon_file.read_text())
        assert (written["pid"], written["port"]) == (os.getpid(), port)
        assert stat.S_IMODE(paths.daemon_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(paths.runtime_dir.stat().st_mode) == 0o700
        found = await asyncio.to_thread(daemon_process.find, paths)
        assert found and found.port == port
    assert not paths.daemon_file.exists()


async def test_there_is_one_daemon_for_each_installation(paths: Paths, scanner: PacedScanner) -> None:
    async with running(paths, scanner) as port:
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}, port {port}"):
            async with running(paths, scanner):
                pass
        assert json.loads(paths.daemon_file.read_text())["port"] == port
    async with running(paths, scanner):
        pass


async def test_a_port_that_is_taken_is_left_to_its_owner(paths: Paths, scanner: PacedScanner) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        async with running(paths, scanner, port=taken) as port:
            assert port != taken
            assert json.loads(paths.daemon_file.read_text())["port"] == port


def test_only_the_loopback_interface_is_listened_on() -> None:
    sockets = listen(0)
    addresses = {listener.getsockname()[0] for listener in sockets}
    for listener in sockets:
        listener.close()
    assert "127.0.0.1" in addresses
    assert addresses <= {"127.0.0.1", "::1"}
