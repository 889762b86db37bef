"""Writes THIRD_PARTY_NOTICES.md from the metadata of the installed packages.

Listed are the Python packages that Touchstone needs to run, on any platform, and the npm packages of which
code ends in the built extension. Tools for building and testing are not handed on and not listed.

usage: notices.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from generated_page import write_or_check

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "THIRD_PARTY_NOTICES.md"
FACTS = tomllib.loads((REPOSITORY / "tools" / "notices.toml").read_text(encoding="utf-8"))

INTRODUCTION = """# Third-party notices

Touchstone is licensed under Apache-2.0 (LICENSE). It runs on the packages below, each under its own licence,
whose text each package carries. Made by `make docs`; the versions are those of the lock files.
"""


@dataclass(frozen=True, order=True)
class Notice:
    """One package and its licence, as an SPDX expression where the package gives one."""

    name: str
    version: str
    licence: str
    home: str
    note: str = ""


class NoLicence(Exception):
    """A package does not say its licence, and notices.toml does not either. The text names it."""


def locked_versions() -> dict[str, str]:
    """Package name to version, as requirements.lock pins them; two where Python versions differ."""
    versions: dict[str, list[str]] = {}
    for line in (REPOSITORY / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^ ;]+)", line):
            versions.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return {name: " / ".join(found) for name, found in versions.items()}


def runtime_packages() -> list[str]:
    """Names of the packages that Touchstone needs to run on any platform, directly or not."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    locked = locked_versions()
    names: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        # Not in the lock: no supported Python version needs it.
        if name in names or name not in locked or "extra" in str(requirement.marker or ""):
            continue
        names.add(name)
        try:
            waiting += map(Requirement, metadata.requires(name) or ())
        except metadata.PackageNotFoundError:
            continue
    return sorted(names)


def python_notice(name: str, version: str) -> Notice:
    """What the installed package says of itself, or notices.toml of one that is not installed here."""
    note = FACTS["inside"].get(name, "")
    if known := FACTS["elsewhere"].get(name):
        return Notice(name, version, known[0], known[1], note)
    try:
        facts = metadata.metadata(name)
    except metadata.PackageNotFoundError as missing:
        raise NoLicence(f"{name} is not installed here; give its licence in tools/notices.toml") from missing
    classifiers = [
        c.rpartition(" :: ")[2] for c in facts.get_all("Classifier") or () if c.startswith("License ::")
    ]
    said = _field(facts, "License-Expression") or _field(facts, "License") or " OR ".join(classifiers)
    if not said:
        raise NoLicence(f"{name} names no licence in its metadata; give it in tools/notices.toml")
    licence = FACTS["spelling"].get(said.strip(), said.strip())
    return Notice(name, version, licence, _home(facts), note)


def _field(facts: metadata.PackageMetadata, name: str) -> str:
    values = facts.get_all(name)
    return values[0] if values else ""


def _home(facts: metadata.PackageMetadata) -> str:
    links = dict(link.split(", ", 1) for link in facts.get_all("Project-URL") or ())
    wanted = ("homepage", "home", "source", "source code", "repository", "code", "github")
    by_word = {label.casefold(): link for label, link in links.items()}
    found = next((by_word[word] for word in wanted if word in by_word), None)
    return found or _field(facts, "Home-page") or next(iter(links.values()), "")


def bundle_notice(name: str) -> Notice:
    """What a package of the extension's bundle says of itself."""
    folder = REPOSITORY / "extension" / "node_modules" / name
    facts = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    repository = facts.get("repository", "")
    home = facts.get("homepage") or (repository if isinstance(repository, str) else repository.get("url", ""))
    return Notice(name, facts["version"], facts["license"], re.sub(r"^git\+|\.git$", "", home))


def render() -> str:
    """The whole page."""
    locked = locked_versions()
    python = [python_notice(name, locked[name]) for name in runtime_packages()]
    bundle = [bundle_notice(name) for name in sorted(FACTS["bundle"]["packages"])]
    notes = [f"- **{n.name}**: {n.note}\n" for n in python if n.note]
    return (
        f"{INTRODUCTION}\n## Python packages\n\n{_table(python)}\n"
        f"What their wheels carry beside the packages themselves:\n\n{''.join(notes)}\n"
        f"## In the extension\n\n{_table(bundle)}"
        f"\n## Models made of other people's\n\n{_models()}"
    )


def _models() -> str:
    """Files in model_zoo/ that were made of somebody's weights, with the text of their licence."""
    told = []
    for model in FACTS["model"]:
        text = "".join(f"> {line}".rstrip() + "\n" for line in model["text"].strip().splitlines())
        told.append(f"**{model['file']}**: {model['note']}\n\n{text}")
    return "\n".join(told)


def _table(notices: list[Notice]) -> str:
    lines = [
        f"| {f'[{n.name}]({n.home})' if n.home else n.name} | {n.version} | {n.licence} |\n" for n in notices
    ]
    return "| package | version | licence |\n|---|---|---|\n" + "".join(lines)


def main() -> int:
    return write_or_check(PAGE, render(), __doc__)


if __name__ == "__main__":
    sys.exit(main())
