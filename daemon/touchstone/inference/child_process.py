"""The daemon's handle on one inference process. Its calls block and belong in a thread."""

from __future__ import annotations

import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..media.link import MAX_ANSWER, Link, LinkBroken, LinkSlow
from ..messages import say
from ..own_processes import command_of
from .batching import Batch


class ChildLost(Exception):
    """The process ended, was ended, or talks nonsense. The text says why, in words."""


def child_command() -> list[str]:
    """How to start the process."""
    return command_of("inference")


class ChildProcess:
    """One inference process, from its start to its end.

    Attributes:
        loaded: models that have run in it.
        blocks: numbers of the blocks that it knows.
        config: what it was told.
    """

    def __init__(
        self,
        command: Sequence[str],
        config: Mapping[str, Any],
        environment: Mapping[str, str],
        start_s: float,
    ) -> None:
        """Start it and wait until it is ready.

        Raises:
            ChildLost: it did not come up.
        """
        if sys.platform == "win32":
            raise ChildLost(say("inference.why.windows"))
        self.config = config
        self.loaded: set[str] = set()
        self.blocks: set[int] = set()
        self._forgotten: deque[int] = deque()
        self._ending = threading.RLock()
        ours, theirs = socket.socketpair()
        self._link = Link(ours, largest=MAX_ANSWER)
        try:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                cwd=Path("/"),
                # Threads that wait for the next run must not spin, and libraries must not start their own.
                env={**environment, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ChildLost(f"{command[0]}: {error.strerror}") from error
        finally:
            theirs.close()
        try:
            self._link.send(config)
            ready = self._link.receive(time.monotonic() + start_s)
        except LinkBroken as broken:
            raise self._bury(broken, start_s) from broken
        self.refused: Mapping[str, Any] = ready.get("refused") or {}

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def run(
        self, model: str, batches: Sequence[Batch], blocks: Mapping[int, tuple[int, int]], deadline: float
    ) -> dict[str, Any]:
        """Have batches run together.

        Args:
            blocks: descriptor and size of each block that a batch lies in and that is new to the process.
            deadline: when the answers have to be there, by `time.monotonic()`.

        Returns:
            `{"provider", "ms", "shapes"}`, or `{"problem"}` where the model would not.

        Raises:
            ChildLost: the process is gone.
        """
        started = time.monotonic()
        try:
            while self._forgotten:
                self._link.send({"type": "forget", "number": self._forgotten.popleft()})
            for number, (descriptor, size) in blocks.items():
                self._link.send({"type": "block", "number": number, "size": size}, [descriptor])
                self.blocks.add(number)
            self._link.send({"type": "run", "model": model, "parts": [_part(batch) for batch in batches]})
            answer = self._link.receive(deadline)
            if answer.get("type") == "failed":
                return {"problem": str(answer.get("problem"))}
            checked = _checked(answer, batches)
        except LinkBroken as broken:
            raise self._bury(broken, deadline - started) from broken
        except (KeyError, TypeError, ValueError) as nonsense:
            self.kill()
            raise ChildLost(say("inference.why.misbehaved")) from nonsense
        self.loaded.add(model)
        return checked

    def forget(self, number: int) -> None:
        """A block is no more. The process is told before the next run; called from any thread."""
        if number in self.blocks:
            self.blocks.discard(number)
            self._forgotten.append(number)

    def kill(self) -> None:
        """End the process, and whatever it may have started, now. Never fails; may be called twice."""
        with self._ending:
            if self._process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._link.close()

    def _bury(self, broken: Exception, allowed_s: float) -> ChildLost:
        """End the process and say why it is lost."""
        if isinstance(broken, LinkSlow):
            self.kill()
            return ChildLost(say("inference.why.overtime", seconds=round(allowed_s, 1)))
        with self._ending:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=1)
            status = self._process.returncode
            self.kill()
        if status is not None and status < 0:
            known = -status in set(signal.Signals)
            name = signal.Signals(-status).name if known else str(-status)
            return ChildLost(say("inference.why.crashed", signal=name))
        if status is not None:
            return ChildLost(say("inference.why.exited", status=status))
        return ChildLost(say("inference.why.misbehaved"))


def _part(batch: Batch) -> dict[str, Any]:
    return {
        "block": batch.block,
        "offset": batch.offset,
        "room": batch.room,
        "shape": list(batch.shape),
        "dtype": batch.dtype,
    }


def _checked(answer: Mapping[str, Any], batches: Sequence[Batch]) -> dict[str, Any]:
    """The answer, if it is one to `batches`.

    Raises:
        KeyError, TypeError, ValueError: it is not.
    """
    ms = float(answer["ms"])
    shapes = [tuple(int(length) for length in shape) for shape in answer["shapes"]]
    right = len(shapes) == len(batches) and all(
        shape and shape[0] == batch.rows for shape, batch in zip(shapes, batches, strict=True)
    )
    if not right or not math.isfinite(ms) or ms < 0:
        raise ValueError("an answer to something else")
    return {"provider": str(answer["provider"])[:200], "ms": ms, "shapes": shapes}
