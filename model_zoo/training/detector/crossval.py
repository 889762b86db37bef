"""Scores of every clip by models that have met neither its generator's family nor its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .corpus import FOLDS
from .fit import Recipe, fit
from .table import Row, group, pooled


@dataclass(frozen=True)
class Scored:
    """A clip in a condition and its score by the model of its fold; higher is more AI-like."""

    row: Row
    score: float


def cross_validated(
    training: Sequence[Row],
    tested: Sequence[Row],
    recipe: Recipe,
    *,
    shuffled: int | None = None,
    added: NDArray[np.float64] | None = None,
) -> list[Scored]:
    """Fit once for each fold on the rows of the others, score the fold's rows.

    Args:
        training: of any condition; rows of clips in the tested fold are never fitted to.
        tested: in the order of the result.
        shuffled: a seed by which labels change places between whole groups, to see that nothing is learned.
        added: to each score: what nets of the same folds say of `tested`.
    """
    inputs = np.stack([pooled(row.patches) for row in training]).astype(np.float64)
    asked = np.stack([pooled(row.patches) for row in tested]).astype(np.float64)
    targets = np.array([row.target for row in training])
    names = [group(row) for row in training]
    if shuffled is not None:
        targets = _shuffled(names, targets, shuffled)
    fold_of = np.array([row.fold for row in training])
    asked_fold = np.array([row.fold for row in tested])
    scores = np.zeros(len(tested))
    for fold in range(FOLDS):
        known, held = fold_of != fold, asked_fold == fold
        chosen = [name for name, is_known in zip(names, known, strict=True) if is_known]
        scores[held] = fit(inputs[known], chosen, targets[known], recipe).scores(asked[held])
    if added is not None:
        scores += added
    return [Scored(row, float(score)) for row, score in zip(tested, scores, strict=True)]


def _shuffled(names: Sequence[str], targets: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Labels dealt anew to whole groups: shuffling single clips would leave groups to be learned."""
    of = dict(zip(names, targets.tolist(), strict=True))
    groups = sorted(of)
    dealt = np.random.default_rng(seed).permutation([of[name] for name in groups])
    new = dict(zip(groups, dealt.tolist(), strict=True))
    return np.array([new[name] for name in names])


def by(scored: Sequence[Scored], key: Callable[[Scored], str]) -> Mapping[str, list[float]]:
    """Scores by anything: generator, source, label."""
    found: dict[str, list[float]] = {}
    for entry in scored:
        found.setdefault(key(entry), []).append(entry.score)
    return found
