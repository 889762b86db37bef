"""Writes docs/cli.md from the command line's own parser; with --check, says whether the page is up to date.

usage: cli_docs.py [--check]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from generated_page import write_or_check
from touchstone.cli import build_parser
from touchstone.cli.exits import Exit

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

INTRODUCTION = """# The command line

Made from the program itself by `make docs`; `touchstone COMMAND --help` says the same.

"""

MEANINGS = {
    Exit.DONE: "done, whatever the verdict",
    Exit.FAILED: "failed; standard error says why",
    Exit.USAGE: "the command line or a setting is wrong",
    Exit.UNREADABLE: "done, but some inputs could not be read",
    Exit.REFUSED: "the generator will not make what was asked for; standard error says why",
    Exit.FOUND: "a scan ended with a label given to `--fail-on`",
}


def render() -> str:
    """The whole page."""
    parser = build_parser()
    parts = [INTRODUCTION, "## Exit codes\n\n| code | meaning |\n|---|---|\n"]
    parts += [f"| {code.value} | {MEANINGS[code]} |\n" for code in Exit]
    parts += _command(parser, 2)
    return "".join(parts)


def _command(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"\n{'#' * level} `{parser.prog}`\n"
    if parser.description:
        yield f"\n{parser.description}\n"
    own = [a for a in parser._actions if not isinstance(a, argparse._SubParsersAction | argparse._HelpAction)]
    if own:
        yield "\n| argument | meaning |\n|---|---|\n"
        for action in own:
            yield f"| {_escaped(_name(action))} | {_escaped(_meaning(parser, action))} |\n"
    for group in parser._actions:
        if isinstance(group, argparse._SubParsersAction):
            for child in dict.fromkeys(group.choices.values()):
                yield from _command(child, level + 1)


def _name(action: argparse.Action) -> str:
    takes = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if isinstance(takes, tuple):
        takes = " ".join(takes)
    if not action.option_strings:
        return f"`{takes}`"
    return ", ".join(f"`{option} {takes}`".replace(" `", "`") for option in action.option_strings)


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = (action.help or "") % {**vars(action), "prog": parser.prog}
    if action.choices:
        text += " (one of " + ", ".join(f"`{choice}`" for choice in action.choices) + ")"
    return text


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    return write_or_check(PAGE, render(), __doc__)


if __name__ == "__main__":
    sys.exit(main())
