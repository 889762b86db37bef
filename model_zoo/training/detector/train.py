"""Trains the detector and writes the table of how well it did. `make train-detector` is this.

Every stage keeps what it made in the cache, so that a run that was ended goes on where it was: treated clips,
measured patches, leak tests, held-out scores, the model. The same corpus and the same versions give the same
model; README.md says by how much tables of other machines may differ.

usage: python -m detector.train --corpus DIR --cache DIR --out FOLDER
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from . import cache as clips_cache
from . import features
from .conditions import DEGRADED, EVALUATED, RANDOM
from .crossval import cross_validated
from .export import export, refilled
from .fit import Recipe, directions, fit
from .network import Detector
from .report import put, write
from .table import Row, group, pooled, rows

TRAINED_ON = ("360p_crf28", "720p_crf20", "360p_vp9", *RANDOM)
"""Conditions whose rows are fitted to. The same clip after two codecs is scatter that the fit distrusts:
without VP9, an AUC between codecs is 0.04 away from that of one codec."""
SHUFFLES = 10
"""Times that labels are dealt anew: with few families one dealing may be off by 0.1."""
VERSION = "1"
PATCHES = 12


def fitted(training: Sequence[Row], recipe: Recipe) -> Detector:
    """The model of all rows. No number in the table is of it: those are of models of four folds in five."""
    targets = np.array([row.target for row in training])
    clip = fit(
        np.stack([pooled(row.patches) for row in training]).astype(np.float64),
        [group(row) for row in training],
        targets,
        recipe,
    )
    seen = [row for row in training if row.condition in EVALUATED]
    patches = np.concatenate([row.patches for row in seen]).astype(np.float64)
    names = [group(row) for row in seen for _ in row.patches]
    patch = fit(patches, names, np.array([row.target for row in seen for _ in row.patches]), recipe)
    return Detector(clip, patch, directions(patch.scaled(patches)))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument("--cache", type=Path, required=True)
    ask.add_argument(
        "--out", type=Path, required=True, help="gets detector-fp32.onnx, table.md and scores.json"
    )
    ask.add_argument("--page", type=Path, help="put the table between the marks of this page, too")
    ask.add_argument(
        "--stop-after", choices=("features", "table"), help="leave out the stages after this one"
    )
    args = ask.parse_args()
    torch.set_num_threads(1)
    wanted = tuple(dict.fromkeys((*TRAINED_ON, *EVALUATED, *DEGRADED)))
    clips_cache.fill(args.corpus, args.cache, wanted)
    features.measure(args.corpus, args.cache, wanted)
    if args.stop_after == "features":
        return
    recipe = Recipe()
    training = rows(args.corpus, args.cache, TRAINED_ON)
    tested = rows(args.corpus, args.cache, (*EVALUATED, *DEGRADED))
    args.out.mkdir(parents=True, exist_ok=True)
    scored = cross_validated(training, tested, recipe)
    shuffled = [cross_validated(training, tested, recipe, shuffled=seed) for seed in range(SHUFFLES)]
    write(args.out, args.cache, scored, shuffled)
    if args.page is not None:
        put(args.page, args.out / "table.md")
    if args.stop_after == "table":
        return
    file = args.out / "detector-fp32.onnx"
    worst = export(fitted(training, recipe), file, VERSION, PATCHES)
    worst = max(worst, write_folds(training, recipe, file, args.out))
    print(json.dumps({"rows": len(training), "onnx against torch": worst}))


def write_folds(training: Sequence[Row], recipe: Recipe, template: Path, folder: Path) -> float:
    """The models of the table, and `folds.json` with the groups that each has not met.

    `touchstone evaluate --folds folder/folds.json` scores every clip by the one that has not met it.
    """
    listed, worst = [], 0.0
    for fold in sorted({row.fold for row in training}):
        name = f"fold-{fold}.onnx"
        known = [row for row in training if row.fold != fold]
        worst = max(worst, refilled(fitted(known, recipe).eval(), template, folder / name))
        held = sorted({row.clip.group for row in training if row.fold == fold})
        listed.append({"file": name, "groups": held})
    (folder / "folds.json").write_text(json.dumps({"folds": listed}, indent=1) + "\n", encoding="utf-8")
    return worst


if __name__ == "__main__":
    main()
