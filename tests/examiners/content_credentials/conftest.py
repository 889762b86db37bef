"""Fixtures for the tests of Content Credentials."""

from __future__ import annotations

import pytest

from workshop import Workshop


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One set of authorities and one plain clip for all tests that sign."""
    return Workshop.set_up(tmp_path_factory.mktemp("workshop"))
