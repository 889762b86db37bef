"""Every error has the one shape of RFC 9457, a documented type, and says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.daemons import CHROMIUM_ID, eventually
from touchstone.server.problems import CONTENT_TYPE, Kind
from touchstone.store import Store
from touchstone.wire import Problem

URL = {"kind": "url", "url": "https://video.example/a.mp4"}

BAD_REQUESTS: list[tuple[str, str, str, dict[str, Any], str, str]] = [
    # name, method, path, request, kind of the problem, what its detail must name
    ("no such route", "GET", "/nothing", {}, "not-found", "/nothing"),
    ("no such version", "GET", "/v2/scans", {}, "not-found", "/v2/scans"),
    ("a trailing slash", "GET", "/v1/scans/", {}, "not-found", "/v1/scans/"),
    ("a path that climbs", "GET", "/v1/scans/..%2F..%2Fetc%2Fpasswd", {}, "unknown-scan", "etc"),
    ("no such method", "PUT", "/v1/scans", {"json": {}}, "method-not-allowed", "GET, POST"),
    ("HEAD", "DELETE", "/v1/health", {}, "method-not-allowed", "GET"),
    ("no such scan", "GET", "/v1/scans/0123", {}, "unknown-scan", "0123"),
    ("events of no such scan", "GET", "/v1/scans/0123/events", {}, "unknown-scan", "0123"),
    ("forget no such scan", "DELETE", "/v1/scans/0123", {}, "unknown-scan", "0123"),
    (
        "feedback on no such scan",
        "POST",
        "/v1/scans/0123/feedback",
        {"json": {"agrees": True}},
        "unknown-scan",
        "0123",
    ),
    ("an id with control characters", "GET", "/v1/scans/%1b%5b2J", {}, "unknown-scan", "\\x1b"),
    ("no body", "POST", "/v1/scans", {"data": b""}, "invalid-request", "JSON"),
    ("half a body", "POST", "/v1/scans", {"data": b'{"source": {"kind": "u'}, "invalid-request", "EOF"),
    ("no JSON", "POST", "/v1/scans", {"data": b"hello"}, "invalid-request", "JSON"),
    ("no Unicode", "POST", "/v1/scans", {"data": b'{"source": "\xff\xfe"}'}, "invalid-request", "JSON"),
    ("deep lists", "POST", "/v1/scans", {"data": b"[" * 500_000}, "invalid-request", "JSON"),
    ("deep objects", "POST", "/v1/scans", {"data": b'{"source":' * 90_000}, "invalid-request", "JSON"),
    ("a list", "POST", "/v1/scans", {"json": []}, "invalid-request", "The body"),
    ("no source", "POST", "/v1/scans", {"json": {}}, "invalid-request", "source: Field required"),
    (
        "an unknown kind",
        "POST",
        "/v1/scans",
        {"json": {"source": {"kind": "ftp"}}},
        "invalid-request",
        "source",
    ),
    ("no address", "POST", "/v1/scans", {"json": {"source": {"kind": "url"}}}, "invalid-request", "url"),
    (
        "an empty address",
        "POST",
        "/v1/scans",
        {"json": {"source": {**URL, "url": ""}}},
        "invalid-request",
        "url",
    ),
    (
        "an endless address",
        "POST",
        "/v1/scans",
        {"json": {"source": {**URL, "url": "h" * 16_385}}},
        "invalid-request",
        "url",
    ),
    (
        "an unknown field",
        "POST",
        "/v1/scans",
        {"json": {"source": URL, "fast": True}},
        "invalid-request",
        "fast",
    ),
    (
        "fresh is no bool",
        "POST",
        "/v1/scans",
        {"json": {"source": URL, "fresh": "maybe"}},
        "invalid-request",
        "fresh",
    ),
    (
        "half a character",
        "POST",
        "/v1/scans",
        {"data": b'{"source": {"kind": "url", "url": "\\ud800"}}'},
        "invalid-request",
        "",
    ),
    (
        "an upload without bytes",
        "POST",
        "/v1/scans",
        {"json": {"source": {"kind": "upload"}}},
        "invalid-request",
        "multipart",
    ),
    (
        "a path from nowhere",
        "POST",
        "/v1/scans",
        {"json": {"source": {"kind": "file", "path": "a.mp4"}}},
        "invalid-request",
        "'a.mp4'",
    ),
    (
        "a fragment from nowhere",
        "POST",
        "/v1/scans",
        {"json": {"source": {"kind": "file", "path": "/a", "fragments": ["../b"]}}},
        "invalid-request",
        "'../b'",
    ),
    (
        "a file named by a browser",
        "POST",
        "/v1/scans",
        {
            "json": {"source": {"kind": "file", "path": "/a"}},
            "headers": {"Origin": f"chrome-extension://{CHROMIUM_ID}"},
        },
        "invalid-request",
        "browser",
    ),
    (
        "a body over the limit",
        "POST",
        "/v1/scans",
        {"data": b" " * (1 << 20) + b"{}"},
        "too-large",
        "1048576",
    ),
    (
        "feedback that is none",
        "POST",
        "/v1/scans/0123/feedback",
        {"json": {"label": "ai"}},
        "invalid-request",
        "agrees",
    ),
    ("an unknown label", "GET", "/v1/scans?label=fake", {}, "invalid-request", "ai_generated"),
    ("a limit of 0", "GET", "/v1/scans?limit=0", {}, "invalid-request", "1 to 500"),
    ("a limit too high", "GET", "/v1/scans?limit=501", {}, "invalid-request", "1 to 500"),
    ("a limit in words", "GET", "/v1/scans?limit=many", {}, "invalid-request", "'many'"),
    ("digits of another script", "GET", "/v1/scans?limit=%D9%A3", {}, "invalid-request", "limit"),
    ("a negative cursor", "GET", "/v1/scans?before=-1", {}, "invalid-request", "'-1'"),
    ("a cursor beyond all numbers", "GET", "/v1/scans?before=" + "9" * 400, {}, "invalid-request", "before"),
    (
        "an unknown Expect",
        "GET",
        "/v1/scans",
        {"headers": {"Expect": "miracles"}},
        "expectation-failed",
        "Expect",
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "request_", "kind", "named"),
    [case[1:] for case in BAD_REQUESTS],
    ids=[case[0] for case in BAD_REQUESTS],
)
async def test_bad_requests(
    served: Any, method: str, path: str, request_: dict[str, Any], kind: str, named: str
) -> None:
    if "data" in request_:
        request_ = {"headers": {"Content-Type": "application/json"}, **request_}
    async with served.client.request(method, _encoded(served.base + path), **request_) as response:
        text = await response.text()
        assert response.headers["Content-Type"] == f"{CONTENT_TYPE}; charset=utf-8"
    problem = Problem.model_validate_json(text)
    assert (problem.type, problem.status) == (f"urn:touchstone:problem:{kind}", response.status), problem
    assert named in problem.detail
    assert problem.title and problem.instance
    assert len(problem.detail) < 600
    assert not served.scanner.asked
    # The daemon lives on.
    async with served.client.get("/v1/health") as response:
        assert response.status == 200


def _encoded(url: str) -> Any:
    from yarl import URL as Url

    return Url(url, encoded=True)


async def test_a_mistake_in_a_handler_is_a_problem_that_tells_nothing(
    served: Any, caplog: pytest.LogCaptureFixture
) -> None:
    # The store is closed under the daemon, as a failing disk would do.
    await served.services.db.do(Store.close)
    async with served.client.get("/v1/scans?text=secret") as response:
        assert response.status == 500
        problem = Problem.model_validate(json.loads(await response.text()))
    assert problem.type == "urn:touchstone:problem:internal"
    assert "sqlite" not in problem.detail.lower() and "closed" not in problem.detail
    assert "GET /v1/scans failed" in caplog.text
    assert "secret" not in caplog.text


async def test_a_disk_that_is_full_is_no_mistake_of_ours(served: Any) -> None:
    """A scan that the store had no room for was answered with `internal`."""

    def fill(store: Store) -> None:
        store._db.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size instead

    await served.services.db.do(fill)
    long = {"source": {**URL, "page_url": "https://page.example/" + "x" * 16_000}, "fresh": True}
    for _ in range(20):  # the pages that SQLite has set aside are used up first
        async with served.client.post("/v1/scans", json=long) as response:
            status, text = response.status, await response.text()
        if status != 202:
            break
        await eventually(lambda: not served.services.scans.running)
    problem = Problem.model_validate(json.loads(text))
    assert (problem.status, problem.type) == (507, "urn:touchstone:problem:no-room")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_documented(kind: Kind, repository: Path) -> None:
    page = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"| `{kind.slug}` | {kind.status} |" in page
