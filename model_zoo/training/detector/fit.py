"""Fits what reads the statistics: a discriminant that is told to distrust what differs between sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LIMIT = 6.0
"""Standard deviations beyond which a statistic tells no more: pictures that no training clip is like."""


@dataclass(frozen=True)
class Recipe:
    """How the discriminant is fitted; the values were compared on held-out folds (README.md).

    Attributes:
        inside: what the scatter of clips inside their group weighs against that of groups' means.
        ridge: share of the mean variance that is added to every direction.
    """

    inside: float = 10.0
    ridge: float = 2.0


@dataclass(frozen=True)
class Discriminant:
    """A direction among the statistics, and where they are on average.

    Attributes:
        mean, spread: `(F,)`, of training clips.
        weights: `(F,)`, of the standardised statistics.
        bias: puts 0 in the middle between the classes.
    """

    mean: Array
    spread: Array
    weights: Array
    bias: float

    def scaled(self, values: Array) -> Array:
        """`(rows, F)`, standardised and bounded."""
        bounded: Array = np.clip((values - self.mean) / self.spread, -LIMIT, LIMIT)
        return bounded

    def scores(self, values: Array) -> Array:
        """`(rows,)`, a logit if both classes are normal around their means; higher is more AI-like."""
        found: Array = self.scaled(values) @ self.weights + self.bias
        return found


def fit(values: Array, groups: Sequence[str], targets: NDArray[np.int64], recipe: Recipe) -> Discriminant:
    """Fisher's discriminant, where a class is the mean of its groups, whatever their number of clips.

    What differs between two sources of real clips (or two generators) is no trace of generation, so
    directions in which the means of groups of one class lie far apart are weighed down. Source of the idea:
    within-class covariance normalisation (Hatch et al., Interspeech 2006), used against channels in speech.

    Args:
        values: `(rows, F)`, one row for each clip and condition.
        groups: of each row; a group has one target.
        targets: 1 generated, 0 not.
    """
    mean, spread = values.mean(0), values.std(0) + 1e-3
    scaled = np.clip((values - mean) / spread, -LIMIT, LIMIT)
    names = np.asarray(groups)
    means: tuple[list[Array], list[Array]] = ([], [])
    apart = scaled  # in its place: with many patches it is large
    for group in sorted(set(groups)):
        rows = names == group
        centre = scaled[rows].mean(0)
        means[int(targets[rows][0])].append(centre)
        apart[rows] = (scaled[rows] - centre) / np.sqrt(rows.sum())
    real, generated = np.array(means[0]), np.array(means[1])
    inside = apart.T @ apart * (recipe.inside / (len(real) + len(generated)))
    scatter = (np.cov(real.T) + np.cov(generated.T)) / 2 + inside
    scatter += recipe.ridge * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    weights = np.linalg.solve(scatter, generated.mean(0) - real.mean(0))
    middle = (generated.mean(0) + real.mean(0)) / 2
    return Discriminant(mean, spread, weights, float(-middle @ weights))


def directions(scaled: Array, size: int = 48) -> Array:
    """`(F, size)`: principal directions of scaled patches, each divided by its spread (whitening)."""
    centred = scaled - scaled.mean(0)
    variances, found = np.linalg.eigh(centred.T @ centred / max(1, len(centred) - 1))
    chosen = np.argsort(variances)[::-1][:size]
    whitened: Array = found[:, chosen] / np.sqrt(variances[chosen] + 1e-9)
    return whitened
