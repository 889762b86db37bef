"""Each guard is sent what it forbids; beside it stands what it must let through."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import aiohttp
import pytest

from server.daemons import CHROMIUM_ID, TOKEN, PacedScanner, running
from touchstone.system.paths import Paths

FIREFOX_ID = "0b7b1c58-6f0e-4a7b-9c5f-2f1d7a1f2a63"  # Firefox draws one for each profile

OWN_HOSTS = ["127.0.0.1:{port}", "[::1]:{port}", "localhost:{port}", "LOCALHOST:{port}"]
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:{port}.evil.example",
    "localhost.evil.example:{port}",
    "127.0.0.2:{port}",
    "0.0.0.0:{port}",
    "2130706433:{port}",
    "user@127.0.0.1:{port}",
    "",
]
OWN_ORIGINS = [f"chrome-extension://{CHROMIUM_ID}", f"moz-extension://{FIREFOX_ID}"]
FOREIGN_ORIGINS = [
    "https://evil.example",
    "http://127.0.0.1:{port}",
    "http://localhost:{port}",
    "null",
    "",
    "chrome-extension://" + "b" * 32,
    f"chrome-extension://{CHROMIUM_ID}.evil.example",
    f"chrome-extension://{CHROMIUM_ID}/",
    f"https://evil.example/chrome-extension://{CHROMIUM_ID}",
    "moz-extension://",
    "moz-extension://evil",
    f"moz-extension://{FIREFOX_ID}/x",
    f"moz-extension://{FIREFOX_ID}\t",
    "file://",
]
WRONG_TOKENS = [
    None,
    "",
    "Bearer",
    "Bearer ",
    f"Bearer {TOKEN[:-1]}",
    f"Bearer {TOKEN}x",
    f"Bearer {TOKEN} {TOKEN}",
    f"Basic {TOKEN}",
    TOKEN,
    "Bearer tökén",
    "Bearer " + "t" * 4000,
]


async def raw(port: int, *lines: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and answer of a request that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(("\r\n".join((*lines, "Connection: close")) + "\r\n\r\n").encode("utf-8") + body)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer


async def kind_of(response: aiohttp.ClientResponse) -> str:
    problem = await response.json(content_type="application/problem+json")
    return str(problem["type"]).rpartition(":")[2]


@pytest.mark.parametrize("host", OWN_HOSTS)
async def test_own_hosts_pass(served: Any, host: str) -> None:
    headers = {"Host": host.format(port=served.port)}
    async with served.client.get("/v1/scans", headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
@pytest.mark.parametrize("path", ["/v1/scans", "/v1/health", "/nothing"])
async def test_rebound_hosts_are_turned_away(served: Any, host: str, path: str) -> None:
    headers = {"Host": host.format(port=served.port)}
    async with served.client.get(path, headers=headers) as response:
        assert response.status == 421
        assert await kind_of(response) == "wrong-host"


@pytest.mark.parametrize(
    "hosts",
    [[], ["Host: 127.0.0.1:{port}", "Host: evil.example"], ["Host: evil.example", "Host: 127.0.0.1:{port}"]],
)
async def test_no_host_or_two_hosts_are_turned_away(served: Any, hosts: list[str]) -> None:
    lines = [host.format(port=served.port) for host in hosts]
    status, answer = await raw(
        served.port, "GET /v1/scans HTTP/1.1", *lines, f"Authorization: Bearer {TOKEN}"
    )
    assert status in (400, 421), answer  # two Host headers are no HTTP, so the parser may be first to say no


async def test_an_address_in_the_request_line_does_not_stand_in_for_the_host(served: Any) -> None:
    status, _ = await raw(
        served.port,
        f"GET http://127.0.0.1:{served.port}/v1/scans HTTP/1.1",
        "Host: evil.example",
        f"Authorization: Bearer {TOKEN}",
    )
    assert status == 421


@pytest.mark.parametrize("origin", OWN_ORIGINS)
async def test_own_origins_pass_and_get_no_cors(served: Any, origin: str) -> None:
    async with served.client.get("/v1/scans", headers={"Origin": origin}) as response:
        assert response.status == 200
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
async def test_foreign_origins_are_turned_away(served: Any, origin: str) -> None:
    status, answer = await raw(
        served.port,
        "GET /v1/health HTTP/1.1",
        f"Host: 127.0.0.1:{served.port}",
        f"Origin: {origin.format(port=served.port)}",
        f"Authorization: Bearer {TOKEN}",
    )
    # Trailing white space is no part of a header's value, so that case is the allowed origin itself.
    assert status == (200 if origin.endswith("\t") else 403)
    assert status == 200 or b"foreign-origin" in answer


@pytest.mark.parametrize(
    ("site", "status"),
    [("none", 200), ("same-origin", 200), ("cross-site", 403), ("same-site", 403), ("", 403), ("NONE", 403)],
)
async def test_the_browser_says_who_asks(served: Any, site: str, status: int) -> None:
    async with served.client.get("/v1/scans", headers={"Sec-Fetch-Site": site}) as response:
        assert response.status == status


@pytest.mark.parametrize("token", WRONG_TOKENS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/scans"),
        ("POST", "/v1/scans"),
        ("GET", "/v1/scans/x"),
        ("GET", "/v1/scans/x/events"),
        ("DELETE", "/v1/scans/x"),
        ("GET", "/metrics"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
        ("GET", "/nothing"),
        ("OPTIONS", "/v1/scans"),
        ("GET", "/v1/health/"),
    ],
)
async def test_without_the_token_there_is_nothing(
    served: Any, method: str, path: str, token: str | None
) -> None:
    headers = {} if token is None else {"Authorization": token}
    async with (
        aiohttp.ClientSession() as stranger,
        stranger.request(method, served.base + path, headers=headers) as response,
    ):
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert await kind_of(response) == "unauthorized"


async def test_a_wrong_token_is_wrong_even_where_none_is_needed(served: Any) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer wrong"}) as stranger,
        stranger.get(served.base + "/v1/health") as response,
    ):
        assert response.status == 401


async def test_two_tokens_are_no_token(served: Any) -> None:
    status, _ = await raw(
        served.port,
        "GET /v1/scans HTTP/1.1",
        f"Host: 127.0.0.1:{served.port}",
        f"Authorization: Bearer {TOKEN}",
        "Authorization: Bearer wrong",
    )
    assert status == 401


async def test_the_scheme_may_be_written_as_one_likes(served: Any) -> None:
    async with served.client.get("/v1/scans", headers={"Authorization": f"bearer {TOKEN}"}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": ""},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/json", "Content-Encoding": "br"},
    ],
)
async def test_blind_posts_are_turned_away(served: Any, headers: dict[str, str]) -> None:
    body = b'{"source": {"kind": "url", "url": "https://video.example/a.mp4"}}'
    async with served.client.post("/v1/scans", data=body, headers=headers) as response:
        assert response.status == 415
        assert await kind_of(response) == "unsupported-content"
    assert not served.scanner.asked


async def test_a_get_with_effects_does_not_exist(served: Any) -> None:
    async with served.client.get("/v1/scans", params={"url": "https://video.example/a.mp4"}) as response:
        assert response.status == 200
    assert not served.scanner.asked


@pytest.mark.parametrize(
    "path", ["/v1/health", "/v1/scans", "/docs", "/openapi.json", "/metrics", "/nothing"]
)
async def test_every_answer_has_the_headers_that_keep_it_to_itself(served: Any, path: str) -> None:
    async with served.client.get(path) as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Server"] == "touchstone"
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]


async def test_event_streams_have_them_too(served: Any) -> None:
    scan_id = (await served.ask())["id"]
    async with served.client.get(f"/v1/scans/{scan_id}/events") as response:
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"


async def test_every_name_of_this_machine_leads_to_the_daemon(paths: Paths, scanner: PacedScanner) -> None:
    async with running(paths, scanner) as port:
        addresses = ["127.0.0.1", "localhost"]
        with contextlib.suppress(OSError):  # a machine without IPv6 is fine without
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
            addresses.append("[::1]")
        async with aiohttp.ClientSession() as session:
            for address in addresses:
                async with session.get(f"http://{address}:{port}/v1/health") as response:
                    assert response.status == 200
