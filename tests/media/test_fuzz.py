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


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_a_thousand_inputs_without_an_escape(repository: Path, target: str) -> None:
    command = [sys.executable, "tools/fuzz.py", target, "--runs", "1000", "--seconds", "5"]
    run = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "no escape" in run.stdout
