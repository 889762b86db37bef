"""Runs the daemon: one for each user, on the loopback interface, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

from aiohttp import web

from .. import __version__
from ..messages import say
from ..settings import Settings
from ..store import Store, StoreThread, store_path
from ..system.locks import LockTimeout, file_lock
from ..system.paths import Paths, write_private_file
from ..system.power import this_power
from .app import RUNNER_OPTIONS, make_app
from .guards import Access
from .scans import Scanner
from .spool import Spool

if TYPE_CHECKING:
    from ..calibration.in_force import InForce

log = logging.getLogger(__name__)

SPOOL_NAME = "uploads"
SPOOL_FILES = 4
"""All uploads that wait may together be as long as this many of the longest."""

STOP_GRACE_S = 5.0
"""How long running scans have to end. Shorter than the 20 s after which whoever stops us loses patience."""

LOCK_WAIT_S = 1.0
"""Whoever looks for a daemon holds its lock for a moment; a daemon that is there holds it for good."""

BACKLOG = 64


class AlreadyRunning(Exception):
    """Another daemon serves the same directories; the text says so and what to do."""


class CannotListen(Exception):
    """There is no port on the loopback interface; the text says why."""


@dataclass(frozen=True)
class Daemon:
    """All that a daemon works with.

    Attributes:
        paths: where its files are; made.
        settings: see settings.py.
        token: the bearer token.
        chromium_ids: ids of the extensions that may call the API.
        edition: what could give another answer to the same bytes, see `Scans`.
        open_scanner: opens the pipeline for as long as the daemon runs.
        calibration: gives what scans are weighed by; None where that never changes.
        clock: seconds since the epoch.
        monotonic: seconds, for durations.
    """

    paths: Paths
    settings: Settings
    token: str = field(repr=False)
    chromium_ids: frozenset[str]
    edition: str
    open_scanner: Callable[[], AbstractAsyncContextManager[Scanner]]
    calibration: Callable[[], InForce] | None = None
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


async def serve(
    daemon: Daemon, on_ready: Callable[[int], None] = lambda _: None, stop: asyncio.Event | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, or until `stop` is set.

    Args:
        daemon: what it works with.
        on_ready: told the port once requests are answered and the runtime file is written.
        stop: another way to end it.

    Raises:
        AlreadyRunning: there is one already.
        CannotListen: no port could be had.
        NewerStore, sqlite3.DatabaseError: the store cannot be used.
    """
    stop = stop or asyncio.Event()
    with ExitStack() as held:
        held.enter_context(_only_one(daemon.paths))
        sockets = listen(daemon.settings.port)
        for listener in sockets:
            held.callback(listener.close)
        port: int = sockets[0].getsockname()[1]
        async with AsyncExitStack() as open_things:
            held.enter_context(_signals(stop))
            await _start(daemon, sockets, port, open_things)
            held.enter_context(_runtime_file(daemon, port))
            log.info("touchstone %s listens on port %d", __version__, port)
            on_ready(port)
            await stop.wait()
            # Not found any more from here on, so that nobody starts to talk to a daemon that goes away.
            daemon.paths.daemon_file.unlink(missing_ok=True)
            log.info("stopping")
    log.info("stopped")


async def _start(
    daemon: Daemon, sockets: list[socket.socket], port: int, open_things: AsyncExitStack
) -> None:
    settings = daemon.settings
    db = await open_things.enter_async_context(
        StoreThread(partial(Store, store_path(daemon.paths), daemon.clock))
    )
    app = make_app(
        access=Access(daemon.token, port, daemon.chromium_ids | set(settings.extension_ids)),
        scanner=await open_things.enter_async_context(daemon.open_scanner()),
        db=db,
        # In the data directory: what waits there has been accepted, and must outlive a cleared cache.
        spool=Spool(
            daemon.paths.data_dir / SPOOL_NAME,
            max_file_bytes=settings.max_bytes,
            max_total_bytes=SPOOL_FILES * settings.max_bytes,
        ),
        settings=settings,
        edition=daemon.edition,
        calibration=daemon.calibration,
        monotonic=daemon.monotonic,
        stop_grace_s=STOP_GRACE_S,
        power=this_power().state,
    )
    runner = web.AppRunner(app, shutdown_timeout=1.0, **RUNNER_OPTIONS)
    await runner.setup()
    open_things.push_async_callback(runner.cleanup)
    for listener in sockets:
        await web.SockSite(runner, listener, backlog=BACKLOG).start()


def listen(port: int) -> list[socket.socket]:
    """Sockets on 127.0.0.1 and, where there is one, ::1: on `port`, or on a free one if it is taken.

    Raises:
        CannotListen: not even a free port could be had.
    """
    try:
        try:
            first = _bind(socket.AF_INET, "127.0.0.1", port)
        except OSError as problem:
            if problem.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            first = _bind(socket.AF_INET, "127.0.0.1", 0)
            log.warning("port %d is taken; using %d", port, first.getsockname()[1])
    except OSError as problem:
        raise CannotListen(say("server.serve.cannot_listen", port=port, reason=problem.strerror)) from problem
    sockets = [first]
    # Clients that take "localhost" for ::1 are served too; a machine without IPv6 is fine without.
    with contextlib.suppress(OSError):
        sockets.append(_bind(socket.AF_INET6, "::1", first.getsockname()[1]))
    return sockets


def _bind(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if sys.platform == "win32":
            # There SO_REUSEADDR would let another program take our port over; this option forbids it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Lets a restarted daemon have its port back at once.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


@contextmanager
def _only_one(paths: Paths) -> Iterator[None]:
    try:
        with file_lock(paths.daemon_lock, wait_s=LOCK_WAIT_S):
            # What a daemon that was killed left behind says nothing about this one.
            paths.daemon_file.unlink(missing_ok=True)
            yield
    except LockTimeout as problem:
        raise AlreadyRunning(say("server.serve.already_running", who=_who(paths))) from problem


def _who(paths: Paths) -> str:
    try:
        written = json.loads(paths.daemon_file.read_text())
        return say("server.serve.who", pid=int(written["pid"]), port=int(written["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return say("server.serve.who_unknown")


@contextmanager
def _runtime_file(daemon: Daemon, port: int) -> Iterator[None]:
    """Say where the daemon is, for as long as it is there."""
    content = {"pid": os.getpid(), "port": port, "version": __version__, "started_at": daemon.clock()}
    write_private_file(daemon.paths.daemon_file, json.dumps(content).encode() + b"\n")
    try:
        yield
    finally:
        daemon.paths.daemon_file.unlink(missing_ok=True)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """Set `stop` on SIGINT and SIGTERM (and Ctrl-Break on Windows)."""
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    wanted = [getattr(signal, name) for name in names if hasattr(signal, name)]

    def handler(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    # signal.signal, not loop.add_signal_handler: it works on Windows too.
    before = {number: signal.signal(number, handler) for number in wanted}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
