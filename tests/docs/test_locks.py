"""requirements.lock answers to pyproject.toml: what is asked for is pinned, within the range asked for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]


def asked_for() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]


@pytest.mark.parametrize("text", asked_for())
def test_every_requirement_is_pinned_within_its_range(repository: Path, text: str) -> None:
    requirement = Requirement(text)
    lock = (repository / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", lock, re.MULTILINE)
    versions = [v for name, v in pins if canonicalize_name(name) == canonicalize_name(requirement.name)]
    assert versions, f"{requirement.name} is not pinned; run `make lock`"
    assert all(requirement.specifier.contains(version) for version in versions)
