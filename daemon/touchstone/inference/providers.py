"""Which execution provider runs which variant of a model best on this machine: by measurement, never by name.

Each variant is tried on each provider that the runtime offers. A pair counts only if the session says that it
really uses the provider (a GPU build without its libraries falls back to the processor without a word), and
if its answers on the model's golden inputs are those of the reference: the first variant, on the processor.
`choice.decide` takes the fastest of what is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from . import PROCESSOR
from .choice import OPT_IN

MAX_FLIPS = 0.005
"""Share of decisions that may differ from the reference's; what a variant is shipped by as well."""

MAX_DIFFERENCE: Mapping[str, float] = {"fp32": 0.02, "fp16": 0.02, "int8": 0.2, "int8-reduced": 0.2}
"""Largest difference from the reference, of the largest output, by variant.

Half precision stays below 2 % (11 bits). What eight bits may change is decided by flips and by the variant's
own report when it is made; here it only has to be the same model.
"""

WARM_RUNS, TIMED_RUNS = 2, 5


class Running(Protocol):
    """A loaded model. `provider` is the one that it really uses."""

    @property
    def provider(self) -> str: ...

    @property
    def placed(self) -> Mapping[str, int] | None:
        """How many operators each provider has; None where the runtime does not tell."""

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]: ...


class Runtime(Protocol):
    """What runs models; see `sessions.OnnxRuntime`."""

    @property
    def version(self) -> str: ...

    def available(self) -> Sequence[str]: ...

    def open(self, content: bytes, provider: str, threads: int) -> Running:
        """Load a model. Raises `RuntimeError` with the reason where the provider cannot."""

    def complaints(self) -> str:
        """The last thing that the runtime or a driver complained of; empty where it did not."""


@dataclass(frozen=True)
class Measured:
    """How one variant did on one provider.

    Attributes:
        provider: what was asked for.
        variant: of the model.
        used: what the session says it uses; None where it did not load.
        ms: median of one run, warm, on one row.
        batch: rows of a larger run; None where the model takes one at a time.
        batch_ms: median of that.
        load_ms: for loading.
        difference: largest difference from the reference, of the largest output.
        flips: share of decisions that differ from the reference's.
        elsewhere: share of operators that another provider has to run.
        problem: why it does not count, in words; None where it does.
    """

    provider: str
    variant: str = "fp32"
    used: str | None = None
    ms: float | None = None
    batch: int | None = None
    batch_ms: float | None = None
    load_ms: float | None = None
    difference: float | None = None
    flips: float | None = None
    elsewhere: float | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Plan:
    """What to measure of one model.

    Attributes:
        contents: variant to the bytes of its file, the reference first.
        inputs: golden inputs, `(N, ...)`.
        batch: rows of a run in a scan; 1 where the model takes no more.
        threshold: a decision is yes above it.
        threads: of the processor.
        opt_in: whether providers that are slow to set up are tried too.
        processor_only: whether no provider but the processor is tried.
        flips: share of decisions that may differ, of variants that may differ in more than `MAX_FLIPS`.
    """

    contents: Mapping[str, bytes]
    inputs: NDArray[Any]
    batch: int = 1
    threshold: float = 0.0
    threads: int = 1
    opt_in: bool = False
    processor_only: bool = False
    flips: Mapping[str, float] = field(default_factory=dict)


def pairs(plan: Plan, available: Sequence[str]) -> list[tuple[str, str]]:
    """Every variant with every provider, the reference first."""
    tried = [] if plan.processor_only else available
    others = [name for name in tried if name != PROCESSOR and (plan.opt_in or name not in OPT_IN)]
    return [(variant, provider) for provider in (PROCESSOR, *others) for variant in plan.contents]


def measure(
    runtime: Runtime,
    plan: Plan,
    *,
    known: Sequence[Measured] = (),
    about_to_try: Callable[[str, str], None] = lambda variant, provider: None,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Measured]:
    """Try every pair of variant and provider, the reference first.

    Args:
        known: what need not be measured again; not yielded.
        about_to_try: told each variant and provider before it is tried.

    Yields:
        One result after the other. Where the reference does not run, nothing else is tried.
    """
    before = {(result.variant, result.provider): result for result in known}
    (first, *others) = pairs(plan, runtime.available())
    others = [pair for pair in others if pair not in before]
    if first in before and (before[first].problem or not others):
        return
    about_to_try(*first)
    result, reference = _measure_one(runtime, plan, *first, clock)
    if reference is not None:
        result = _compared(result, reference, reference, plan)
    if first not in before:
        yield result
    if reference is None or result.problem:
        return  # nothing to compare with
    for variant, provider in others:
        about_to_try(variant, provider)
        result, answers = _measure_one(runtime, plan, variant, provider, clock)
        yield result if answers is None else _compared(result, answers, reference, plan)


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
    runtime: Runtime, plan: Plan, variant: str, provider: str, clock: Callable[[], float]
) -> tuple[Measured, NDArray[np.float32] | None]:
    result = Measured(provider, variant)
    try:
        started = clock()
        running = runtime.open(plan.contents[variant], provider, plan.threads)
        result = replace(result, used=running.provider, load_ms=_rounded((clock() - started) * 1000))
        if problem := _fallen_back(running, provider):
            said = runtime.complaints()
            return replace(result, problem=f"{problem} ({said})" if said else problem), None
        answers = np.concatenate([running(plan.inputs[at : at + 1]) for at in range(len(plan.inputs))])
        result = replace(
            result,
            ms=_timed(running, plan.inputs[:1], clock),
            elsewhere=_elsewhere(running.placed, provider),
        )
        if plan.batch > 1:
            rows = np.resize(plan.inputs, (plan.batch, *plan.inputs.shape[1:]))
            result = replace(result, batch=plan.batch, batch_ms=_timed(running, rows, clock))
    except RuntimeError as problem:
        said = str(problem).splitlines()[0][:300] if str(problem) else type(problem).__name__
        return replace(result, problem=said), None
    return result, answers


def _fallen_back(running: Running, provider: str) -> str | None:
    """Why a session that was asked for `provider` does not use it; None where it does."""
    if running.provider != provider:
        return f"falls back to {running.provider}"
    if running.placed is not None and not running.placed.get(provider):
        return "takes none of the model's operators"
    return None


def _elsewhere(placed: Mapping[str, int] | None, provider: str) -> float | None:
    if not placed:
        return None
    return round(1 - placed.get(provider, 0) / sum(placed.values()), 3)


def _timed(running: Running, rows: NDArray[Any], clock: Callable[[], float]) -> float:
    for _ in range(WARM_RUNS):
        running(rows)
    times = []
    for _ in range(TIMED_RUNS):
        started = clock()
        running(rows)
        times.append((clock() - started) * 1000)
    return _rounded(float(np.median(times)))


def _compared(
    result: Measured,
    answers: NDArray[np.float32],
    expected: NDArray[np.float32],
    plan: Plan,
) -> Measured:
    if answers.shape != expected.shape or not np.isfinite(answers).all():
        return replace(result, problem="gives no numbers, or too few")
    difference = float(np.abs(answers - expected).max() / max(float(np.abs(expected).max()), 1e-9))
    flips = float(((answers > plan.threshold) != (expected > plan.threshold)).mean())
    allowed = plan.flips.get(result.variant, MAX_FLIPS)
    wrong = difference > MAX_DIFFERENCE.get(result.variant, 0.02) or flips > allowed
    return replace(
        result,
        difference=round(difference, 6),
        flips=round(flips, 6),
        problem="gives other answers than the reference" if wrong else None,
    )


def _rounded(value: float) -> float:
    return round(value, 3)
