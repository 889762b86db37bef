"""The stdio bridge `org.touchstone.host`, which browsers start: docs/native-messaging.md.

A browser starts one host for every port the extension opens and waits for its first message, so this module
and what it imports are standard library only; the rest comes in after that message is out.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..system.daemon_process import find, find_or_start
from .framing import FrameWriter
from .greeting import state_message

if TYPE_CHECKING:
    from ..system.environment import Environment
    from .link import DaemonState

PROBE = "--probe"
LOG_NAME = "native-host.log"
LOG_LIMIT_BYTES = 1_000_000
# Only for the first message: a daemon that takes longer is reported as starting, and found soon after.
FIRST_LOOK_S = 0.5


def run(env: Environment, *, probe: bool = False) -> int:
    """Serve the browser at the other end of stdin and stdout until it closes them. Returns the exit code.

    `probe` ends after the first message: it shows that the program starts, and starts no daemon.
    """
    reader, stream = take_over_stdio()
    writer = FrameWriter(stream)
    found = find(env.paths, FIRST_LOOK_S)
    state: DaemonState = "up" if found else "starting"
    try:
        writer.write(state_message(state, found.version if found else None))
    except OSError:
        return 0  # the browser has gone already
    if probe:
        return 0
    serve(env, reader, writer, state)
    return 0


def serve(env: Environment, reader: BinaryIO, writer: FrameWriter, state: DaemonState) -> None:
    """Serve one port, its first message being out."""
    import asyncio

    from ..system.secrets import TokenStore
    from .host import Host
    from .link import Access

    env.paths.create()
    _log_to(env.paths.log_dir)
    tokens = TokenStore(env.paths, env.keyring)

    def connect() -> Access:
        daemon = find_or_start(env.paths, env.command, env.child_environ())
        return Access(daemon, tokens.load().value)

    async def main() -> None:
        host = Host(reader, writer, connect, env.paths.cache_dir / "native-host", state)
        host.uploads.sweep(env.clock())
        await host.serve()

    asyncio.run(main())


def take_over_stdio() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes to the browser, out of reach of everything else in this process.

    From here on whatever prints, in Python or in a native library, prints to stderr: one stray byte on the
    pipe to the browser would put every later message out of step.
    """
    if sys.platform == "win32":
        import msvcrt

        for stream in (sys.stdin, sys.stdout):
            msvcrt.setmode(stream.fileno(), os.O_BINARY)
    sys.stdout.flush()
    # Duplicates are not inherited, so no child of ours can hold the browser's pipes open or write to them.
    reader = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    writer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdin.fileno())
    os.dup2(sys.stderr.fileno() if sys.stderr else nowhere, sys.stdout.fileno())
    os.close(nowhere)
    sys.stdout = sys.stderr
    return reader, writer


def _log_to(folder: Path) -> None:
    import logging

    from ..server.logs import DiscreetFormatter, PrivateFileHandler

    handler = PrivateFileHandler(
        folder / LOG_NAME, maxBytes=LOG_LIMIT_BYTES, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(DiscreetFormatter((), addresses=False))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
