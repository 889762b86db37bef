"""Settings: where values come from, what they may be, and that the page about them is true."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from touchstone.settings import SettingError, Settings, check, load, markdown_table, to_text


@pytest.mark.parametrize(
    ("environ", "stored", "given", "port"),
    [
        ({}, {}, {}, 8917),
        ({}, {"port": "9001"}, {}, 9001),
        ({"TOUCHSTONE_PORT": "9002"}, {"port": "9001"}, {}, 9002),
        ({"TOUCHSTONE_PORT": "9002"}, {"port": "9001"}, {"port": 9003}, 9003),
        ({"TOUCHSTONE_PORT": "9002"}, {}, {"port": None}, 9002),
        ({"TOUCHSTONE_HOME": "/x", "TOUCHSTONE_OTHER": "1", "PORT": "1"}, {}, {}, 8917),
    ],
)
def test_the_nearest_value_wins(
    environ: dict[str, str], stored: dict[str, str], given: dict[str, Any], port: int
) -> None:
    assert load(environ, stored, given).port == port


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("fetch_urls", "false", False),
        ("fetch_urls", "0", False),
        ("fetch_urls", "yes", True),
        ("prior", "0.2", 0.2),
        ("extension_ids", f"{'a' * 32}, {'b' * 32},", ("a" * 32, "b" * 32)),
        ("extension_ids", "", ()),
        ("trust_lists", "", None),
        ("trust_lists", "/etc/lists", Path("/etc/lists")),
        ("log_level", "debug", "debug"),
    ],
)
def test_text_becomes_a_value(name: str, text: str, value: object) -> None:
    assert getattr(load({f"TOUCHSTONE_{name.upper()}": text}, {}), name) == value
    assert getattr(load({}, {name: text}), name) == value
    check(name, text)


BAD = [
    ("port", "80"),
    ("port", "70000"),
    ("port", "many"),
    ("port", ""),
    ("fetch_urls", "perhaps"),
    ("max_bytes", "-1"),
    ("prior", "0"),
    ("prior", "1"),
    ("prior", "nan"),
    ("max_seconds", "inf"),
    ("extension_ids", "evil"),
    ("extension_ids", "*"),
    ("log_level", "loud"),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_bad_value_is_named_with_its_origin(name: str, text: str) -> None:
    variable = f"TOUCHSTONE_{name.upper()}"
    with pytest.raises(SettingError, match=variable):
        load({variable: text}, {})
    with pytest.raises(SettingError, match=f"^{name}: "):
        check(name, text)


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(SettingError, match=r"prot.*port, fetch_urls"):
        check("prot", "1")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_default_can_be_typed(name: str) -> None:
    assert load({}, {name: to_text(Settings.model_fields[name].default)}) == Settings()


def test_the_page_has_the_table_of_today(repository: Path) -> None:
    page = (repository / "docs" / "settings.md").read_text(encoding="utf-8")
    assert markdown_table() in page, "run python tools/settings_table.py"
