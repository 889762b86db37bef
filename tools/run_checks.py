"""Runs every check of the project, one after another, and closes with totals. `make test` is this.

A check that fails does not stop the rest, so that one run shows everything that is wrong. Test runners hand
over their counts in JUnit files; a linter counts as one check that passed or failed.

usage: run_checks.py [--only STAGE ...]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
EXTENSION = REPOSITORY / "extension"
E2E = REPOSITORY / "tests" / "e2e"


@dataclass(frozen=True)
class Check:
    """One command. Where `reports`, it writes a JUnit file to where `{junit}` stands in the command."""

    stage: str
    name: str
    command: tuple[str, ...]
    folder: Path = REPOSITORY
    reports: bool = False


def python_tool(name: str) -> str:
    """A program of the environment that this script runs in."""
    return str(Path(sys.executable).with_name(name))


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """A script of a package.json, in its folder."""
    return ("npm", "run", "--silent", name, *(("--", *arguments) if arguments else ()))


VITEST = ("--reporter=default", "--reporter=junit", "--outputFile.junit={junit}")
TOOLS = (
    *(
        f"tools/{name}.py"
        for name in (
            "bench",
            "bench_inference",
            "bench_media",
            "cli_docs",
            "detector_page",
            "fuzz",
            "marks_table",
            "measure_rivagan",
            "notices",
            "run_checks",
        )
    ),
    "model_zoo/training/build_variants.py",
)
# One formatter and one set of rules for all TypeScript: the extension's.
BIOME = ("extension/node_modules/.bin/biome", "check", "--config-path=extension", "tests/e2e")
CHECKS = (
    Check("lint", "ruff check", (python_tool("ruff"), "check", ".")),
    Check("lint", "ruff format", (python_tool("ruff"), "format", "--check", ".")),
    Check("lint", "mypy", (python_tool("mypy"),)),
    Check("lint", "mypy: tools", (python_tool("mypy"), *TOOLS)),
    Check("lint", "extension: format and lint", script("lint"), EXTENSION),
    Check("lint", "extension: types", script("check"), EXTENSION),
    Check("lint", "extension: web-ext lint", script("lint:webext"), EXTENSION),
    Check("lint", "end to end: format and lint", BIOME),
    Check("lint", "end to end: types", script("types"), E2E),
    Check("drift", "types of the extension against the daemon's", script("types:check"), EXTENSION),
    Check("drift", "icons", script("icons:check"), EXTENSION),
    Check("unit", "tests of the extension", script("test", *VITEST), EXTENSION, reports=True),
    Check(
        "unit",
        "tests of the daemon",
        (python_tool("pytest"), "-n2", "--dist=loadfile", "--durations=20", "--junit-xml={junit}"),
        reports=True,
    ),
    Check("e2e", "tests in real browsers", script("test", *VITEST), E2E, reports=True),
)


def run(check: Check) -> Counter[str]:
    """Run one check and count what passed, failed and was skipped."""
    print(f"\n=== {check.name}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        junit = Path(folder) / "junit.xml"
        command = [part.replace("{junit}", str(junit)) for part in check.command]
        code = subprocess.run(command, cwd=check.folder, check=False).returncode
        counts = count(junit) if check.reports and junit.exists() else Counter()
    if code == 0 and check.reports and not counts["passed"]:
        print(f"{check.name} ended well but ran no test", flush=True)
        code = 1
    if code == 0 and not check.reports:
        counts["passed"] += 1
    if code != 0 and not counts["failed"]:
        counts["failed"] += 1  # it failed as a whole, or before its first test
    print(
        f"--- {check.name}: {'ok' if code == 0 else 'FAILED'} ({time.monotonic() - started:.0f} s)",
        flush=True,
    )
    return counts


def count(junit: Path) -> Counter[str]:
    """Passed, failed and skipped tests of a JUnit file."""
    counts: Counter[str] = Counter()
    for case in ET.parse(junit).iter("testcase"):  # noqa: S314 - written by our own test runner a moment ago
        outcome = {child.tag for child in case}
        if outcome & {"failure", "error"}:
            counts["failed"] += 1
        elif "skipped" in outcome:
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def main() -> int:
    stages = list(dict.fromkeys(check.stage for check in CHECKS))
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument(
        "--only", nargs="+", choices=stages, default=stages, metavar="STAGE", help=", ".join(stages)
    )
    wanted = ask.parse_args().only
    total: Counter[str] = Counter()
    broken = []
    for check in CHECKS:
        if check.stage in wanted:
            counts = run(check)
            total += counts
            if counts["failed"]:
                broken.append(check.name)
    if broken:
        print(f"\nFailed: {', '.join(broken)}")
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
