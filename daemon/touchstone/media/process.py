"""The daemon's handle on one worker process. Its calls block and belong in a thread."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any

from ..intake import Material
from ..messages import say
from ..own_processes import command_of
from .answers import Answer, BadMessage, Done, OutOfMemory, from_json
from .launch import Ways, ways_of_this_system
from .link import MAX_FILES, LinkBroken, LinkSlow
from .sandbox import SandboxReport
from .spec import WorkerSpec

_log = logging.getLogger(__name__)

_PASSED_ON = (
    "PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT",
    "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE",
)  # fmt: skip
# Threads that libraries start at import would escape Landlock; arenas cost address space for each thread.
_SET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONUTF8": "1",
}
_READ_ONLY = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NTSTATUS_ERROR = 0xC0000000  # ntstatus.h: severity "error"


class WorkerLost(Exception):
    """The worker ended or was ended before its job was done. The text says why, in words.

    `overtime` is true where it was ended for being too slow: trying again would only take as long again.
    """

    def __init__(self, why: str, *, overtime: bool = False) -> None:
        super().__init__(why)
        self.overtime = overtime


def worker_command() -> list[str]:
    """How to start a worker."""
    return command_of("media-worker")


class WorkerProcess:
    """One worker, from its start to its end."""

    def __init__(
        self,
        command: Sequence[str],
        spec: WorkerSpec,
        environment: Mapping[str, str],
        start_s: float,
        block: tuple[int, int] | None = None,
        ways: Ways | None = None,
        on_launch: Callable[[WorkerProcess], None] = lambda _: None,
    ) -> None:
        """Start a worker and wait until it is confined and ready.

        Args:
            block: number and descriptor of the memory that it shares with the inference process.
            ways: how it may be started; the first is taken by which it comes up. This system's by default.
            on_launch: told, in this thread, once there is a process that `kill` can end.

        Raises:
            WorkerLost: it did not come up.
        """
        self._ending = threading.RLock()  # a cancelled job is ended while a thread still waits for its answer
        self._killed = False
        self.block = None if block is None else block[0]
        self.spec = spec
        self.jobs = 0
        self.memory_mib = 0
        kept = {name: environment[name] for name in _PASSED_ON if name in environment}
        ways = ways or ways_of_this_system()
        lost = WorkerLost(say("workers.why.misbehaved"))
        for way in ways.left():
            try:
                self._process = way(
                    command, {**kept, **_SET}, spec.limits, () if block is None else block[1:]
                )
            except OSError as error:
                lost = WorkerLost(f"{command[0]}: {error.strerror or error}")
                continue
            self._link = self._process.link
            on_launch(self)
            try:
                shared = block[1] if block is not None and self._process.inherits else None
                self._link.send({"spec": spec.as_json(), "block": shared})
                ready = self._link.receive(time.monotonic() + start_s)
            except LinkBroken as broken:
                ended_by_us = self._killed
                lost = self.bury(broken, start_s)
                if ended_by_us:
                    break
                continue
            ways.worked(way)
            self.sandbox = SandboxReport.from_json(ready.get("sandbox"))
            return
        raise lost

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def begin(
        self, material: Material, examiners: Sequence[str], seconds: float, *, alone: bool = False
    ) -> None:
        """Hand over a job: the material's files, opened read-only, and which examiners to run.

        Args:
            alone: they are run one after the other.

        Raises:
            OSError: a file cannot be opened.
            WorkerLost: the worker is gone.
        """
        self.jobs += 1
        paths = (material.path, *material.fragments)
        try:
            for start in range(0, len(paths), MAX_FILES):
                with ExitStack() as opened:
                    numbers = []
                    for path in paths[start : start + MAX_FILES]:
                        descriptor = os.open(path, _READ_ONLY)
                        opened.callback(os.close, descriptor)
                        numbers.append(self._process.lend(descriptor))
                    self._link.send({"type": "files"}, numbers)
            job = {
                "type": "job",
                "size": material.size,
                "complete": material.complete,
                "present": material.present,
                "pictures": material.pictures,
                "examiners": list(examiners),
                "seconds": seconds,
                "alone": alone,
            }
            self._link.send(job)
        except LinkBroken as broken:
            raise self.bury(broken, 0) from broken

    def reply(self, message: Mapping[str, Any]) -> None:
        """Answer something that the worker asked in the middle of a job; nothing where it has gone."""
        with suppress(LinkBroken):
            self._link.send(message)

    def next_answer(self, deadline: float, allowed_s: float) -> Answer:
        """The next answer of the job.

        Args:
            deadline: when it has to be here, by `time.monotonic()`.
            allowed_s: the seconds that the deadline stands for, to say so.

        Raises:
            WorkerLost: the worker ended, was too slow, or said something that makes no sense.
        """
        try:
            answer = from_json(self._link.receive(deadline))
        except (LinkBroken, BadMessage) as broken:
            raise self.bury(broken, allowed_s) from broken
        if isinstance(answer, Done):
            # The system is asked where it tells: the worker's own count starts from the daemon's, whose
            # memory it shared until it became another program.
            self.memory_mib = self._process.peak_memory_mib() or answer.memory_mib
        if isinstance(answer, OutOfMemory):
            self.kill()
            raise WorkerLost(say("workers.why.memory"))
        return answer

    def bury(self, broken: Exception, allowed_s: float) -> WorkerLost:
        """End the worker and say why it is lost."""
        if isinstance(broken, LinkSlow):
            self.kill()
            return WorkerLost(say("workers.why.overtime", seconds=allowed_s), overtime=True)
        # A socket that closed means the process is ending by itself: its status says how. Anything else
        # means that it talks nonsense, and it is ended.
        with self._ending:
            self._process.wait(1)
            status = self._process.poll()
            self.kill()
        return WorkerLost(_why(status))

    def kill(self) -> None:
        """End the process, and whatever it may have started, now. Never fails; may be called twice."""
        self._killed = True
        with self._ending:
            self._process.end()
            self.log_complaints()
            self._process.close()

    def log_complaints(self) -> None:
        """Put what the worker wrote to its standard error into our log, with nothing but plain text in it."""
        if said := self._process.complaints():
            text = "".join(
                c if c.isprintable() or c == "\n" else "?" for c in said.decode("utf-8", "replace")
            )
            _log.info("worker %d: %s", self.pid, text.strip())


def _why(status: int | None) -> str:
    if status is None:
        return say("workers.why.misbehaved")
    if status >= _NTSTATUS_ERROR:  # Windows, where a crash is an exit status
        return say("workers.why.crashed", signal=f"{status:#010x}")
    if status >= 0:
        return say("workers.why.exited", status=status)
    number = -status
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    key = {"SIGKILL": "killed", "SIGSYS": "forbidden"}.get(name, "crashed")
    return say(f"workers.why.{key}", signal=name)
