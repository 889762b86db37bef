"""Scores in the form that VidAudit reads: one table of clips for each condition.

`run.py eval --features FILE` of github.com/KurbanIntelligenceLab/vidaudit (arXiv:2606.31004) takes a table
with the columns below, `generator` being the source for real clips. Rendered clips are left out: it knows two
classes only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from .corpus import CGI, REAL, Clip

COLUMNS = ("video_id", "generator", "label", "is_real", "score")


def text_of(scores: Iterable[tuple[Clip, float]]) -> str:
    """The table as CSV."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for clip, score in scores:
        if clip.label != CGI:
            is_real = int(clip.label == REAL)
            table.writerow((clip.name, clip.group, "real" if is_real else "fake", is_real, f"{score:.6f}"))
    return file.getvalue()
