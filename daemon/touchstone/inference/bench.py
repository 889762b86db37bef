"""Times installed models on every provider: `python -m touchstone.inference.bench`, a request on stdin.

It runs in a process of its own, because drivers of graphics cards are large, can crash, and must not stay in
the daemon. The answer is one line of JSON on stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..zoo.entry import Model
from . import providers
from .sessions import OnnxRuntime


def main() -> int:
    """Read the request, write the answer. Returns the exit status."""
    request = json.load(sys.stdin)
    json.dump(answer(request, OnnxRuntime()), sys.stdout)
    return 0


def answer(request: Mapping[str, Any], runtime: providers.Runtime) -> dict[str, Any]:
    """Measure the models of a request, unless the cache knows them.

    Args:
        request: `{"models": [{"model", "variant", "path"}], "threads", "opt_in", "fresh", "cache": file}`.

    Returns:
        `{"runtime": version, "available": [...], "models": [{"name", "variant", "results", "chosen"}]}`.
    """
    cache_file = Path(request["cache"])
    cache = {} if request.get("fresh") else _read(cache_file)
    rows = []
    for wanted in request["models"]:
        model = Model.from_json(wanted["model"])
        variant = next(v for v in model.variants if v.name == wanted["variant"])
        threads = int(request["threads"])
        key = providers.cache_key(variant.sha256, runtime, threads) + ("+" if request.get("opt_in") else "")
        results = _known(cache.get(key))
        if results is None:
            low, high = model.input.range
            results = providers.measure(
                runtime,
                Path(wanted["path"]).read_bytes(),
                providers.golden_inputs(model.input.shape(), low, high),
                threshold=model.output.threshold,
                threads=threads,
                opt_in=bool(request.get("opt_in")),
            )
            cache[key] = providers.as_json(results)
        chosen = providers.choose(results)
        rows.append(
            {
                "name": model.name,
                "variant": variant.name,
                "results": providers.as_json(results),
                "chosen": chosen.provider if chosen else None,
            }
        )
    cache_file.parent.mkdir(parents=True, exist_ok=True)
    cache_file.write_text(json.dumps(cache), encoding="utf-8")
    return {
        "runtime": runtime.version,
        "available": list(runtime.available()),
        "numpy": np.__version__,
        "models": rows,
    }


def _read(file: Path) -> dict[str, Any]:
    try:
        cache = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return cache if isinstance(cache, dict) else {}


def _known(rows: Any) -> list[providers.Measured] | None:
    try:
        return providers.from_json(rows) if rows else None
    except TypeError:
        return None  # another version wrote it


if __name__ == "__main__":
    sys.exit(main())
