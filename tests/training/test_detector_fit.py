"""The detector's discriminant, its held-out scores, and the measures they are reported in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from detector.corpus import Clip
from detector.crossval import cross_validated
from detector.fit import Recipe, directions, fit
from detector.measures import auc, clopper_pearson, recall_at
from detector.table import Row, group

SIZE = 12


def rows(seed: int = 0) -> list[Row]:
    """40 groups of 6 clips: number 0 tells generated ones, number 1 tells groups, the rest is noise."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(40):
        label = "generated" if number % 2 else "real"
        source = random.normal(0, 8)
        for index in range(6):
            values = random.normal(size=(4, SIZE)).astype(np.float32)
            values[:, 0] += 1.5 * (number % 2)
            values[:, 1] += source
            name = f"{label}{number}"
            clip = Clip(f"{name}/{index}", label, name, frozenset({name}), f"{name}-{index}".ljust(64, "0"))
            found.append(Row(clip, "360p_crf28", values, number // 2 % 5, 0.1, 360 * 360))
    return found


def parted(scored: list[tuple[int, float]]) -> float:
    return auc([s for t, s in scored if t], [s for t, s in scored if not t])


def test_held_out_clips_are_told_by_what_generation_changes() -> None:
    scored = cross_validated(rows(), rows(), Recipe(inside=1, ridge=0.1))
    assert parted([(entry.row.target, entry.score) for entry in scored]) > 0.9


def test_what_differs_between_sources_is_distrusted() -> None:
    chosen = rows()
    values = np.stack([row.patches.mean(0) for row in chosen]).astype(float)
    fitted = fit(values, [group(row) for row in chosen], np.array([r.target for r in chosen]), Recipe(1, 0.1))
    assert abs(fitted.weights[0]) > 5 * abs(fitted.weights[1])


def test_a_group_counts_once_however_many_clips_it_has() -> None:
    chosen = rows()
    values = np.stack([row.patches.mean(0) for row in chosen]).astype(float)
    names, targets = [group(row) for row in chosen], np.array([row.target for row in chosen])
    often = [n for n in range(len(chosen)) for _ in range(30 if names[n] == names[0] else 1)]
    once = fit(values, names, targets, Recipe())
    many = fit(values[often], [names[n] for n in often], targets[often], Recipe())
    one, other = once.weights / once.spread, many.weights / many.spread
    assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.9


def test_labels_of_the_tested_fold_change_nothing() -> None:
    chosen = rows()
    turned = [
        replace(row, clip=replace(row.clip, label="cgi" if row.clip.generated else "generated"))
        if row.fold == 2
        else row
        for row in chosen
    ]
    honest, lied = (cross_validated(part, chosen, Recipe()) for part in (chosen, turned))
    of_fold = [(a.score, b.score) for a, b in zip(honest, lied, strict=True) if a.row.fold == 2]
    assert of_fold
    assert all(a == b for a, b in of_fold)


def test_nothing_is_learned_from_shuffled_labels() -> None:
    found = [
        parted([(e.row.target, e.score) for e in cross_validated(rows(), rows(), Recipe(), shuffled=seed)])
        for seed in range(12)
    ]
    assert 0.35 < np.mean(found) < 0.65


def test_directions_are_whitened() -> None:
    values = np.random.default_rng(0).normal(size=(500, 8)) * np.arange(1, 9)
    rotated = values @ directions(values, 5)
    np.testing.assert_allclose(np.cov(rotated.T), np.eye(5), atol=1e-6)


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [([2, 3], [0, 1], 1.0), ([0, 1], [2, 3], 0.0), ([1, 1], [1, 1], 0.5), ([1, 3], [0, 2], 0.75)],
)
def test_auc(high: list[float], low: list[float], expected: float) -> None:
    assert auc(high, low) == expected


@pytest.mark.parametrize(
    ("hits", "of", "expected"),
    [
        (0, 299, (0.0, 1 - 0.025 ** (1 / 299))),
        (20, 20, (0.025 ** (1 / 20), 1.0)),
        (5, 50, (0.03327, 0.21814)),  # R, binom.test(5, 50)
        (0, 0, (0.0, 1.0)),
    ],
)
def test_clopper_pearson(hits: int, of: int, expected: tuple[float, float]) -> None:
    assert clopper_pearson(hits, of) == pytest.approx(expected, abs=1e-4)


def test_recall_counts_no_more_false_alarms_than_allowed() -> None:
    negatives = list(range(200))
    found = recall_at([150, 198.5, 300], negatives, 0.01)
    assert (found.false, found.threshold, found.hits) == (2, 197.0, 2)
    assert recall_at([150, 198.5, 300], negatives, 0.001).false == 0
    assert found.interval[0] < found.rate < found.interval[1]
