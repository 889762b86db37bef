"""Writes a page that a command makes, or with --check says whether it is up to date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def write_or_check(path: Path, text: str, about: str | None) -> int:
    """What `main` of a tool that makes one page does; its exit status.

    Args:
        path: the page.
        text: what it should hold.
        about: the tool's own documentation, for --help.
    """
    ask = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--check", action="store_true", help="write nothing; exit 1 when it is out of date")
    if not ask.parse_args().check:
        path.write_text(text, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    print(f"{path.name} is out of date; run `make docs`", file=sys.stderr)
    return 1
