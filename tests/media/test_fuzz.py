"""A short run of every fuzz target; `tools/fuzz.py` runs them for as long as one likes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import fuzz

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed (it exists for Linux only)"
)


def run_fuzzer(repository: Path, target: str, corpus: Path) -> str:
    """A run that is the same each time: an empty corpus, a fixed seed, a number of inputs and no clock."""
    command = [sys.executable, "tools/fuzz.py", target, "--runs", "1000", "--seed", "1"]
    run = subprocess.run(
        [*command, "--corpus", str(corpus)],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_a_thousand_inputs_without_an_escape(repository: Path, target: str, tmp_path: Path) -> None:
    said = run_fuzzer(repository, target, tmp_path)
    assert "no escape" in said
    assert int(said.split()[1]) >= 1000


def test_the_same_inputs_are_tried_each_time(repository: Path, tmp_path: Path) -> None:
    kept = []
    for name in ("first", "second"):
        run_fuzzer(repository, "url", tmp_path / name)
        kept.append({path.read_bytes() for path in (tmp_path / name / "url").iterdir()})
    assert kept[0] == kept[1]
    assert len(kept[0]) > len(fuzz.SEEDS["url"]), "coverage led to inputs of its own"
