"""Trains the detector and writes the table of how well it did. `make train-detector` is this.

Every stage keeps what it made in the cache, so that a run that was ended goes on where it was: treated clips,
measured patches, leak tests, held-out scores, the model. The same corpus and the same versions give the same
model; README.md says by how much tables of other machines may differ.

usage: python -m detector.train --corpus DIR --cache DIR --out FOLDER
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from . import cache as clips_cache
from . import features
from .backbone import pretrained
from .conditions import DEGRADED, EVALUATED, RANDOM, WHOLE
from .crossval import cross_validated
from .export import export, refilled
from .fit import Recipe, directions, fit
from .network import Detector, Front
from .report import put, write
from .residuals import Residuals
from .table import Row, group, pooled, rows
from .train_residuals import Course, ensemble, held_out, of_fold

TRAINED_ON = ("360p_crf28", "720p_crf20", "360p_vp9", *RANDOM)
"""Conditions whose rows are fitted to. The same clip after two codecs is scatter that the fit distrusts:
without VP9, an AUC between codecs is 0.04 away from that of one codec."""
SHUFFLES = 10
"""Times that labels are dealt anew: with few families one dealing may be off by 0.1."""
VERSION, VERSION_WITH_NETS = "2", "3"
PATCHES = 12


def fitted(training: Sequence[Row], recipe: Recipe, nets: Sequence[Residuals], course: Course) -> Detector:
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
    return Detector(clip, patch, directions(patch.scaled(patches)), Front(pretrained()), nets, course.weight)


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument("--cache", type=Path, required=True)
    ask.add_argument(
        "--out", type=Path, required=True, help="gets detector-fp32.onnx, table.md and scores.json"
    )
    ask.add_argument(
        "--nets",
        action="store_true",
        help="add nets on residuals; see README.md",
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
    course, folder = Course(seeds=int(args.nets)), args.cache / "nets"
    shown = [row for row in training if row.condition in WHOLE]
    added = held_out(args.cache, shown, tested, course, folder) if args.nets else None
    scored = cross_validated(training, tested, recipe, added=added)
    shuffled = [cross_validated(training, tested, recipe, shuffled=seed) for seed in range(SHUFFLES)]
    write(args.out, args.cache, scored, shuffled)
    if args.page is not None:
        put(args.page, args.out / "table.md")
    if args.stop_after == "table":
        return
    file = args.out / "detector-fp32.onnx"
    version = VERSION_WITH_NETS if args.nets else VERSION
    nets = ensemble(args.cache, shown, course, folder / "all")
    worst = export(fitted(training, recipe, nets, course), file, version, PATCHES)
    listed = []
    for fold in sorted({row.fold for row in training}):
        known = [row for row in training if row.fold != fold]
        model = fitted(known, recipe, of_fold(args.cache, shown, course, folder, fold), course)
        worst = max(worst, refilled(model.eval(), file, args.out / f"fold-{fold}.onnx"))
        held = sorted({row.clip.group for row in training if row.fold == fold})
        listed.append({"file": f"fold-{fold}.onnx", "groups": held})
    write_folds(listed, args.out)
    print(json.dumps({"rows": len(training), "onnx against torch": worst}))


def write_folds(listed: Sequence[Mapping[str, object]], folder: Path) -> None:
    """Write `folds.json`: the models of the table, and the groups that each has not met.

    `touchstone evaluate --folds folder/folds.json` scores every clip by the one that has not met it.
    """
    (folder / "folds.json").write_text(json.dumps({"folds": listed}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
