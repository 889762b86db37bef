"""The strip of a detector's scores over time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from touchstone.cli.strip import strip
from touchstone.verdict import Evidence, Span, Supports


def scored(*scores: float | None, details: Sequence[str] = ("score",)) -> Evidence:
    spans = [Span(start_s=2 * n, end_s=2 * n + 0.1, score=score) for n, score in enumerate(scores)]
    return Evidence(
        examiner="detector",
        finding="",
        supports=Supports.NEITHER,
        details=dict.fromkeys(details, 0.0),
        spans=spans,
    )


@pytest.mark.parametrize(
    ("evidence", "unicode", "expected"),
    [
        (scored(-9.0, 0.0, 9.0), True, "0.0 s ▁▅█ 4.1 s"),
        (scored(-9.0, 0.0, 9.0), False, "0.0 s _+# 4.1 s"),
        (scored(-9.0, None, 9.0), True, "0.0 s ▁█ 4.1 s"),
        (scored(1.0), True, ""),
        (scored(1.0, 2.0, details=()), True, ""),
    ],
)
def test_runs_become_signs(evidence: Evidence, unicode: bool, expected: str) -> None:
    drawn = strip(evidence, unicode=unicode)
    assert drawn.startswith(expected) and bool(drawn) is bool(expected)
