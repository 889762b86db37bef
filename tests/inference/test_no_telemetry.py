"""The runtime that runs our models reports to its maker unless it is told not to: it is told, everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Automation is told apart by these, and telemetry then keeps quiet by itself: a person's machine has none.
AUTOMATION = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "BUILD_ID", "JENKINS_URL", "ORT_DISABLE_TELEMETRY")


@pytest.mark.parametrize(
    "imports",
    [
        "import touchstone.inference.sessions",
        "import touchstone.media.worker, onnxruntime",  # a worker, whatever its examiners import
        "import touchstone.cli, onnxruntime",
    ],
)
def test_no_machine_id_is_made_and_nothing_is_kept_for_sending(imports: str, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in AUTOMATION}
    folders = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(
        [sys.executable, "-P", "-c", imports], check=True, timeout=60, env=environ | folders, cwd=tmp_path
    )
    assert [str(path) for path in tmp_path.rglob("*")] == []
