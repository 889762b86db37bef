"""Text that OCR read against text of marks."""

from __future__ import annotations

import pytest

from touchstone.examiners.visible_marks.matching import budget, comparable, distance, matches
from touchstone.examiners.visible_marks.rules import rules


@pytest.mark.parametrize(
    ("read", "text", "how", "expected"),
    [
        ("Sora", "Sora", {}, True),
        ("Šora", "Sora", {}, True),  # the mascot's eyes over the S
        ("$ora", "Sora", {}, True),
        ("S0ra", "Sora", {}, True),
        ("SORA", "Sora", {}, False),
        ("Sorta", "Sora", {}, False),
        ("Soraya", "Sora", {}, False),
        ("Sora@someone", "Sora", {"after": "(@.*)?"}, True),
        ("Sora by someone", "Sora", {"after": "(@.*)?"}, False),
        ("KLINGAI", "KLING AI", {}, True),
        ("KLlNG Al", "KLING AI", {}, True),
        ("KL1NC AI", "KLING AI", {}, True),
        ("KUNC A", "KLING AI", {}, False),
        ("O KLING AI", "KLING AI", {"before": 2}, True),
        ("meet KLING AI", "KLING AI", {"before": 2}, False),
        ("MADE WITH P1KA", "MADE WITH PIKA", {}, True),
        ("MAOE WlTH PIK", "MADE WITH PIKA", {}, True),
        ("MADE WITH LOVE", "MADE WITH PIKA", {}, False),
        ("豆包AI生成", "豆包AI生成", {}, True),
        ("豆包Al生成", "豆包AI生成", {}, True),
        ("豆包AI生战", "豆包AI生成", {}, True),
        ("面包AI合成", "豆包AI生成", {}, False),
        ("AI生成", "AI生成", {}, True),
        ("AI先成", "AI生成", {}, False),
        ("", "Sora", {}, False),
        ("Sora", "MADE WITH PIKA", {}, False),
    ],
)
def test_matches(read: str, text: str, how: dict[str, object], expected: bool) -> None:
    assert matches(read, text, **how) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "edits"),
    [("Veo", 0), ("LUMA", 0), ("PYoCo", 1), ("KLING AI", 1), ("MOONVALLEY", 2), ("MADE WITH PIKA", 3)],
)
def test_longer_texts_may_have_more_wrong_letters(text: str, edits: int) -> None:
    assert budget(text) == edits


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0)],
)
def test_distance(one: str, other: str, edits: int) -> None:
    assert distance(one, other) == distance(other, one) == edits


def test_no_two_generators_share_a_text() -> None:
    texts = [
        (comparable(text), rule.generator) for rule in rules() if rule.kind == "brand" for text in rule.texts
    ]
    for text, generator in texts:
        for other, another in texts:
            if generator != another:
                assert distance(text, other) > max(budget(text), budget(other)), (text, other)
