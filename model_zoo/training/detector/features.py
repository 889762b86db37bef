"""Measures the cached patches of every clip once (statistics.py) and keeps the numbers.

usage: python -m detector.features --corpus DIR --cache DIR [--conditions NAME ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .cache import ALL, read
from .conditions import WHOLE
from .corpus import read_manifest
from .statistics import Statistics


def measure(corpus: Path, cache: Path, conditions: Sequence[str] = ALL) -> None:
    """Measure what has not been measured yet, on a GPU where there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    statistics = Statistics().eval().to(device)
    started = time.monotonic()
    for condition in conditions:
        for clip in read_manifest(corpus):
            target = cache / clip.name / f"{condition}.stats.npy"
            if target.is_file() or (patches := read(cache, clip, condition)) is None:
                continue
            with torch.inference_mode():
                seen = patches if condition in WHOLE else patches[::2]
                found = statistics(torch.from_numpy(seen).float().to(device)).cpu().numpy()
            part = target.with_suffix(".part.npy")
            np.save(part, found)
            part.rename(target)
        print(f"{condition}: {time.monotonic() - started:.0f} s", flush=True)


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
