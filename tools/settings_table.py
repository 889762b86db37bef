"""Writes the table of settings into docs/settings.md; with --check, says whether it is up to date."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from touchstone.settings import markdown_table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"


def with_table(page: str) -> str:
    """The page with the table of today between its marks."""
    new, count = re.subn(
        r"(?s)(<!-- settings -->\n).*(<!-- /settings -->)",
        lambda marks: marks[1] + markdown_table() + marks[2],
        page,
    )
    if count != 1:
        raise SystemExit(f"{PAGE}: the marks <!-- settings --> and <!-- /settings --> are missing")
    return new


def main() -> int:
    """Write or check the page."""
    page = PAGE.read_text(encoding="utf-8")
    new = with_table(page)
    if "--check" in sys.argv[1:]:
        return 0 if new == page else 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
