"""What is measured of scores: ranking, recall at a rate of false alarms, calibration, coverage and risk.

Everything is exact or seeded, and everything that is told of few clips comes with what so few support.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..zoo.bounds import lower_bound, upper_bound

CONFIDENCE = 0.95
RESAMPLES = 400
BINS = 10

Scores = NDArray[np.float64]


def auc(real: Scores, ai: Scores) -> float | None:
    """The chance that an AI-made clip scores higher than another one; ties count half."""
    if not len(real) or not len(ai):
        return None
    ranks = _ranks(np.concatenate([real, ai]))
    return float((ranks[len(real) :].sum() - len(ai) * (len(ai) + 1) / 2) / (len(real) * len(ai)))


def _ranks(values: Scores) -> Scores:
    """Ranks from 1, tied values sharing their mean (Mann-Whitney)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[place], np.float64)


def auc_interval(
    real: Scores, ai: Scores, sources: Sequence[str], generators: Sequence[str], seed: int = 0
) -> tuple[float, float] | None:
    """A 95 % interval of the AUC, by drawing whole sources and whole generators again (cluster bootstrap).

    Clips of one source are alike, so drawing clips would claim more certainty than there is.
    """
    if not len(real) or not len(ai):
        return None
    random = np.random.default_rng(seed)
    of_real, of_ai = _clusters(sources), _clusters(generators)
    drawn = []
    for _ in range(RESAMPLES):
        left = np.concatenate([of_real[i] for i in random.integers(0, len(of_real), len(of_real))])
        right = np.concatenate([of_ai[i] for i in random.integers(0, len(of_ai), len(of_ai))])
        drawn.append(auc(real[left], ai[right]) or 0.0)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


BAND_AT = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Rates of false alarms at which the band of a ROC curve is told."""
LEAST_OF_A_BAND = 5
"""Sources and generators below which drawing them again says nothing: with one, every draw is the same."""


def recall_band(
    real: Scores, ai: Scores, sources: Sequence[str], generators: Sequence[str], seed: int = 0
) -> list[tuple[float, float, float]]:
    """For rates of false alarms, a 95 % interval of recall, by the same bootstrap as `auc_interval`.

    Returns:
        Rate, lower and upper end, at BAND_AT; empty with too few sources or generators.
    """
    of_real, of_ai = _clusters(sources), _clusters(generators)
    if min(len(of_real), len(of_ai)) < LEAST_OF_A_BAND:
        return []
    random = np.random.default_rng(seed)
    drawn = np.zeros((RESAMPLES, len(BAND_AT)))
    for number in range(RESAMPLES):
        left = np.concatenate([of_real[i] for i in random.integers(0, len(of_real), len(of_real))])
        right = np.concatenate([of_ai[i] for i in random.integers(0, len(of_ai), len(of_ai))])
        thresholds = [threshold_at(real[left], rate) if rate < 1 else -math.inf for rate in BAND_AT]
        drawn[number] = (ai[right][:, None] > np.array(thresholds)).mean(axis=0)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return [(rate, float(a), float(b)) for rate, a, b in zip(BAND_AT, low, high, strict=True)]


def _clusters(names: Sequence[str]) -> list[NDArray[np.intp]]:
    array = np.asarray(names)
    return [np.flatnonzero(array == name) for name in dict.fromkeys(names)]


def threshold_at(real: Scores, rate: float) -> float:
    """The lowest score that at most `rate` of the real clips exceed. Infinite without any."""
    if not len(real):
        return math.inf
    ordered = np.sort(real)[::-1]
    return float(ordered[min(int(rate * len(ordered)), len(ordered) - 1)])


@dataclass(frozen=True)
class Share:
    """A share that was counted, with exact two-sided 95 % bounds (Clopper-Pearson)."""

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        return self.count / self.of if self.of else None


def share(count: int, of: int) -> Share:
    """`count` of `of`, with bounds; between 0 and 1 where there is nothing."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    sided = (1 + CONFIDENCE) / 2
    low = lower_bound(count, of, sided) if count else 0.0
    return Share(count, of, low, upper_bound(count, of, sided))


@dataclass(frozen=True)
class Platt:
    """`probability = 1 / (1 + exp(-(slope * score + offset)))`, for a prior of one half (Platt 1999)."""

    slope: float
    offset: float

    def logit(self, scores: Scores) -> Scores:
        return self.slope * scores + self.offset

    def probability(self, scores: Scores) -> Scores:
        return np.asarray(1 / (1 + np.exp(-np.clip(self.logit(scores), -30, 30))))


