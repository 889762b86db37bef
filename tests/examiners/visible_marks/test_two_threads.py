"""Two threads find what one finds, in the same order."""

from __future__ import annotations

import pytest

from examiners.visible_marks.cases import CASES
from examiners.visible_marks.drawing import draw
from touchstone.examiners.visible_marks import VisibleMarks


@pytest.mark.parametrize("rule", ["kling", "sora", None])
def test_two_threads_find_the_same(examiner: VisibleMarks, rule: str | None) -> None:
    looks = draw(*(CASES[rule] if rule else ()))
    alone = list(examiner.find(looks, threads=1))
    assert list(examiner.find(looks, threads=2)) == alone
    assert bool(alone) == bool(rule)
