"""Exports the models of the folds, so that every clip can be scored by one that never met it.

Each is fitted by the recipe of the shipped model to the rows of all folds but one; folds.json beside them
says which groups each has not met (CONTRACT.md).

usage: python -m detector.folds --corpus DIR --cache DIR --out FOLDER
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .corpus import FOLDS, folds, read_manifest
from .export import export
from .fit import Recipe
from .table import rows
from .train import PATCHES, TRAINED_ON, VERSION, fitted


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument(
        "--cache", type=Path, required=True, help="that of `detector.train`, its features measured"
    )
    ask.add_argument("--out", type=Path, required=True, help="gets fold0.onnx ... and folds.json")
    ask.add_argument("--conditions", nargs="+", default=list(TRAINED_ON), help="whose rows are fitted to")
    args = ask.parse_args()
    torch.set_num_threads(1)
    training = rows(args.corpus, args.cache, args.conditions)
    fold_of = folds(read_manifest(args.corpus))
    listed = []
    for fold in range(FOLDS):
        name = f"fold{fold}.onnx"
        model = fitted([row for row in training if row.fold != fold], Recipe())
        worst = export(model, args.out / name, VERSION, PATCHES)
        groups = sorted(group for group, number in fold_of.items() if number == fold)
        listed.append({"file": name, "groups": groups})
        print(f"{name}: {len(groups)} groups held out, onnx against torch {worst:.1e}")
    text = json.dumps({"folds": listed}, indent=1) + "\n"
    (args.out / "folds.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
