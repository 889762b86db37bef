"""The totals that `make test` closes with are those of the runs, and nothing is passed over."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from run_checks import Check, count, run

JUNIT = """<testsuites><testsuite>
  <testcase name="a"/><testcase name="b"/>
  <testcase name="c"><failure/></testcase><testcase name="d"><error/></testcase>
  <testcase name="e"><skipped/></testcase>
</testsuite></testsuites>"""


def test_junit_counts(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(JUNIT)
    assert count(report) == {"passed": 2, "failed": 2, "skipped": 1}


WRITES = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2]); sys.exit(int(sys.argv[3]))"
PASSES = "<t><testcase/></t>"


@pytest.mark.parametrize(
    ("report", "code", "counts"),
    [
        (PASSES, 0, {"passed": 1}),
        (PASSES, 1, {"passed": 1, "failed": 1}),  # fell over after its tests
        ("<t><testcase><failure/></testcase></t>", 1, {"failed": 1}),
        ("<t/>", 0, {"failed": 1}),  # ended well without a test
    ],
)
def test_a_run_with_a_report(report: str, code: int, counts: dict[str, int]) -> None:
    command = (sys.executable, "-c", WRITES, "{junit}", report, str(code))
    assert +run(Check("unit", "trial", command, reports=True)) == counts


@pytest.mark.parametrize(("code", "counts"), [(0, {"passed": 1}), (3, {"failed": 1})])
def test_a_linter_counts_as_one(code: int, counts: dict[str, int]) -> None:
    assert +run(Check("lint", "trial", (sys.executable, "-c", f"raise SystemExit({code})"))) == counts
