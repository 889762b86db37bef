"""The guard as a whole: whatever a page or a server tries, no forbidden address is connected to."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from intake.certificates import server_and_client
from intake.test_addresses import FORBIDDEN
from intake.test_urls import DISGUISED
from intake.websites import Names, OnlyThisServer, raw_site, serve_bytes, site
from touchstone.intake import IntakeError
from touchstone.intake.fetch import WebVideos
from touchstone.intake.guard import AddressRefused, guarded_connector
from touchstone.intake.limits import FetchLimits

VIDEO = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + bytes(1000)


async def refusal(videos: WebVideos, url: str) -> IntakeError:
    """Why the URL is not fetched; fails when it is."""
    try:
        async with asyncio.timeout(20):
            with pytest.raises(IntakeError) as problem:
                async with videos.open(url):
                    pass
    finally:
        await videos.close()
    return problem.value


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address that a socket of this process was connected to."""
    connected: list[object] = []

    async def sock_connect(_: object, __: object, address: object) -> None:
        connected.append(address)
        raise OSError("no connections in this test")

    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", sock_connect)
    return connected


@pytest.mark.parametrize("address", [text for text, _ in FORBIDDEN])
async def test_a_name_at_a_forbidden_address_is_refused(
    tmp_path: Path, address: str, no_connections: list[object]
) -> None:
    videos = WebVideos(tmp_path, resolver=Names({"video.example": [[address]]}))
    problem = await refusal(videos, "http://video.example/v.mp4")
    assert problem.code == "refused_address"
    assert "video.example" in str(problem)
    assert address in str(problem)
    assert not no_connections


@pytest.mark.parametrize("answer", [["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"], ["8.8.8.8", "nonsense"], []])
async def test_one_forbidden_address_among_public_ones_spoils_the_answer(
    tmp_path: Path, answer: list[str], no_connections: list[object]
) -> None:
    videos = WebVideos(tmp_path, resolver=Names({"video.example": [answer]}))
    problem = await refusal(videos, "http://video.example/v.mp4")
    assert problem.code == ("refused_address" if answer else "dns")
    assert not no_connections


@pytest.mark.parametrize("url", [url for url, _ in DISGUISED])
async def test_an_address_in_disguise_is_refused_before_anything_is_asked(
    tmp_path: Path, url: str, no_connections: list[object]
) -> None:
    names = Names({})
    problem = await refusal(WebVideos(tmp_path, resolver=names), url)
    assert problem.code == "refused_address"
    assert not names.asked
    assert not no_connections


@pytest.mark.parametrize(
    "url",
    ["http://localhost/", "http://printer.local/", "http://intranet/", "http://metadata.google.internal/"],
)
async def test_a_local_name_is_not_asked_for(tmp_path: Path, url: str) -> None:
    names = Names({})
    assert (await refusal(WebVideos(tmp_path, resolver=names), url)).code == "refused_address"
    assert not names.asked


async def test_a_public_answer_is_connected_to_as_it_was_checked(
    tmp_path: Path, no_connections: list[object]
) -> None:
    names = Names({"video.example": [["8.8.8.8"], ["127.0.0.1"]]})
    problem = await refusal(WebVideos(tmp_path, resolver=names), "http://video.example/v.mp4")
    assert problem.code == "connection"
    assert no_connections == [("8.8.8.8", 80)]
    assert names.asked == ["video.example"], "the name is asked for once, so a second answer cannot matter"


async def test_an_answer_that_changes_between_two_requests_is_checked_again(tmp_path: Path) -> None:
    async def redirect(_: web.Request) -> web.StreamResponse:
        answer = web.Response(status=302, headers={"Location": "/again.mp4"})
        answer.force_close()
        return answer

    async with site(redirect) as server:
        names = Names({"video.example": [["127.0.0.1"], ["169.254.169.254"]]})
        videos = WebVideos(tmp_path, policy=server.policy, resolver=names)
        problem = await refusal(videos, server.url("/v.mp4", "video.example"))
        assert problem.code == "refused_address"
        assert "169.254.169.254" in str(problem)
        assert len(server.requests) == 1


async def test_the_socket_is_refused_even_when_the_resolver_was_passed_by() -> None:
    """As if the answer had changed after the resolver's check, or something had gone around it."""
    connector = guarded_connector(OnlyThisServer())
    connector._resolver = Names({"video.example": [["127.0.0.1"]]})
    async with aiohttp.ClientSession(connector=connector) as session:
        for url in ("http://video.example/", "http://[::1]/", "http://127.0.0.1/"):
            with pytest.raises(aiohttp.ClientConnectorError) as problem:
                await session.get(url)
            assert isinstance(problem.value.os_error, AddressRefused)


def test_the_socket_factory_sees_scope_ids() -> None:
    async def connector() -> aiohttp.TCPConnector:
        return guarded_connector(OnlyThisServer())

    with pytest.raises(OSError, match="link_local"):
        made = asyncio.run(connector())
        assert made._socket_factory is not None
        made._socket_factory((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("2606:4700::1", 80, 0, 3)))


