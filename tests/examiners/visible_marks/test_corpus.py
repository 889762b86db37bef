"""Marks on real clips, and clips without any."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from touchstone.examiners.visible_marks import VisibleMarks
from touchstone.intake import Material
from touchstone.media.workers import Found, Skipped, examine_material
from touchstone.verdict import Evidence, Supports

pytestmark = pytest.mark.corpus


def examined(examiner: VisibleMarks, path: Path) -> list[Evidence]:
    messages = list(examine_material(Material(path, path.stat().st_size), [examiner]))
    assert not [message for message in messages if isinstance(message, Skipped)]
    return [message.evidence for message in messages if isinstance(message, Found)]


def test_every_expected_mark_is_read(examiner: VisibleMarks, corpus_marks: Path) -> None:
    with (corpus_marks / "expected.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["examiner"] == "visible_marks"]
    assert rows
    for row in rows:
        evidence = examined(examiner, corpus_marks / row["file"])
        assert [(e.supports, e.details["generator"]) for e in evidence] == [(Supports.AI, row["names"])], row


@pytest.mark.parametrize(
    "name",
    [
        "gen_video/sora2_watermark_removed.mp4",
        "platform_video/tiktok_human.mp4",
        "visible_image/gemini_no-gemini.jpg",
        "visible_image/sora2_watermark_template.png",
    ],
)
def test_a_clip_without_a_mark_shows_none(examiner: VisibleMarks, corpus_marks: Path, name: str) -> None:
    assert examined(examiner, corpus_marks / name) == []


def test_one_clip_of_every_real_source_shows_no_mark(examiner: VisibleMarks, corpus: Path) -> None:
    """All clips are examined by tools/measure_visible_marks.py."""
    with (corpus / "manifest.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["label"] in ("real", "cgi")]
    smallest: dict[str, Path] = {}
    for row in rows:
        path = corpus / row["file"]
        if path.is_file() and path.stat().st_size < 100_000:
            smallest.setdefault(row["group"], path)
    assert len(smallest) > 10
    for path in smallest.values():
        messages = examine_material(Material(path, path.stat().st_size), [examiner])
        assert [m.evidence.finding for m in messages if isinstance(m, Found)] == [], path
