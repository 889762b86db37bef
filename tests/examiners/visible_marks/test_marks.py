"""What is a mark, and what only looks like one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from examiners.visible_marks.cases import CASES, LEFT, RIGHT, SORA
from examiners.visible_marks.drawing import LOOKS, Word, draw
from touchstone.examiners.visible_marks import VisibleMarks
from touchstone.examiners.visible_marks.looks import scaled
from touchstone.examiners.visible_marks.rules import Rule, rules
from touchstone.verdict import Evidence, Supports

ALL = tuple(range(LOOKS))
RULES = {rule.id: rule for rule in rules()}


def found(examiner: VisibleMarks, words: Sequence[Word], **how: object) -> list[Evidence]:
    return list(examiner.find(draw(*words, **how)))  # type: ignore[arg-type]


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_every_rule_reads_its_case(examiner: VisibleMarks, rule: Rule) -> None:
    evidence = found(examiner, CASES[rule.id])
    assert [e.details["rule"] for e in evidence] == [rule.id]
    (mark,) = evidence
    assert mark.supports is rule.supports
    assert mark.details["generator"] == rule.generator
    # Half of the looks are enough to be sure of one that jumps.
    assert mark.details["frames_seen"] == (LOOKS if rule.motion == "static" else LOOKS // 2)
    assert mark.details["frames_with"] >= rule.frames
    assert len(mark.details["boxes"]) == mark.details["frames_with"]


SCENES = {
    "nothing": [],
    "the word in the middle of the scene": [Word("Sora", (0.5, 0.5), 0.035)],
    "as large as a title": [Word("Sora", (LEFT, 0.06), 0.2), Word("KLING AI", (0.7, 0.9), 0.2)],
    "shown once": [Word("KLING AI", (0.85, 0.95), 0.025, (3,))],
    "a sign in capitals": [Word("SORA", (LEFT, 0.06), 0.035)],
    "in a headline": [Word("Sora is here, and KLING AI too", (0.4, 0.92), 0.05)],
    "a subtitle": [Word("We asked Sora to make this video", (0.5, 0.92), 0.055)],
    "a caption in the way": [Word("with Sora", (LEFT, 0.92), 0.035)],
    "a question": [Word("Is this AI-generated?", (0.2, 0.08), 0.03)],
    "a longer word": [Word("Soraya", (LEFT, 0.92), 0.035), Word("LUMASCAPE", (0.85, 0.08), 0.04)],
    "a shirt that walks through": [Word("Sora", (0.1 + 0.1 * n, 0.5), 0.035, (n,)) for n in ALL],
    "a mark in another's place": [
        Word("LUMA", (0.15, 0.92), 0.05),
        Word("MADE WITH PIKA", (0.5, 0.5), 0.025),
    ],
    "a scoreboard": [Word("A1  2:0", (0.15, 0.08), 0.04), Word("AI", (0.93, 0.94), 0.035)],
    "a name with a mark's letters": [
        Word("VEO CAFE", (0.85, 0.94), 0.05),
        Word("Grokster", (0.9, 0.94), 0.04),
    ],
    "a mark that jumps for others but stays here": [Word("Sora", (LEFT, 0.06), 0.035)],
}


@pytest.mark.parametrize("words", SCENES.values(), ids=SCENES.keys())
@pytest.mark.parametrize("moves", [True, False], ids=["moving", "still"])
def test_the_same_words_elsewhere_are_no_mark(
    examiner: VisibleMarks, words: Sequence[Word], moves: bool
) -> None:
    assert [e.finding for e in found(examiner, words, moves=moves)] == []


def test_a_still_scene_hides_no_mark(examiner: VisibleMarks) -> None:
    (mark,) = found(examiner, CASES["kling"], moves=False)
    assert mark.details["rule"] == "kling"


def test_a_short_clip_shows_sora_in_one_place_only(examiner: VisibleMarks) -> None:
    (mark,) = found(examiner, [Word("Sora", (RIGHT, 0.49), 0.035)], seconds=3.0)
    assert mark.details["rule"] == "sora"


SINGLE = {
    "Sora in its place": ([SORA[1]], "sora", Supports.AI),
    "an unmistakable text": (CASES["doubao"], "doubao", Supports.AI),
    "a label, which anyone can write": (CASES["label_english"], "label_english", Supports.NEITHER),
    "a word that needs to stay": (CASES["luma"], None, None),
    "nothing": ([], None, None),
}


@pytest.mark.parametrize(("words", "rule", "supports"), SINGLE.values(), ids=SINGLE.keys())
def test_a_single_picture_is_believed_less(
    examiner: VisibleMarks, words: Sequence[Word], rule: str | None, supports: Supports | None
) -> None:
    words = [Word(w.text, w.at, w.height, (0,)) for w in words]
    evidence = found(examiner, words, count=1)
    assert [(e.details["rule"], e.supports) for e in evidence] == ([(rule, supports)] if rule else [])


def test_a_brand_is_not_told_again_as_a_label(examiner: VisibleMarks) -> None:
    evidence = found(examiner, [*CASES["doubao"], *CASES["label_chinese"]])
    assert [e.details["rule"] for e in evidence] == ["doubao", "label_chinese"]
    assert evidence[1].details["text"] != evidence[0].details["text"]


CHANGES = {
    "letterboxed": lambda picture: np.pad(picture, ((90, 90), (0, 0)), constant_values=16),
    "pillarboxed": lambda picture: np.pad(picture, ((0, 0), (150, 150)), constant_values=16),
    "mirrored": np.fliplr,
    "made smaller": lambda picture: scaled(picture, 640),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("rule", ["sora", "kling"])
def test_a_copy_still_shows_its_mark(examiner: VisibleMarks, rule: str, change: object) -> None:
    evidence = found(examiner, CASES[rule], change=change)
    assert [e.details["rule"] for e in evidence] == [rule]
    assert evidence[0].details["mirrored"] is (change is np.fliplr)


def test_boxes_and_spans_say_where_and_when(examiner: VisibleMarks) -> None:
    (mark,) = found(examiner, SORA)
    boxes = mark.details["boxes"]
    assert [box["time_s"] for box in boxes] == [1.25, 3.75, 6.25, 8.75]
    for box, x, y in zip(boxes, [LEFT, RIGHT, RIGHT, LEFT], [0.06, 0.49, 0.49, 0.92], strict=True):
        assert box["x"] < x < box["x"] + box["w"]
        assert box["y"] < y < box["y"] + box["h"]
        assert box["w"] < 0.2
    assert [(span.start_s, span.end_s) for span in mark.spans] == [(1.25, 8.75)]
    assert "4 of 4" in mark.finding


def test_a_mark_that_is_hidden_in_half_of_the_looks_is_found_in_the_others(examiner: VisibleMarks) -> None:
    """Only one of the looks that are searched first shows it, and only one of those that come next."""
    words = [
        Word("Sora", (LEFT, 0.06), 0.035, (0, 1, 2)),
        Word("Sora", (RIGHT, 0.49), 0.035, (3, 4)),
    ]
    (mark,) = found(examiner, words)
    assert (mark.details["frames_with"], mark.details["frames_seen"]) == (5, LOOKS)


def test_a_mark_over_hard_texture_is_found(examiner: VisibleMarks) -> None:
    def rough(picture: np.ndarray) -> np.ndarray:
        noise = (
            np.random.default_rng(int(picture[0, 0])).integers(-40, 40, (135, 240)).repeat(4, 0).repeat(4, 1)
        )
        return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)

    (mark,) = found(examiner, SORA, change=rough)
    assert mark.details["rule"] == "sora"


def test_boxes_of_a_letterboxed_clip_are_of_the_whole_frame(examiner: VisibleMarks) -> None:
    (mark,) = found(examiner, CASES["kling"], change=CHANGES["letterboxed"])
    (top, bottom) = (90 / 720, 630 / 720)
    box = mark.details["boxes"][0]
    assert top < box["y"] < box["y"] + box["h"] < bottom


def test_a_page_full_of_text_is_read_in_bounded_time(examiner: VisibleMarks) -> None:
    words = [
        Word(f"line {n} {m}", (0.06 + 0.11 * m, 0.87 + 0.03 * n), 0.02) for n in range(4) for m in range(9)
    ]
    assert found(examiner, words) == []
