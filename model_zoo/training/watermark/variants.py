"""Exports the trained decoder, makes its variants, and measures each on held-out examples.

A variant ships only if it sees marks about as well: its correlation with what was embedded may not fall by
more than four per cent of the reference's, which is what a mark weaker by a third of a decibel would cost.
Writes `touchstone-watermark.KIND.onnx` into the zoo, keeps the log of the training and what was measured
beside this program, and prints the lines for zoo.toml.

usage: variants.py --run DIR --data DIR --out DIR     (DIR of train.py; of data.py; model_zoo)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "daemon")]

from variants.convert import convert  # noqa: E402
from variants.recipe import Recipe  # noqa: E402

from touchstone.inference.sessions import Session  # noqa: E402

KINDS = ("int8", "int8-reduced", "fp16")
MAX_LOSS = 0.04
KEEP: tuple[tuple[str, ...], ...] = ((), ("/leave*",), ("/leave*", "/enter*"))
"""Layers that stay fp32 in int8 variants: lists that are tried until one holds. The front end has no weights
and stays so anyhow, which what it looks for needs: it is smaller than a step of int8."""
CALIBRATE_ON = 60
CELL, SIDE = 4, 256
Example = tuple[NDArray[np.float32], NDArray[np.float32]]


def examples(folder: Path, count: int | None = None) -> list[Example]:
    """Runs `(1, 3, H, W)` and what was embedded in them, `(H, W)`, in the order of their numbers."""
    found = []
    for path in sorted(folder.glob("[0-9]*[0-9].npz"), key=lambda p: int(p.stem))[:count]:
        with np.load(path) as example:
            run, pattern = example["frames"][0], example["pattern"]
        height, width = (side // CELL * CELL for side in run.shape[1:])
        x = run[None, :, :height, :width].astype(np.float32)
        found.append((x, pattern[:height, :width].astype(np.float32)))
    return found


def measure(model: bytes, golden: Sequence[Example]) -> tuple[float, float]:
    """Mean correlation with what was embedded, and milliseconds a run with two threads."""
    session = Session(model, threads=2)
    correlations, times = [], []
    for x, y in golden:
        started = time.perf_counter()
        raised = session(x)[0, 0]
        times.append((time.perf_counter() - started) * 1000)
        correlations.append(float((raised * y).sum() / (np.linalg.norm(raised) * np.linalg.norm(y))))
    return float(np.mean(correlations)), float(np.min(times))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "data", "out"):
        ask.add_argument(f"--{name}", type=Path, required=True)
    given = ask.parse_args()
    fp32 = given.run / "fp32.onnx"
    if not fp32.exists():
        command = [sys.executable, str(HERE / "export.py"), "--checkpoint", str(given.run / "checkpoint.pt")]
        subprocess.run([*command, "--out", str(fp32)], check=True)
    shutil.copyfile(given.run / "log.jsonl", HERE / "log.jsonl")
    model = onnx.load(str(fp32))
    golden = examples(given.data / "validation")
    # Ranges of activations are taken over squares, since the calibrator wants one size.
    batches = [x[:, :, :SIDE, :SIDE] for x, _ in examples(given.data / "training", CALIBRATE_ON)]
    recipe = Recipe(
        "touchstone-watermark",
        "1",
        fp32,
        fp32,
        fp32,
        operators=("Conv",),
        method="percentile",
        percentile=99.999,
    )
    reference, ms = measure(fp32.read_bytes(), golden)
    table: list[dict[str, Any]] = [
        {"variant": "fp32", "correlation": reference, "ms": ms, "size": fp32.stat().st_size, "ships": False}
    ]
    for kind in KINDS:
        target = given.out / f"touchstone-watermark.{kind}.onnx"
        target.unlink(missing_ok=True)
        for keep in ((),) if kind == "fp16" else KEEP:
            made = convert(model, recipe, kind, batches, keep).SerializeToString(deterministic=True)
            correlation, ms = measure(made, golden)
            ships = correlation >= reference * (1 - MAX_LOSS)
            row = {"variant": kind, "kept": keep, "correlation": correlation, "ms": ms, "size": len(made)}
            table.append({**row, "ships": ships})
            if ships:
                target.write_bytes(made)
                sha256 = hashlib.sha256(made).hexdigest()
                print(f'\n[[bundled.variant]]\nname = "{kind}"\nfile = "{target.name}"')
                print(f'sha256 = "{sha256}"\nsize = {len(made)}')
                break
    (HERE / "variants.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    for row in table:
        print(row, file=sys.stderr)


if __name__ == "__main__":
    main()
