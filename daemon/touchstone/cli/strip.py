"""A detector's scores over time as a strip of signs: which seconds carried the score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..messages import say

if TYPE_CHECKING:
    from ..verdict import Evidence

_BLOCKS, _ASCII = "▁▂▃▄▅▆▇█", "_.-=+*%#"
_EMPTY, _FULL = -2.0, 2.0
"""Logits of the emptiest and the fullest sign; fixed, so that strips of two clips compare."""


def strip(evidence: Evidence, *, unicode: bool) -> str:
    """The strip of one piece of evidence, empty where it has no score over time.

    Args:
        unicode: whether blocks may be used; else characters that every terminal has.
    """
    scored = [(span, span.score) for span in evidence.spans if span.score is not None]
    if "score" not in evidence.details or len(scored) < 2:
        return ""
    signs = _BLOCKS if unicode else _ASCII
    scores = [score for _, score in scored]
    return say(
        "cli.scan.strip",
        first=f"{scored[0][0].start_s:.1f}",
        strip="".join(signs[_level(score, len(signs))] for score in scores),
        last=f"{scored[-1][0].end_s:.1f}",
        low=f"{min(scores):+.1f}",
        high=f"{max(scores):+.1f}",
    )


def _level(score: float, levels: int) -> int:
    share = (min(max(score, _EMPTY), _FULL) - _EMPTY) / (_FULL - _EMPTY)
    return min(int(share * levels), levels - 1)
