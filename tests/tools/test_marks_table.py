"""What counts as agreement between a scan and a row of expected.csv."""

from __future__ import annotations

from typing import Any

import pytest

from marks_table import Row, page

AI = {"supports": "ai", "verified": True, "finding": "Made with Sora", "details": {"signer": "OpenAI"}}
CLAIM = {**AI, "verified": False}
TAMPERED = {"supports": "neither", "verified": False, "finding": "Altered", "details": {"tampered": True}}
SILENT = {"supports": "neither", "verified": False, "finding": "No AI action", "details": {}}


def row(evidence: list[dict[str, Any]], **expected: str) -> Row:
    defaults = {
        "file": "a.mp4",
        "examiner": "labels",
        "supports": "ai",
        "verified": "-",
        "names": "",
        "tampered": "no",
    }
    found = [{"examiner": "labels", **e} for e in evidence]
    return Row({**defaults, **expected}, {"evidence": found, "verdict": {"generator": None}})


@pytest.mark.parametrize(
    ("evidence", "expected", "agrees"),
    [
        ([AI], {}, True),
        ([AI], {"verified": "yes", "names": "sora"}, True),
        ([AI], {"names": "openai"}, True),
        ([CLAIM], {"verified": "yes"}, False),
        ([AI], {"verified": "no"}, False),
        ([AI], {"names": "Kling"}, False),
        ([AI], {"supports": "edited"}, False),
        ([SILENT, AI], {}, True),
        ([], {}, False),
        ([], {"supports": "neither"}, True),
        ([SILENT], {"supports": "neither"}, True),
        ([CLAIM], {"supports": "neither"}, False),
        ([TAMPERED], {"supports": "neither", "tampered": "yes"}, True),
        ([SILENT], {"supports": "neither", "tampered": "yes"}, False),
    ],
)
def test_agreement(evidence: list[dict[str, Any]], expected: dict[str, str], agrees: bool) -> None:
    assert row(evidence, **expected).agrees is agrees


def test_evidence_of_another_examiner_does_not_count() -> None:
    other = row([AI])
    other.expected["examiner"] = "content_credentials"
    assert not other.agrees


def test_the_page_shows_expected_rows_and_every_disagreement() -> None:
    good, silent, bad = (
        row([AI]),
        row([], file="b.mp4", supports="neither"),
        row([AI], file="c|d.mp4", supports="neither"),
    )
    text = page([good, silent, bad], expected=1)
    assert "`a.mp4`" in text
    assert "`b.mp4`" not in text
    assert "`c\\|d.mp4`" in text
    assert "2 of 3 agree" in text
