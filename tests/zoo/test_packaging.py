"""What an installation gets: the registry and the cards are in the wheel."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info")


def test_the_zoo_is_in_the_wheel(repository: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in (
        "pyproject.toml",
        "setup.py",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "THIRD_PARTY_NOTICES.md",
    ):
        shutil.copyfile(repository / name, source / name)
    for name in ("daemon", "model_zoo"):
        shutil.copytree(repository / name, source / name, ignore=IGNORED)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--quiet",
    ]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(source)], check=True, timeout=120)
    (wheel,) = tmp_path.glob("touchstone-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"touchstone/model_zoo/zoo.toml", "touchstone/model_zoo/cards/rivagan.md"} <= names
    assert not any("training" in name for name in names if "model_zoo" in name)
