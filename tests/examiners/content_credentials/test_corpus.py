"""Real files: every row of the corpus' expected.csv, and files without a row, by what is pinned alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from touchstone.examiners import Skip
from touchstone.trust import Trust
from touchstone.verdict import Evidence, Supports
from workshop import MIMES, look

pytestmark = pytest.mark.corpus

NAME = "content_credentials"
OWN = Trust()


def rows(corpus_marks: Path) -> dict[str, dict[str, str]]:
    with (corpus_marks / "expected.csv").open(encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file) if row["examiner"] == NAME}


def evidence_of(path: Path) -> list[Evidence]:
    try:
        return look(path, OWN)
    except Skip:
        return []


def text_of(evidence: Evidence) -> str:
    return (evidence.finding + json.dumps(evidence.details, ensure_ascii=False)).lower()


def test_every_row(corpus_marks: Path) -> None:
    wrong = []
    for name, row in rows(corpus_marks).items():
        found = evidence_of(corpus_marks / name)
        fits = [e for e in found if e.supports == row["supports"]]
        if row["verified"] in ("yes", "no"):
            fits = [e for e in fits if e.verified is (row["verified"] == "yes")]
        if row["tampered"] == "yes":
            fits = [e for e in fits if e.details.get("tampered")]
        fits = [e for e in fits if row["names"].lower() in text_of(e)]
        loud = [e for e in found if e.supports is not Supports.NEITHER]
        if not fits or (row["supports"] == "neither" and loud):
            wrong.append((name, [(e.supports.value, e.verified, e.finding) for e in found]))
    assert wrong == []


def test_files_without_a_row_are_quiet(corpus_marks: Path) -> None:
    expected = rows(corpus_marks)
    loud = []
    with (corpus_marks / "manifest.csv").open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    for name in names:
        path = corpus_marks / name
        if name in expected or name.startswith("trust/") or path.suffix not in MIMES or not path.exists():
            continue
        loud += [(name, e.finding) for e in evidence_of(path) if e.supports is not Supports.NEITHER]
    assert loud == []


def test_a_test_authority_is_trusted_only_where_the_user_says_so(corpus_marks: Path) -> None:
    path = corpus_marks / "derived" / "c2pa_ai_created.mp4"
    root = corpus_marks / "trust" / "c2pars_test_cert_root_bundle.pem"
    assert [e.verified for e in look(path, OWN)] == [False]
    assert [e.verified for e in look(path, Trust(lists=[root]))] == [True]


def test_the_great_generators_are_known_without_any_list(corpus_marks: Path) -> None:
    sora = corpus_marks / "gen_video" / "sora2_standard.mp4"
    (known,) = look(sora, OWN)
    (unknown,) = look(sora, Trust(pins=False))
    assert (known.verified, unknown.verified) == (True, False)
    assert unknown.details["certainty"] == "stated"
    assert unknown.supports is Supports.AI
