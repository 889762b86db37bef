"""How a measurement goes on where it was ended, and what its tables say."""

from __future__ import annotations

from pathlib import Path

from measure_rivagan import State, report


def test_what_was_found_is_kept_and_another_edition_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "state.jsonl"
    assert State(file, "now").get("a.mp4", lambda: 0.25) == 0.25
    assert State(file, "now").get("a.mp4", lambda: 0.75) == 0.25
    assert State(file, "later").get("a.mp4", lambda: None) is None
    assert State(file, "later").get("a.mp4", lambda: 0.5) is None, "nothing found is a result as well"


def test_shares_are_counted_at_the_threshold_that_counts() -> None:
    text = "\n".join(report([(0.81, "a"), (0.8, "b")], {"no loss": [(0.9, 32), (0.5, 31)]}, above=0.8))
    assert "| 2 | 0.81 | 0.81 | 0.81 | 0.81 | 1 |" in text
    assert "| no loss | 2 | 1 | 0.50 (0.01 to 0.99) | 0.70 | 31.5 | 1 | 2 |" in text
