"""Times models on every provider: `python -m touchstone.inference.bench`, a request on stdin.

It runs in a process of its own, because drivers of graphics cards are large, can crash, and must not stay in
the daemon. What it measures is written down at once, and what it is about to try as well: if that takes the
process down, the next one knows what did it and leaves it out. The answer is one line of JSON on stdout.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import PROCESSOR, golden, providers
from .choice import OPT_IN, Measurements, cache_key, decide
from .confinement import confine_inference
from .machine import Machine, this_machine
from .measurable import Measurable
from .onnx_file import read_graph
from .sessions import OnnxRuntime

LOST = "took down the process that tried it"

BATCH = 8
"""Rows of a run in a scan: as many as there are short runs of frames in one (media/plan.py)."""

_UINT8 = 2  # TensorProto.DataType


def main(arguments: Sequence[str] = ()) -> int:
    """Read the request, write the answer; there are no arguments. Returns the exit status."""
    request = json.load(sys.stdin)
    confine_inference()  # as in the process that will run them
    if sys.platform != "win32":
        os.nice(10)  # whoever waits for a scan goes first
    cache = Path(request["cache"]).parent / "compiled"
    json.dump(answer(request, OnnxRuntime(cache), this_machine()), sys.stdout)
    return 0


def answer(
    request: Mapping[str, Any],
    runtime: providers.Runtime,
    machine: Machine,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Measure the models of a request, unless the cache knows them.

    Args:
        request: `{"models": [Measurable.as_json()], "threads", "opt_in", "fresh", "cache": file}`.

    Returns:
        `{"runtime": version, "available": [...], "models": [{"name", "results", "chosen": {"variant",
        "provider", "reason"}}]}`.
    """
    kept = Measurements(Path(request["cache"]))
    rows = [_measured(wanted, request, runtime, machine, kept, clock) for wanted in request["models"]]
    return {
        "runtime": runtime.version,
        "available": list(runtime.available()),
        "machine": {"drivers": machine.drivers, "devices": machine.devices},
        "numpy": np.__version__,
        "models": rows,
    }


def _measured(
    wanted: Mapping[str, Any],
    request: Mapping[str, Any],
    runtime: providers.Runtime,
    machine: Machine,
    kept: Measurements,
    clock: Callable[[], float],
) -> dict[str, Any]:
    model = Measurable.from_json(wanted)
    opt_in = bool(request.get("opt_in"))
    key = cache_key(model.checksums, machine, int(request["threads"]))
    known = [] if request.get("fresh") else _known(kept.results(key))

    def about_to_try(variant: str, provider: str) -> None:
        # Stays in the file if this ends the process.
        fatal = providers.Measured(provider, variant, problem=LOST)
        kept.keep(key, providers.as_json([*known, fatal]), complete=False)

    try:
        plan = _plan(model, threads=int(request["threads"]), opt_in=opt_in)
    except (OSError, ValueError) as problem:
        known = [providers.Measured(PROCESSOR, model.reference, problem=str(problem))]
    else:
        for result in providers.measure(
            runtime, plan, known=tuple(known), about_to_try=about_to_try, clock=clock
        ):
            known.append(result)
        kept.keep(key, providers.as_json(known), complete=True)
    results = providers.as_json(known)
    chosen = decide(results, list(model.checksums), excluded=frozenset() if opt_in else OPT_IN)
    return {
        "name": model.name,
        "version": model.version,
        "results": results,
        "chosen": {"variant": chosen.variant, "provider": chosen.provider, "reason": chosen.reason},
    }


def _plan(model: Measurable, *, threads: int, opt_in: bool) -> providers.Plan:
    """What to measure of a model.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is not the one that was installed, or no ONNX file.
    """
    names = [model.reference, *(name for name in model.paths if name != model.reference)]
    contents = {name: Path(model.paths[name]).read_bytes() for name in names}
    for name, content in contents.items():
        if hashlib.sha256(content).hexdigest() != model.checksums[name]:
            raise ValueError(f"{model.paths[name]} is not the file that was installed")
    taken = [read_graph(content).inputs[0] for content in contents.values()]
    inputs: NDArray[Any] | None = golden.kept_with(Path(model.paths[model.reference]), model.shape)
    if inputs is None:
        inputs = golden.golden_inputs(model.shape, *model.range)
        if taken[0].kind == _UINT8:
            inputs = golden.golden_inputs(model.shape, 0, 255).astype(np.uint8)
    # Models that were exported for one row at a time say so in their input's first axis.
    any_length = all(value.shape[:1] == (None,) for value in taken)
    return providers.Plan(
        contents=contents,
        inputs=inputs,
        batch=BATCH if any_length else 1,
        threshold=model.threshold,
        threads=threads,
        opt_in=opt_in,
        processor_only=model.processor_only,
        flips=model.flips,
    )


def _known(rows: list[dict[str, Any]]) -> list[providers.Measured]:
    try:
        return providers.from_json(rows)
    except TypeError:
        return []  # another version wrote it


if __name__ == "__main__":
    sys.exit(main())
