"""Fixtures that every test may use: the shared corpus where it is, and a home of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def corpus_folder(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path | None:
    """The shared corpus: `TOUCHSTONE_CORPUS`, or `../shared/corpus` beside the checkout; None without one."""
    named = environment.get("TOUCHSTONE_CORPUS")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "corpus"
    return folder if (folder / "manifest.csv").is_file() else None


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared corpus of real, rendered and generated clips. Skips the test where there is none."""
    folder = corpus_folder()
    if folder is None:
        pytest.skip("no shared corpus: neither ../shared/corpus nor TOUCHSTONE_CORPUS is there")
    return folder


@pytest.fixture(scope="session")
def corpus_marks(corpus: Path) -> Path:
    """The corpus of marked files: signed, labelled and watermarked, real and derived."""
    return corpus / "marks"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home folder, private to its owner."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The environment of a user who has never run Touchstone: only PATH and a fresh home are set."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_RUNTIME_DIR": str(home / "run"),
    }
