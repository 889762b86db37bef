"""Has models measured by a process of its own (`bench.py`), and survives what that does not."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..messages import say
from ..own_processes import command_of
from .measurable import Measurable

SECONDS = 300.0
"""For one process. TensorRT takes minutes to build its engine."""

ATTEMPTS = 8
"""Each ends with one more provider known to take the process down, and there are seven."""

_MAX_ANSWER = 16 << 20


class MeasuringFailed(Exception):
    """Nothing could be measured. The text says why, for people."""


@dataclass(frozen=True)
class Order:
    """What to measure.

    Attributes:
        models: what to measure.
        cache: the file that results are kept in.
        threads: of the processor.
        opt_in: whether TensorRT is tried as well.
        fresh: whether what is known is measured again.
    """

    models: Sequence[Measurable]
    cache: Path
    threads: int = 1
    opt_in: bool = False
    fresh: bool = False

    def request(self, *, fresh: bool) -> bytes:
        """What `bench.answer` takes."""
        request = {
            "models": [model.as_json() for model in self.models],
            "cache": str(self.cache),
            "threads": self.threads,
            "opt_in": self.opt_in,
            "fresh": fresh,
        }
        return json.dumps(request).encode()


def command() -> list[str]:
    """How to start the process."""
    return command_of("measure-models")


async def measure_models(
    order: Order,
    *,
    start: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    seconds: float = SECONDS,
) -> dict[str, Any]:
    """Measure models. A provider that takes the process down is left out, with that as its problem.

    Args:
        start: the command that does it.
        environ: its variables: drivers want many, and it sees nothing but our own models.
        seconds: how long one process may take.

    Returns:
        The answer of `bench.answer`.

    Raises:
        MeasuringFailed: not even the processor could be measured.
    """
    reason = ""
    for attempt in range(ATTEMPTS):
        process = await asyncio.create_subprocess_exec(
            *(start or command()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environ),
            limit=_MAX_ANSWER,
        )
        try:
            async with asyncio.timeout(seconds):
                request = order.request(fresh=order.fresh and not attempt)
                said, complained = await process.communicate(request)
        except TimeoutError:
            reason = say("inference.measuring.overtime", seconds=seconds)
            continue
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode == 0:
            answer: dict[str, Any] = json.loads(said)
            return answer
        last = complained.decode("utf-8", "replace").strip().splitlines()[-1:]
        reason = last[0] if last else say("inference.measuring.ended", status=process.returncode)
    raise MeasuringFailed(reason)
