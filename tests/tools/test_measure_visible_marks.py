"""What is counted as read and as false, what the bounds allow, and how a run goes on."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path

import pytest

from measure_visible_marks import PACKAGE, PAGE, Clip, Outcome, Rates, finished, rates
from pages import put_section

OUTCOMES = {
    Clip("a.mp4", "real", "camera", ""): Outcome([], [], 8),
    Clip("b.mp4", "real", "camera", ""): Outcome(["sora"], [], 8),
    Clip("c.mp4", "generated", "lavie", ""): Outcome([], ["sora"], 8),
    Clip("d.mp4", "generated", "morph_studio", "morph"): Outcome(["morph"], ["morph"], 8),
    Clip("e.mp4", "generated", "morph_studio", "morph"): Outcome(["kling"], [], 8),
    Clip("f.mp4", "generated", "pyoco", "pyoco"): Outcome(["pyoco"], [], 8),
    Clip("g.mp4", "generated", "gen2", "?"): Outcome(["veo"], [], 8),
}


def test_marked_clips_count_as_read_and_unmarked_ones_as_false() -> None:
    assert rates(OUTCOMES, "clip") == Rates(read=2, marked=3, false=1, unmarked=3)


def test_single_pictures_are_held_to_the_rules_that_count_there() -> None:
    assert rates(OUTCOMES, "picture") == Rates(read=1, marked=2, false=1, unmarked=3)


@pytest.mark.parametrize(
    ("rate", "log10_lr"),
    [
        # No false one of n: the upper bound is 1 - 0.025^(1/n); all of n read: the lower one is 0.025^(1/n).
        (Rates(30, 30, 0, 600), math.log10(0.025 ** (1 / 30) / (1 - 0.025 ** (1 / 600)))),
        (Rates(0, 30, 0, 600), 0.0),
        (Rates(1, 30, 300, 600), 0.0),  # read more often where there is none
    ],
)
def test_a_mark_is_worth_no_more_than_the_bounds_say(rate: Rates, log10_lr: float) -> None:
    assert rate.log10_lr == pytest.approx(log10_lr, abs=1e-6)


@pytest.mark.parametrize("of", ["clip", "picture"])
def test_what_the_examiner_uses_is_what_its_counts_allow(of: str) -> None:
    table = tomllib.loads((PACKAGE / "measured.toml").read_text(encoding="utf-8"))[of]
    rate = Rates(table["read"], table["marked"], table["false"], table["unmarked"])
    assert 0 < table["log10_lr"] <= rate.log10_lr < table["log10_lr"] + 0.01


@pytest.mark.parametrize(("of", "name"), [("clip", "clips"), ("picture", "single pictures")])
def test_what_the_examiner_uses_stands_on_the_page(of: str, name: str) -> None:
    table = tomllib.loads((PACKAGE / "measured.toml").read_text(encoding="utf-8"))[of]
    found = f"{table['read']} | {table['marked']} | {table['read_rate_lower']:.3f}"
    false = f"{table['false']} | {table['unmarked']} | {table['false_rate_upper']:.5f}"
    row = f"| {name} | {found} | {false} | {table['log10_lr']:.2f} |"
    assert row in PAGE.read_text(encoding="utf-8")


def test_a_run_goes_on_where_the_last_one_of_the_same_examiner_ended(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    assert finished(state, "now") == {}
    rows = [
        {"edition": "before", "file": "a.mp4", "clip": ["sora"], "picture": [], "looks": 8},
        {"edition": "now", "file": "b.mp4", "clip": [], "picture": ["sora"], "looks": 3},
    ]
    state.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert finished(state, "now") == {"b.mp4": Outcome([], ["sora"], 3)}


def test_a_section_of_a_page_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- x: made by y -->\nold\n<!-- x ends -->\nafter\n", encoding="utf-8")
    put_section(page, "x", "new\n")
    put_section(page, "x", "newer")
    assert page.read_text(encoding="utf-8") == (
        "before\n<!-- x: made by y -->\n\nnewer\n\n<!-- x ends -->\nafter\n"
    )
    with pytest.raises(ValueError, match="no section 'z'"):
        put_section(page, "z", "new")
