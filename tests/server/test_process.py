"""The daemon as a process of its own, with the real pipeline: it starts fast, stays small and survives."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from server.daemons import free_port
from touchstone.server.client import DaemonClient
from touchstone.system import daemon_process
from touchstone.system.paths import Paths
from touchstone.wire import FileSource, ScanState, UploadSource, UrlSource


def declared_png() -> bytes:
    """A picture of one pixel whose XMP says that a model made it (IPTC digital source type)."""
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        "Iptc4xmpExt:DigitalSourceType="
        '"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode())
        + chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
        + chunk(b"IEND", b"")
    )


async def ended(client: DaemonClient, scan_id: str) -> ScanState:
    """A scan once it is done."""
    async with asyncio.timeout(60):
        while (state := await client.state(scan_id)).state != "done":  # noqa: ASYNC110 - it is elsewhere
            await asyncio.sleep(0.05)
    return state


class Process:
    """`touchstone serve` as a child of this one."""

    def __init__(self, home: Path) -> None:
        self.paths = Paths.under(home)
        self._environ = {**os.environ, "TOUCHSTONE_HOME": str(home), "TOUCHSTONE_PORT": str(free_port())}
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; seconds until it answers."""
        began = time.monotonic()
        command = [sys.executable, "-m", "touchstone", "serve"]
        self._child = subprocess.Popen(command, env=self._environ, stdout=subprocess.DEVNULL)
        while not daemon_process.find(self.paths):
            assert self._child.poll() is None, "the daemon ended"
            assert time.monotonic() - began < 30
            time.sleep(0.02)
        return time.monotonic() - began

    @property
    def pid(self) -> int:
        assert self._child
        return self._child.pid

    def end(self, number: int) -> int:
        """Send it a signal and wait for it to end; its exit code."""
        assert self._child
        self._child.send_signal(number)
        return self._child.wait(timeout=20)

    def client(self) -> DaemonClient:
        token = (self.paths.config_dir / "token").read_text().strip()
        return DaemonClient(partial(daemon_process.find, self.paths), token)


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """A daemon's process, started by the test and ended with it."""
    # A desktop's own keyring is none of a test's business.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    process = Process(tmp_path / "home")
    yield process
    if process._child and process._child.poll() is None:
        process._child.kill()
        process._child.wait()


async def test_a_real_scan_by_a_real_daemon(process: Process, tmp_path: Path) -> None:
    picture, junk = tmp_path / "picture.png", tmp_path / "junk.mp4"
    picture.write_bytes(declared_png())
    junk.write_bytes(b"this is no video" * 10)
    await asyncio.to_thread(process.start)
    async with process.client() as client:
        scan = await client.scan(FileSource(path=str(picture)))
        assert (scan.verdict.label.value, scan.verdict.basis.value) == ("ai_generated", "declared")
        state = await client.upload(picture, UploadSource())
        state = await ended(client, state.id)
        assert state.scan and state.scan.verdict == scan.verdict
        assert (await client.scan(FileSource(path=str(junk)))).verdict.label.value == "unreadable"
        # A page must not be able to make the daemon ask itself, or anything else of this machine.
        found = daemon_process.find(process.paths)
        assert found
        own = await client.scan(UrlSource(url=f"{found.base_url}/v1/health"))
        assert own.verdict.label.value == "unreadable"
    assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
    assert not process.paths.daemon_file.exists()


async def test_a_daemon_that_is_killed_in_the_middle_loses_no_scan(process: Process, tmp_path: Path) -> None:
    zeros = tmp_path / "zeros.mp4"
    with zeros.open("wb") as file:
        file.truncate(1 << 29)  # takes a while to hash, and no room on the disk
    await asyncio.to_thread(process.start)
    async with process.client() as client:
        states = [await client.submit(FileSource(path=str(zeros))) for _ in range(3)]
        assert states[-1].state != "done"
    assert await asyncio.to_thread(process.end, signal.SIGKILL) == -signal.SIGKILL
    await asyncio.to_thread(process.start)
    async with process.client() as client:
        for state in states:
            found = await ended(client, state.id)
            assert found.scan and found.scan.verdict.label.value == "unreadable"
            assert "stopped" not in found.scan.verdict.headline


async def test_ctrl_c_ends_it_with_open_streams(process: Process) -> None:
    await asyncio.to_thread(process.start)
    found = daemon_process.find(process.paths)
    assert found
    async with aiohttp.ClientSession() as session, session.get(found.base_url + "/v1/health") as response:
        assert response.status == 200
        began = time.monotonic()
        assert await asyncio.to_thread(process.end, signal.SIGINT) == 0
        assert time.monotonic() - began < 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_an_idle_daemon_is_small(process: Process) -> None:
    process.start()
    status = Path(f"/proc/{process.pid}/status").read_text()
    (resident,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")]
    assert resident < 150 * 1024  # DESIGN: idles under 150 MB
    loaded = Path(f"/proc/{process.pid}/maps").read_text()
    for heavy in ("libc2pa", "libav", "onnxruntime", "numpy"):
        assert heavy not in loaded


def test_serving_imports_nothing_heavy() -> None:
    code = "import touchstone.server.serve, touchstone.engine, sys; print(*sys.modules)"
    names = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"av", "c2pa", "numpy", "onnxruntime", "rich"} & set(names.split())
