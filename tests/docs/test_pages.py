"""The pages in docs/ are whole: generated ones are up to date, and links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli_docs

REPOSITORY = Path(__file__).resolve().parents[2]

PAGES = sorted([*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")])


def test_cli_page_is_up_to_date() -> None:
    assert cli_docs.PAGE.read_text(encoding="utf-8") == cli_docs.render(), "run `make docs`"


def links() -> Iterator[tuple[Path, str]]:
    """Links of every page to files of the repository."""
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("#"):
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()), ids=lambda part: getattr(part, "name", part))
def test_links_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target.partition("#")[0]).exists()


def test_every_page_is_in_the_index() -> None:
    docs = REPOSITORY / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    for page in docs.glob("*.md"):
        if page.name != "README.md":
            assert f"({page.name})" in index, f"docs/README.md does not list {page.name}"
