"""One port's host: reads requests, has each answered by its handler, hands on what the daemon tells."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from ..native_messages import Hello
from ..verdict import Model
from .framing import FrameWriter, read_message
from .greeting import state_message
from .link import Connect, DaemonLink, DaemonState
from .problems import Code, NativeError
from .requests import HANDLERS, Handling
from .scans import Scans
from .uploads import Uploads

log = logging.getLogger(__name__)

# Browsers kill a host some two seconds after they closed its pipes; what was asked just before that is still
# handed to the daemon.
GRACE_S = 1.5
# Messages read ahead of their handling; a browser that sends faster waits at its pipe.
READ_AHEAD = 8
# Requests being answered at once; beyond that the browser waits too.
MAX_AT_WORK = 256

Incoming = asyncio.Queue[dict[str, Any] | NativeError | None]


class Host:
    """Serves one port until the browser closes it.

    Args:
        reader, writer: the two pipes.
        connect: finds or starts the daemon.
        spool: folder for uploads on their way.
        state: of the daemon, as the browser has been told already.
    """

    def __init__(
        self,
        reader: BinaryIO,
        writer: FrameWriter,
        connect: Connect,
        spool: Path,
        state: DaemonState = "starting",
    ) -> None:
        self._reader = reader
        self._writer = writer
        # One thread writes, so that messages keep their order and a slow browser does not block the loop.
        self._out = ThreadPoolExecutor(1, thread_name_prefix="to-browser")
        self.link = DaemonLink(connect, self._tell_state, state)
        self.scans = Scans(self.link, self.answer, self.refuse)
        self.uploads = Uploads(spool)
        self.greeted = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Read and answer until the stream ends."""
        incoming: Incoming = asyncio.Queue(READ_AHEAD)
        loop = asyncio.get_running_loop()
        threading.Thread(
            target=_read_all, args=(self._reader, loop, incoming), name="from-browser", daemon=True
        ).start()
        self._spawn(self._look_for_daemon())
        try:
            while (message := await incoming.get()) is not None:
                if isinstance(message, NativeError):
                    await self.send(message.message())
                    if message.message()["fatal"]:
                        break
                else:
                    await self._receive(message)
        except OSError:
            log.info("the browser closed the port")
        finally:
            await self._close()

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send one message. Fields of its own that are None are left out.

        Raises:
            OSError: the browser has closed the port.
        """
        told = {name: value for name, value in message.items() if value is not None}
        await asyncio.get_running_loop().run_in_executor(self._out, self._writer.write, told)

    async def answer(self, reply: Model) -> None:
        """Send one of the protocol's replies."""
        await self.send(reply.model_dump(mode="json", by_alias=True))

    async def refuse(self, problem: NativeError, request: str | None) -> None:
        """Send an error, in answer to a request if there is one."""
        await self.send(problem.message(request))

    async def _receive(self, message: dict[str, Any]) -> None:
        request = message.get("request")
        about = request if isinstance(request, str) and len(request) <= 64 else None
        try:
            handling, parsed = self._parse(message)
        except NativeError as problem:
            await self.refuse(problem, about)
            return
        work = self._handle(handling, parsed)
        if handling.in_order:
            await work
            return
        while len(self._tasks) >= MAX_AT_WORK:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self._spawn(work)

    def _parse(self, message: dict[str, Any]) -> tuple[Handling, Model]:
        name = message.get("type")
        handling = HANDLERS.get(name) if isinstance(name, str) else None
        if handling is None:
            raise NativeError(Code.UNKNOWN_TYPE, type=str(name)[:64])
        if not self.greeted and handling.model is not Hello:
            raise NativeError(Code.NOT_GREETED, type=name)
        try:
            return handling, handling.model.model_validate(message)
        except ValidationError as problem:
            error = problem.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(step) for step in error["loc"])
            reason = f"{where}: {error['msg']}" if where else error["msg"]
            raise NativeError(Code.INVALID_MESSAGE, type=name, reason=reason) from problem

    async def _handle(self, handling: Handling, message: Any) -> None:
        try:
            await handling.handle(self, message)
        except NativeError as problem:
            await self.refuse(problem, message.request)
        except OSError:
            log.info("the browser closed the port during %s", message.type)
        except Exception as problem:
            # A mistake of ours: it may cost this request, not the port.
            log.exception("%s failed", message.type)
            await self.send(
                NativeError(Code.HOST_FAILED, reason=type(problem).__name__).message(message.request)
            )

    async def _look_for_daemon(self) -> None:
        """Have the daemon up, and its state told, before anyone asks."""
        with suppress(NativeError, OSError):
            health = await self.link.ask(lambda client: client.health())
            self.uploads.limit_bytes = health.max_bytes or self.uploads.limit_bytes

    async def _tell_state(self, state: DaemonState, daemon_version: str | None, reason: str | None) -> None:
        await self.send(state_message(state, daemon_version, reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE_S)
        for task in self._tasks:
            task.cancel()
        self.scans.close()
        self.uploads.close()
        await self.link.close()
        self._out.shutdown(wait=False, cancel_futures=True)


def _read_all(stream: BinaryIO, loop: asyncio.AbstractEventLoop, incoming: Incoming) -> None:
    """On a thread of its own, since pipes cannot be awaited everywhere: read until nothing more can come."""
    message: dict[str, Any] | NativeError | None
    while True:
        try:
            message = read_message(stream)
        except NativeError as problem:
            message = problem
        except (OSError, ValueError):  # ValueError: the stream was closed under us
            message = None
        try:
            # Waits while the queue is full.
            asyncio.run_coroutine_threadsafe(incoming.put(message), loop).result()
        except (RuntimeError, asyncio.CancelledError):  # the loop has ended
            return
        if message is None or (isinstance(message, NativeError) and message.message()["fatal"]):
            return
