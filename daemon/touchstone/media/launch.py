"""How a worker process is started, told of files and ended, on each system.

On POSIX over a socket pair, which carries open files. Where a socket can't (Windows), over two pipes, and
files are put into the worker by the system beforehand.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from .framing import MAX_ANSWER
from .link import Link
from .pipes import PipeLink, pipes_to_a_process
from .sandbox import ProcessLimits

OVER_PIPES = "pipes"
"""First argument of a worker whose link is its standard input and output; a number is that of a socket."""

AnyLink = Link | PipeLink
COMPLAINT_BYTES = 1 << 16
"""Of what a worker wrote to its standard error, to read at a time."""


class Launched(Protocol):
    """A process that was started. Its calls block shortly, and `end` and `close` may be repeated."""

    link: AnyLink
    inherits: bool
    """Whether it has the descriptors that it was to inherit."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None:
        """How it ended, as `subprocess` says it; None while it runs."""

    def wait(self, seconds: float) -> None:
        """Until it has ended, or `seconds` have passed."""

    def lend(self, descriptor: int) -> int:
        """The number by which the process knows a file that is open here.

        Raises:
            OSError: it cannot be lent.
        """

    def complaints(self) -> bytes:
        """What it wrote to its standard error since the last time."""

    def peak_memory_mib(self) -> int | None:
        """The most real memory that it has held; None where the system doesn't tell."""

    def end(self) -> None:
        """End it, and whatever it has started, now."""

    def close(self) -> None:
        """Give up what this side holds of it."""


Launch = Callable[[Sequence[str], Mapping[str, str], ProcessLimits, Sequence[int]], Launched]
"""Starts a command, to which the place of the link is added, with an environment, limits, and descriptors
that it inherits. Raises OSError where it cannot be started.
"""


class Ways:
    """Ways to start a worker, the most confined first; those that a system turns out not to have are dropped.

    Args:
        ways: at least one.
    """

    def __init__(self, ways: Sequence[Launch]) -> None:
        self._ways = list(ways)

    def left(self) -> Sequence[Launch]:
        """Those to try, in order."""
        return tuple(self._ways)

    def worked(self, way: Launch) -> None:
        """A worker came up by this one: those before it need not be tried again."""
        if way in self._ways:
            del self._ways[: self._ways.index(way)]


def ways_of_this_system() -> Ways:
    """How workers are started here."""
    if sys.platform == "win32":
        from .windows.worker import LAUNCHES

        return Ways(LAUNCHES)
    return Ways([OverSocket])


class _Started:
    """A process of `subprocess`, in a session of its own, and the pipe of its standard error."""

    inherits = True

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        passed: Sequence[int],
        standard_in: int,
        standard_out: int,
    ) -> None:
        complaints, complain = os.pipe()
        # A worker that writes more than a pipe holds loses the rest instead of waiting.
        os.set_blocking(complaints, False)
        os.set_blocking(complain, False)
        self._complaints = os.fdopen(complaints, "rb", buffering=0)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=standard_in,
                stdout=standard_out,
                stderr=complain,
                pass_fds=tuple(passed),
                cwd=Path("/"),
                env=dict(environment),
                start_new_session=True,
            )
        except OSError:
            self._complaints.close()
            raise
        finally:
            os.close(complain)

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=seconds)

    def complaints(self) -> bytes:
        return b"" if self._complaints.closed else self._complaints.read(COMPLAINT_BYTES) or b""

    def peak_memory_mib(self) -> int | None:
        """From Linux's /proc; None elsewhere."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        lines = status.splitlines()
        return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM:")), None)

    def end(self) -> None:
        if self._process.returncode is None:
            if sys.platform != "win32":
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def close(self) -> None:
        self._complaints.close()


class OverSocket(_Started):
    """POSIX: a socket pair, which carries open files."""

    link: AnyLink

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        limits: ProcessLimits,
        inherited: Sequence[int] = (),
    ) -> None:
        ours, theirs = socket.socketpair()
        number = theirs.fileno()
        try:
            super().__init__(
                [*command, str(number)],
                environment,
                (number, *inherited),
                subprocess.DEVNULL,
                subprocess.DEVNULL,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self.link = Link(ours, largest=MAX_ANSWER)

    def lend(self, descriptor: int) -> int:
        return descriptor

    def close(self) -> None:
        self.link.close()
        super().close()


class OverPipes(_Started):
    """The two pipes of Windows, on POSIX: `lend` has those descriptors only that the process has inherited.

    Each can be lent once, since the process closes it. It is how that link is tested away from Windows.
    """

    link: AnyLink

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        limits: ProcessLimits,
        inherited: Sequence[int] = (),
    ) -> None:
        with pipes_to_a_process(largest=MAX_ANSWER) as (self.link, request, answer):
            super().__init__([*command, OVER_PIPES], environment, inherited, request, answer)
        self._inherited = [(os.fstat(descriptor), descriptor) for descriptor in inherited]

    def lend(self, descriptor: int) -> int:
        wanted = os.fstat(descriptor)
        for place, (known, number) in enumerate(self._inherited):
            if os.path.samestat(known, wanted):
                del self._inherited[place]
                return number
        raise OSError(f"descriptor {descriptor} is not one that the process has inherited")

    def close(self) -> None:
        self.link.close()
        super().close()
