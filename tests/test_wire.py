"""Addresses as they come in: a name and password in one are masked before anything keeps them."""

from __future__ import annotations

import pytest

from touchstone.wire import ScanRequest, UploadSource, UrlSource


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://user:secret@example.org/x.mp4", "https://***@example.org/x.mp4"),
        ("https://user@example.org:8443/x", "https://***@example.org:8443/x"),
        ("https://a@b@example.org/", "https://***@example.org/"),
        ("https://example.org/@user/video?by=a@b#c@d", "https://example.org/@user/video?by=a@b#c@d"),
        ("https://user:secret@[2001:db8::1]/x", "https://***@[2001:db8::1]/x"),
        ("blob:https://example.org/1", "blob:https://example.org/1"),
        ("no address at all", "no address at all"),
    ],
)
def test_credentials_are_masked(given: str, kept: str) -> None:
    assert UrlSource(url=given, page_url=given) == UrlSource(url=kept, page_url=kept)
    assert UploadSource(url=given).url == kept
    request = ScanRequest.model_validate({"source": {"kind": "url", "url": given}})
    assert request.source == UrlSource(url=kept)
    assert "secret" not in request.model_dump_json()
