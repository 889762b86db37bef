"""Puts what a tool made into its section of a hand-written page."""

from __future__ import annotations

from pathlib import Path


def put_section(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME: made by ... -->` and `<!-- NAME ends -->` in `page`.

    Raises:
        ValueError: the page has no such section.
    """
    old = page.read_text(encoding="utf-8")
    start, end = old.find(f"<!-- {name}: "), old.find(f"<!-- {name} ends -->")
    if start < 0 or end < start:
        raise ValueError(f"{page.name} has no section {name!r}")
    body = old.index("-->\n", start) + len("-->\n")
    page.write_text(f"{old[:body]}\n{text.strip()}\n\n{old[end:]}", encoding="utf-8")
