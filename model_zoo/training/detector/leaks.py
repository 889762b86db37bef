"""Leak tests: what can be told from everything but the picture, and whether scores tell sources.

Published detectors were found to read clip length, size, frame rate or codec (docs/detector.md). Here each
of these alone has to be worthless on the evaluation set.

usage: python -m detector.leaks --corpus DIR --cache DIR [--conditions NAME ...]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .cache import facts
from .conditions import EVALUATED
from .matching import matched
from .measures import auc
from .table import Row, rows

Array = NDArray[np.float64]

LOW, HIGH = 0.47, 0.53
"""What an AUC may be where there is nothing to tell."""

FACTS: Mapping[str, tuple[str, ...]] = {
    "duration": ("frames", "duration"),
    "frame rate": ("fps",),
    "size": ("width", "height", "pixels"),
    "bit rate": ("bits_per_pixel", "bytes"),
    "codec": ("codec",),
    "container": ("container",),
    "all of these": ("duration", "fps", "width", "height", "pixels", "bits_per_pixel", "bytes", "codec"),
}


def known(row: Row, cache: Path) -> dict[str, float]:
    """What a clip's file says without its pictures, as numbers."""
    found = facts(cache, row.clip, row.condition)
    if found is None:
        raise ValueError(f"{row.clip.file} was not treated as {row.condition}; make the cache first")
    return {
        "frames": float(found["frames"]),
        "fps": float(found["fps"]),
        "duration": found["frames"] / found["fps"],
        "width": float(np.log(found["width"])),
        "height": float(np.log(found["height"])),
        "pixels": float(np.log(row.pixels)),
        "bits_per_pixel": float(np.log(row.bits_per_pixel)),
        "bytes": float(np.log(found["bytes"])),
        "codec": float(sum(found["codec"].encode())),
        "container": float(sum(found["container"].encode())),
    }


def readable(values: Array, targets: NDArray[np.int64], pairs: NDArray[np.int64], repeats: int = 8) -> float:
    """The AUC of a classifier that sees `values` `(clips, facts)` and nothing else, on clips it has not seen.

    It is a logistic regression on the values, their squares and which eighth of the clips each is in, so that
    it can learn bumps and steps. The mean over several splits into five: one split of a few hundred clips is
    off by 0.03 by chance. Where nothing varies it is 0.5.

    Args:
        pairs: clips with the same number are never split. Otherwise one partner would tell the other's class.
    """
    if np.ptp(values, axis=0).max() < 1e-9:
        return 0.5
    inputs = _expanded(values)
    found = []
    for repeat in range(repeats):
        folds = (np.random.default_rng(repeat).permutation(pairs.max() + 1) % 5)[pairs]
        for fold in range(5):
            held = folds == fold
            scores = inputs[held] @ _logistic(inputs[~held], targets[~held])
            found.append(auc(scores[targets[held] == 1], scores[targets[held] == 0]))
    return float(np.nanmean(found))


def _expanded(values: Array) -> Array:
    scaled = (values - values.mean(0)) / (values.std(0) + 1e-9)
    edges = np.quantile(values, np.arange(1, 8) / 8, axis=0)
    steps = [(values > edge).astype(float) for edge in edges]
    return np.column_stack([np.ones(len(values)), scaled, scaled**2, *steps])


def _logistic(inputs: Array, targets: NDArray[np.int64], ridge: float = 1.0, rounds: int = 25) -> Array:
    """Weights of a ridge logistic regression, by Newton's method (Hastie et al., 2009, 4.4.1)."""
    found = np.zeros(inputs.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (chance - targets) + ridge * found
        bend = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + ridge * np.eye(len(found))
        found -= np.linalg.solve(bend, slope)
    return found


def leaks(chosen: Sequence[Row], cache: Path, *, paired: bool) -> dict[str, float]:
    """The AUC of each of FACTS on an evaluation set.

    Args:
        paired: whether partners stand side by side, as `matched` gives them.
    """
    table = [known(row, cache) for row in chosen]
    targets = np.array([row.target for row in chosen])
    pairs = np.arange(len(chosen)) // (2 if paired else 1)
    return {
        name: readable(np.array([[entry[key] for key in keys] for entry in table]), targets, pairs)
        for name, keys in FACTS.items()
    }


def real_against_real(scores: Mapping[str, Sequence[float]], draws: int = 200, seed: int = 0) -> float:
    """How far scores part one half of the real sources from the other: the mean over random halves.

    Args:
        scores: of each source's clips.
    """
    chance = np.random.default_rng(seed)
    names = sorted(scores)
    found = []
    for _ in range(draws):
        order = list(chance.permutation(names))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        value = auc([s for n in one for s in scores[n]], [s for n in other for s in scores[n]])
        found.append(max(value, 1 - value))
    return float(np.mean(found))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path, required=True)
    ask.add_argument("--cache", type=Path, required=True)
    ask.add_argument("--conditions", nargs="+", choices=tuple(EVALUATED), default=tuple(EVALUATED))
    args = ask.parse_args()
    worst = 0.0
    print("| condition | clips | " + " | ".join(FACTS) + " |\n|---" * 1 + "|---" * (len(FACTS) + 1) + "|")
    for condition in args.conditions:
        every = [
            r for r in rows(args.corpus, args.cache, [condition], statistics=False) if r.clip.label != "cgi"
        ]
        for name, chosen in (("all", every), ("matched", matched(every))):
            found = leaks(chosen, args.cache, paired=name == "matched")
            print(
                f"| {condition}, {name} | {len(chosen)} | "
                + " | ".join(f"{value:.2f}" for value in found.values())
                + " |"
            )
            if name == "matched":
                worst = max(worst, *(abs(value - 0.5) for value in found.values()))
    if worst > HIGH - 0.5:
        sys.exit(f"the evaluation set leaks: {worst:.3f} away from 0.5, {HIGH - 0.5:.2f} is allowed")


if __name__ == "__main__":
    main()
