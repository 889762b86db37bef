"""A measured read rate goes to its own scheme's line and no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from clopper_pearson import clopper_pearson
from measure_watermarks import MEASURED, PAGE, put_read_rate


def test_only_its_own_line_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "measured.toml"
    file.write_text(MEASURED.read_text(encoding="utf-8"), encoding="utf-8")
    before = tomllib.loads(file.read_text(encoding="utf-8"))
    put_read_rate(0.125, file)
    after = tomllib.loads(file.read_text(encoding="utf-8"))
    assert after["scheme"].pop("dwt_dct") == {"read_rate_lower": 0.125}
    before["scheme"].pop("dwt_dct")
    assert after == before


def test_a_file_without_the_line_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "measured.toml"
    file.write_text("[scheme.other]\nread_rate_lower = 0.5\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no read rate of dwt_dct"):
        put_read_rate(0.125, file)


def test_what_the_examiner_uses_is_what_the_page_allows() -> None:
    """Of three encodings of each clip together, bounded by the number of clips."""
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| H\.264 CRF (?:18|23|28) \| (\d+) \| (\d+) \| \d\.\d", page, re.MULTILINE)
    assert len(rows) == 3
    clips, read = (sum(int(row[column]) for row in rows) for column in (0, 1))
    low, _ = clopper_pearson(read // 3, clips // 3)
    used = tomllib.loads(MEASURED.read_text(encoding="utf-8"))["scheme"]["dwt_dct"]["read_rate_lower"]
    assert used == pytest.approx(low, abs=0.0006)