REDIRECTS = [
    *(f"http://{f'[{text}]' if ':' in text else text}/" for text, _ in FORBIDDEN if "%" not in text),
    "http://2130706433/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://localhost/",
    "http://printer.local/",
    "//127.0.0.1/",
    "http://video.example:22/",
    "http://video.example:6379/",
]


@pytest.mark.parametrize("target", REDIRECTS)
async def test_a_redirect_is_checked_anew(tmp_path: Path, target: str) -> None:
    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": target})

    async with site(redirect) as server:
        problem = await refusal(WebVideos(tmp_path, policy=server.policy), server.url())
        assert problem.code == "refused_address"
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "not file"),
        ("ftp://video.example/v.mp4", "not ftp"),
        ("data:video/mp4,x", "not data"),
        ("gopher://127.0.0.1:70/", "not gopher"),
        ("http://user:secret@video.example/", "never sent"),
        ("http://[fe80::1%25eth0]/", "network interface"),
        ("http:\\\\127.0.0.1\\", "backslash"),
        ("http://[::1", "browser would accept"),
    ],
)
async def test_a_redirect_that_is_no_web_address_is_refused(tmp_path: Path, target: str, words: str) -> None:
    async def redirect(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": target})

    async with site(redirect) as server:
        problem = await refusal(WebVideos(tmp_path, policy=server.policy), server.url())
        assert problem.code == "bad_url"
        assert words in str(problem)
        assert "secret" not in str(problem)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_where_fetching_is_allowed_is_followed(tmp_path: Path, status: int) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path == "/v.mp4":
            return web.Response(status=status, headers={"Location": "other.mp4", "Set-Cookie": "tracked=1"})
        return await serve_bytes(VIDEO)(request)

    async with site(handle) as server:
        videos = WebVideos(tmp_path, policy=server.policy)
        async with videos.open(server.url()) as material:
            assert material.path.read_bytes() == VIDEO
        await videos.close()
        assert [request.path for request in server.requests] == ["/v.mp4", "/other.mp4"]
        assert [request.method for request in server.requests] == ["GET", "GET"]
        assert "Cookie" not in server.requests[1].headers


@pytest.mark.parametrize("turns", ["loop", "endless"])
async def test_redirects_come_to_an_end(tmp_path: Path, turns: str) -> None:
    async def redirect(request: web.Request) -> web.StreamResponse:
        target = "/v.mp4" if turns == "loop" else f"/{len(request.path)}{request.path[1:]}"
        return web.Response(status=302, headers={"Location": target})

    async with site(redirect) as server:
        limits = FetchLimits(redirects=4)
        problem = await refusal(WebVideos(tmp_path, policy=server.policy, limits=limits), server.url())
        assert problem.code == "too_many_redirects"
        assert len(server.requests) == 5


async def test_nothing_of_the_user_is_sent(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(environment["HOME"])
    (home / ".netrc").write_text("machine 127.0.0.1 login user password secret\n")
    (home / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(home))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with site(serve_bytes(VIDEO)) as server:
        videos = WebVideos(tmp_path / "spool", policy=server.policy)
        async with videos.open(server.url()):
            pass
        await videos.close()
        [request] = server.requests
        assert set(request.headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Range"}
        assert request.headers["User-Agent"].startswith("Touchstone/")
        assert request.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    ("certified", "asked", "expired", "trusted"),
    [
        ("video.example", "video.example", False, False),
        ("video.example", "video.example", True, True),
        ("other.example", "video.example", False, True),
    ],
    ids=["nobody vouches for it", "expired", "for another name"],
)
async def test_a_server_that_cannot_prove_its_name_is_not_read(
    tmp_path: Path, certified: str, asked: str, expired: bool, trusted: bool
) -> None:
    serving, verifying = server_and_client(tmp_path, certified, expired=expired, trusted=trusted)
    async with raw_site(hang, serving) as server:
        names = Names({asked: [["127.0.0.1"]]})
        videos = WebVideos(tmp_path, policy=server.policy, resolver=names, tls=verifying)
        problem = await refusal(videos, f"https://{asked}:{server.port}/v.mp4")
        assert problem.code == "tls"
        assert asked in str(problem)


async def hang(*_: object) -> None:
    await asyncio.sleep(60)


async def test_a_proven_server_is_read_but_not_followed_into_the_clear(tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://video.example/v.mp4\r\nContent-Length: 0\r\n\r\n"
        )
        await writer.drain()

    serving, verifying = server_and_client(tmp_path, "video.example")
    async with raw_site(answer, serving) as server:
        names = Names({"video.example": [["127.0.0.1"]]})
        videos = WebVideos(tmp_path, policy=server.policy, resolver=names, tls=verifying)
        problem = await refusal(videos, f"https://video.example:{server.port}/v.mp4")
        assert problem.code == "refused_address"
        assert "unprotected" in str(problem)
        assert names.asked == ["video.example"]


async def test_the_default_refuses_the_server_that_the_tests_let_through(tmp_path: Path) -> None:
    async with site(serve_bytes(VIDEO)) as server:
        assert (await refusal(WebVideos(tmp_path), server.url())).code == "refused_address"
        other = OnlyThisServer(server.port + 1)
        assert (await refusal(WebVideos(tmp_path, policy=other), server.url())).code == "refused_address"
        assert not server.requests
