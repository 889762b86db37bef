#!/usr/bin/env python3
"""From the corpus to the shipped decoder by one command, which goes on where it was ended.

usage: make.py --corpus DIR --work DIR --python PYTHON [--examples 1600] [--steps 8000] [--threads 1]

Examples and variants are made by this interpreter, which needs Touchstone and its development packages;
training and export by PYTHON, which needs torch 2.13 and onnx (and neither Touchstone nor FFmpeg).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "daemon"))

from data import examples, sources  # noqa: E402
from rich.progress import track  # noqa: E402

VALIDATION, FIRST_OF_VALIDATION = 24, 1_000_000


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument("--work", type=Path, required=True)
    ask.add_argument("--python", required=True, help="interpreter that has torch")
    ask.add_argument("--examples", type=int, default=1600)
    ask.add_argument("--steps", type=int, default=8000)
    ask.add_argument("--threads", type=int, default=1)
    given = ask.parse_args()
    os.environ.setdefault("SVT_LOG", "1")  # errors only
    data, run = given.work / "data", given.work / "run"
    for name, count, first, training in (
        ("validation", VALIDATION, FIRST_OF_VALIDATION, False),
        ("training", given.examples, 0, True),
    ):
        clips = sources(given.corpus, training=training)
        for _ in track(examples(data / name, count, clips, first=first), name, total=count):
            pass
    train = ["--data", data, "--out", run, "--steps", given.steps, "--threads", given.threads]
    export = ["--checkpoint", run / "checkpoint.pt", "--out", run / "fp32.onnx"]
    subprocess.run([given.python, HERE / "train.py", *map(str, train)], check=True)
    subprocess.run([given.python, HERE / "export.py", *map(str, export)], check=True)
    variants = ["--run", run, "--data", data, "--out", HERE.parents[1]]
    subprocess.run([sys.executable, HERE / "variants.py", *map(str, variants)], check=True)


if __name__ == "__main__":
    main()