def fit_platt(real: Scores, ai: Scores) -> Platt:
    """Fit by Newton's method; both classes weigh the same, whatever their numbers.

    The slope is held at 0 or above: a fit that turns the score around has learned noise.
    """
    scores = np.concatenate([real, ai])
    target = np.concatenate([np.zeros(len(real)), np.ones(len(ai))])
    weight = np.concatenate([np.full(len(real), 0.5 / len(real)), np.full(len(ai), 0.5 / len(ai))])
    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    x = np.stack([(scores - centre) / scale, np.ones_like(scores)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        gradient = x.T @ (weight * (p - target)) + 1e-4 * beta
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-4 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta -= step
        if np.abs(step).max() < 1e-9:
            break
    slope = max(float(beta[0]) / scale, 0.0)
    return Platt(slope, float(beta[1]) - slope * centre if slope else 0.0)


def out_of_fold(
    real: Scores, ai: Scores, sources: Sequence[str], families: Sequence[str], folds: int = 5
) -> tuple[Scores, Scores] | None:
    """Probabilities by fits that have seen neither a clip's source nor its family. None with too few."""
    of_real, of_ai = _dealt(sources, folds), _dealt(families, folds)
    if len(set(of_real.tolist())) < 2 or len(set(of_ai.tolist())) < 2:
        return None
    told_real, told_ai = np.zeros(len(real)), np.zeros(len(ai))
    for fold in range(folds):
        left, right = real[of_real != fold], ai[of_ai != fold]
        if not len(left) or not len(right):
            return None
        platt = fit_platt(left, right)
        told_real[of_real == fold] = platt.probability(real[of_real == fold])
        told_ai[of_ai == fold] = platt.probability(ai[of_ai == fold])
    return told_real, told_ai


def _dealt(names: Sequence[str], folds: int) -> NDArray[np.intp]:
    """A fold for each name, whole groups together, the largest dealt first."""
    sizes = dict.fromkeys(names, 0)
    for name in names:
        sizes[name] += 1
    filled = [0] * folds
    fold_of: dict[str, int] = {}
    for name in sorted(sizes, key=lambda n: (-sizes[n], n)):
        fold = min(range(folds), key=lambda number: filled[number])
        fold_of[name] = fold
        filled[fold] += sizes[name]
    return np.array([fold_of[name] for name in names], np.intp)


@dataclass(frozen=True)
class Reliability:
    """How probabilities and frequencies agree, both classes weighing the same.

    Attributes:
        error: expected calibration error: mean distance of the two, over bins.
        brier: mean squared error.
        bins: mean probability, share of AI-made, and clips of each bin.
    """

    error: float
    brier: float
    bins: tuple[tuple[float, float, int], ...]


def reliability(real: Scores, ai: Scores) -> Reliability:
    """Of probabilities told of real and AI-made clips; neither may be empty."""
    told = np.concatenate([real, ai])
    target = np.concatenate([np.zeros(len(real)), np.ones(len(ai))])
    weight = np.concatenate([np.full(len(real), 0.5 / len(real)), np.full(len(ai), 0.5 / len(ai))])
    place = np.minimum((told * BINS).astype(int), BINS - 1)
    bins, error = [], 0.0
    for number in range(BINS):
        inside = place == number
        if heavy := float(weight[inside].sum()):
            mean = float((weight * told)[inside].sum() / heavy)
            found = float((weight * target)[inside].sum() / heavy)
            bins.append((mean, found, int(inside.sum())))
            error += heavy * abs(mean - found)
    return Reliability(error, float((weight * np.square(told - target)).sum()), tuple(bins))


def coverage_and_risk(real: Scores, ai: Scores) -> list[tuple[float, float]]:
    """Share of clips decided on, surest first, and share of wrong ones; classes weigh alike."""
    told = np.concatenate([real, ai])
    wrong = np.concatenate([real > 0.5, ai <= 0.5]).astype(np.float64)
    weight = np.concatenate([np.full(len(real), 0.5 / len(real)), np.full(len(ai), 0.5 / len(ai))])
    order = np.argsort(-np.abs(told - 0.5), kind="stable")
    covered = np.cumsum(weight[order])
    risk = np.cumsum((weight * wrong)[order]) / covered
    steps = np.linspace(0.05, 1, 20)
    places = np.searchsorted(covered, steps * covered[-1] - 1e-12).clip(0, len(order) - 1)
    return [(float(step), float(risk[place])) for step, place in zip(steps, places, strict=True)]


def curve(real: Scores, ai: Scores) -> list[tuple[float, float]]:
    """False-alarm rate and recall at every threshold, rising: the ROC curve."""
    values = np.unique(np.concatenate([real, ai]))[::-1]
    left, right = np.sort(real), np.sort(ai)
    false = 1 - np.searchsorted(left, values, side="left") / len(left)
    hit = 1 - np.searchsorted(right, values, side="left") / len(right)
    return [(0.0, 0.0), *zip(false.tolist(), hit.tolist(), strict=True)]
