"""Writes the table of rules in docs/visible-marks.md from rules.toml.

usage: visible_marks_table.py
"""

from __future__ import annotations

from pathlib import Path

from pages import put_section
from touchstone.examiners.visible_marks.rules import Rule, rules

PAGE = Path(__file__).resolve().parent.parent / "docs" / "visible-marks.md"


def render() -> str:
    """The table, a line for each rule."""
    head = "| rule | whose | says | looks | in one picture | from |\n|---|---|---|---|---|---|\n"
    return head + "".join(_line(rule) for rule in rules())


def _line(rule: Rule) -> str:
    whose = rule.generator or f"label: {rule.supports.value}"
    texts = ", ".join(f"`{text}`" for text in rule.texts).replace("|", "\\|")
    looks = f"{rule.frames}, jumps" if rule.motion == "jumps" else str(rule.frames)
    single = "counts" if rule.single else "shown only" if rule.kind == "label" else "no"
    return f"| {rule.id} | {whose} | {texts} | {looks} | {single} | {rule.source} |\n"


if __name__ == "__main__":
    put_section(PAGE, "rules", render())
