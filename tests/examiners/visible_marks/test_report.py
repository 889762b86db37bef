"""How a mark is told: where in the picture, and when."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from touchstone.examiners.visible_marks.looks import Content, Look
from touchstone.examiners.visible_marks.reading import Mark, Sighting
from touchstone.examiners.visible_marks.report import evidence
from touchstone.examiners.visible_marks.rules import rules
from touchstone.examiners.visible_marks.search import Candidate

RULES = {rule.id: rule for rule in rules()}
WIDTH, HEIGHT = 200, 100
LEFT, RIGHT = 0.2, 0.8


@pytest.mark.parametrize(
    ("middles", "count", "where"),
    [
        ({0: (LEFT, 0.1)}, 1, "top left, in a single picture"),
        ({3: (0.5, 0.9)}, 8, "at the bottom at 3.0 s, in 1 of 8 frames looked at"),
        (
            dict.fromkeys((1, 2, 6), (RIGHT, 0.9)),
            8,
            "bottom right from 1.0 s to 6.0 s, in 3 of 8 frames looked at",
        ),
        (
            {1: (LEFT, 0.1), 2: (LEFT, 0.1), 4: (RIGHT, 0.5), 7: (LEFT, 0.1)},
            8,
            "top left from 1.0 s to 2.0 s, then at the right edge at 4.0 s, then top left at 7.0 s, "
            "in 4 of 8 frames looked at",
        ),
        (
            {n: (LEFT if n % 2 else RIGHT, 0.1) for n in range(6)},
            8,
            "in 2 places, one after another from 0.0 s to 5.0 s, in 6 of 8 frames looked at",
        ),
    ],
)
def test_places_are_told_with_their_times(
    middles: Mapping[int, tuple[float, float]], count: int, where: str
) -> None:
    looks = [Look(np.zeros((HEIGHT, WIDTH), np.uint8), float(second)) for second in range(count)]
    sightings = [
        Sighting(number, Candidate((x - 0.05, y - 0.02, x + 0.05, y + 0.02), 0.04, (number,), 1.0), "Sora")
        for number, (x, y) in middles.items()
    ]
    mark = Mark(RULES["sora"], sightings, range(count), single=count == 1)
    told = evidence(mark, looks, Content(0, 0, WIDTH, HEIGHT))
    assert told.finding == f"The picture carries the mark of Sora, read as Sora: {where}"


def test_spans_hang_together_over_looks_that_were_searched() -> None:
    looks = [Look(np.zeros((HEIGHT, WIDTH), np.uint8), float(second)) for second in range(8)]
    candidate = Candidate((0.1, 0.1, 0.2, 0.2), 0.04, (1, 3, 7), 1.0)
    sightings = [Sighting(number, candidate, "Sora") for number in (1, 3, 7)]
    told = evidence(Mark(RULES["sora"], sightings, [1, 3, 5, 7]), looks, Content(0, 0, WIDTH, HEIGHT))
    assert [(span.start_s, span.end_s) for span in told.spans] == [(1.0, 3.0), (7.0, 7.0)]
    assert told.details["frames_seen"] == 4
    assert "in 3 of 4 frames looked at" in told.finding
