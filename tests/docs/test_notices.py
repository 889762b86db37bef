"""The notices name everything that is handed on; lock files pin it all and name no registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import notices

BARE_IMPORT = re.compile(
    r"""^\s*(?:import|export)\s+(?!type\b)[^'"]*?from\s+['"]([^.'"][^'"]*)['"]""", re.MULTILINE
)


def package_of(specifier: str) -> str:
    """`wxt/browser` belongs to `wxt`, `@scope/name/part` to `@scope/name`."""
    parts = specifier.split("/")
    return "/".join(parts[:2]) if specifier.startswith("@") else parts[0]


@pytest.mark.parametrize("name", notices.runtime_packages())
def test_every_runtime_package_is_named_with_its_licence(name: str) -> None:
    rows = re.findall(
        rf"^\| \[?{re.escape(name)}\]?[^|]*\| ([^|]+) \| ([^|]+) \|$", notices.PAGE.read_text(), re.MULTILINE
    )
    assert rows, f"{name} is missing in {notices.PAGE.name}; run `make docs`"
    assert rows[0] == (notices.locked_versions()[name], rows[0][1].strip())


def test_every_package_that_the_extension_imports_is_named(repository: Path) -> None:
    sources = [
        p for p in (repository / "extension" / "src").rglob("*.ts*") if not p.name.endswith(".test.ts")
    ]
    imported = {package_of(name) for path in sources for name in BARE_IMPORT.findall(path.read_text())}
    assert imported, "no import was found at all, so this test looks at the wrong place"
    assert imported <= set(notices.FACTS["bundle"]["packages"])


LOCKS = (
    "requirements.lock",
    "tools/setup/node.lock",
    "extension/package-lock.json",
    "tests/e2e/package-lock.json",
)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_files_pin_by_hash_and_name_no_registry(repository: Path, name: str) -> None:
    text = (repository / name).read_text(encoding="utf-8")
    if name.endswith(".json"):
        assert '"resolved"' not in text
        assert '"integrity"' in text
    else:
        assert "http" not in re.sub(r"aiohttp|httpie", "", text)
        pins = re.findall(r"^[a-z0-9].*$", text, re.MULTILINE)
        assert pins
        assert all("==" in pin and pin.endswith("\\") for pin in pins)
