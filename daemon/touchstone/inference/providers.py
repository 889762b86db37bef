"""Which execution provider runs a model best on this machine: by measurement, never by name.

Each provider that the runtime offers gets the model and pictures made from a seed. It counts only if the
session says that it really uses it (a GPU build without its libraries falls back to the processor without a
word), and if its answers are those of the processor. The fastest of what is left is the choice.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

REFERENCE = "CPUExecutionProvider"

OPT_IN = frozenset({"TensorrtExecutionProvider"})
"""Builds an engine for minutes at first use, so it is only measured when asked for."""

MAX_FLIPS = 0.005
"""Share of bits that may differ from the reference; variants of a model are held to the same bound."""

MAX_DIFFERENCE = 0.02
"""Largest difference from the reference, of the largest output. Half precision stays below (11 bits)."""

GOLDEN = 8
"""Pictures that answers are compared on."""

WARM_RUNS, TIMED_RUNS = 2, 5


class Running(Protocol):
    """A loaded model. `provider` is the one that it really uses."""

    @property
    def provider(self) -> str: ...

    def __call__(self, values: Array) -> Array: ...


class Runtime(Protocol):
    """What runs models; `OnnxRuntime`, or a stand-in for tests."""

    @property
    def version(self) -> str: ...

    def available(self) -> Sequence[str]: ...

    def open(self, content: bytes, provider: str, threads: int) -> Running:
        """Load a model. Raises `RuntimeError` with the reason where the provider cannot."""


@dataclass(frozen=True)
class Measured:
    """How one provider did.

    Attributes:
        provider: what was asked for.
        used: what the session says it uses; None where it did not load.
        ms: median of one run, warm, on one picture.
        load_ms: for loading.
        difference: largest difference from the reference, of the largest output.
        flips: share of bits that differ from the reference's.
        problem: why it does not count, in words; None where it does.
    """

    provider: str
    used: str | None = None
    ms: float | None = None
    load_ms: float | None = None
    difference: float | None = None
    flips: float | None = None
    problem: str | None = None


def golden_inputs(shape: Sequence[int], low: float, high: float, count: int = GOLDEN) -> list[Array]:
    """Pictures to compare answers on, from a seed: noise, coarse and fine, over a slope. The same everywhere.

    Args:
        shape: of one input, batch of one included.
        low, high: what 0 and 255 become.
    """
    inputs = []
    for seed in range(count):
        chance = np.random.default_rng(seed)
        slope = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
        noise = chance.random(shape) * (seed + 1) / count
        inputs.append((low + (high - low) * (slope + noise) / 2).astype(np.float32))
    return inputs


def measure(
    runtime: Runtime,
    content: bytes,
    inputs: Sequence[Array],
    *,
    threshold: float = 0.0,
    threads: int = 1,
    opt_in: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Measured]:
    """Try every provider, the reference first.

    Args:
        content: the model.
        inputs: what to compare answers on.
        threshold: a bit is 1 above it.
        threads: of the processor.
        opt_in: whether providers that are slow to set up are tried too.
    """
    offered = [name for name in runtime.available() if opt_in or name not in OPT_IN]
    names = [REFERENCE, *(name for name in offered if name != REFERENCE)]
    results: list[Measured] = []
    expected: Array | None = None
    for name in names:
        result, answers = _measure_one(runtime, content, inputs, name, threads, clock)
        if answers is not None and result.problem is None:
            if expected is None:
                expected = answers
            result = _compared(result, answers, expected, threshold)
        results.append(result)
        if expected is None:
            break  # nothing to compare with
    return results


def choose(results: Sequence[Measured]) -> Measured | None:
    """The fastest that counts; None where not even the reference ran."""
    fit = [result for result in results if result.problem is None and result.ms is not None]
    return min(fit, key=lambda result: result.ms or 0.0, default=None)


def cache_key(sha256: str, runtime: Runtime, threads: int) -> str:
    """Changes whenever a measurement has to be made again: model, runtime, providers, threads."""
    parts = [sha256, runtime.version, sorted(runtime.available()), threads, GOLDEN, MAX_DIFFERENCE]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def as_json(results: Sequence[Measured]) -> list[dict[str, Any]]:
    """For a cache or a table; `from_json` reads it back."""
    return [asdict(result) for result in results]


def from_json(rows: Sequence[dict[str, Any]]) -> list[Measured]:
    """The inverse of `as_json`.

    Raises:
        TypeError: the rows are of another version of this program.
    """
    return [Measured(**row) for row in rows]


def _measure_one(
    runtime: Runtime,
    content: bytes,
    inputs: Sequence[Array],
    name: str,
    threads: int,
    clock: Callable[[], float],
) -> tuple[Measured, Array | None]:
    try:
        started = clock()
        running = runtime.open(content, name, threads)
        load_ms = (clock() - started) * 1000
        if running.provider != name:
            problem = f"falls back to {running.provider}"
            return Measured(name, running.provider, load_ms=_rounded(load_ms), problem=problem), None
        answers = np.concatenate([running(values) for values in inputs])
        for _ in range(WARM_RUNS):
            running(inputs[0])
        times = []
        for _ in range(TIMED_RUNS):
            started = clock()
            running(inputs[0])
            times.append((clock() - started) * 1000)
    except RuntimeError as problem:
        return Measured(name, problem=str(problem).splitlines()[0][:300] or type(problem).__name__), None
    ms = _rounded(float(np.median(times)))
    return Measured(name, name, ms=ms, load_ms=_rounded(load_ms)), answers


def _compared(result: Measured, answers: Array, expected: Array, threshold: float) -> Measured:
    if answers.shape != expected.shape or not np.isfinite(answers).all():
        return Measured(**{**asdict(result), "problem": "gives no numbers, or too few"})
    difference = float(np.abs(answers - expected).max() / max(float(np.abs(expected).max()), 1e-9))
    flips = float(((answers > threshold) != (expected > threshold)).mean())
    wrong = difference > MAX_DIFFERENCE or flips > MAX_FLIPS
    return Measured(
        **{
            **asdict(result),
            "difference": round(difference, 6),
            "flips": round(flips, 6),
            "problem": "gives other answers than the processor" if wrong else None,
        }
    )


def _rounded(value: float) -> float:
    return round(value, 2)
