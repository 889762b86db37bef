"""The examiner, its models loaded once for all tests."""

from __future__ import annotations

import pytest

from touchstone.examiners.visible_marks import VisibleMarks


@pytest.fixture(scope="session")
def examiner() -> VisibleMarks:
    return VisibleMarks()
