"""Measures the cached patches of every clip once (statistics.py, backbone.py) and keeps the numbers.

usage: python -m detector.features --corpus DIR --cache DIR [--conditions NAME ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from .backbone import pretrained
from .cache import ALL, read
from .conditions import WHOLE
from .corpus import read_manifest
from .export import OPSET
from .statistics import Statistics

Measure = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def measure(corpus: Path, cache: Path, conditions: Sequence[str] = ALL) -> None:
    """Measure what has not been measured yet, on a GPU where there is one."""
    fronts = {"stats": Statistics().eval(), "deep": pretrained()}
    run = _on_gpu if torch.cuda.is_available() else partial(_on_processor, cache)
    measures = {kind: run(kind, front) for kind, front in fronts.items()}
    started = time.monotonic()
    for condition in conditions:
        for clip in read_manifest(corpus):
            patches = None
            for kind, measured in measures.items():
                target = cache / clip.name / f"{condition}.{kind}.npy"
                if target.is_file():
                    continue
                patches = read(cache, clip, condition) if patches is None else patches
                if patches is None:
                    break
                found = measured(patches if condition in WHOLE else patches[::2])
                part = target.with_suffix(".part.npy")
                np.save(part, found)
                part.rename(target)
        print(f"{condition}: {time.monotonic() - started:.0f} s", flush=True)


def _on_gpu(_: str, front: nn.Module) -> Measure:
    front = front.to("cuda")

    @torch.inference_mode()
    def measure(patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = front(torch.from_numpy(patches).float().cuda()).cpu().numpy()
        return found

    return measure


def _on_processor(cache: Path, kind: str, front: nn.Module) -> Measure:
    """By onnxruntime, as a scan does: torch takes about twice as long on a processor."""
    graph = cache / ("statistics.onnx" if kind == "stats" else "backbone.onnx")
    if not graph.is_file():
        example = torch.rand(5, 3, 192, 128) * 255
        part = graph.with_suffix(".part.onnx")
        torch.onnx.export(
            front,
            (example,),
            str(part),
            input_names=["frames"],
            output_names=["measured"],
            dynamic_axes={"frames": {0: "patches"}, "measured": {0: "patches"}},
            opset_version=OPSET,
            dynamo=False,
        )
        part.rename(graph)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def measure(patches: NDArray[np.uint8]) -> NDArray[np.float32]:
        found: NDArray[np.float32] = session.run(None, {"frames": patches.astype(np.float32)})[0]
        return found

    return measure


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument("--cache", type=Path, required=True)
    ask.add_argument("--conditions", nargs="+", choices=ALL, default=ALL, metavar="NAME")
    args = ask.parse_args()
    torch.set_num_threads(1)
    measure(args.corpus, args.cache, args.conditions)


if __name__ == "__main__":
    main()
