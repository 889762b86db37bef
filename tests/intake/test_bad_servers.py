"""Servers that lie, stall and never end: each ends in time, with a reason that says what to do."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from intake.websites import Handler, Talk, raw_site, serve_bytes, site
from touchstone.intake import IntakeError
from touchstone.intake.fetch import WebVideos
from touchstone.intake.limits import FetchLimits

VIDEO = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp42" + bytes(range(256)) * 40
KIB = 1 << 10

QUICK = FetchLimits(
    whole_bytes=64 * KIB,
    max_bytes=256 * KIB,
    head_bytes=4 * KIB,
    header_bytes=16 * KIB,
    samples=2,
    sample_bytes=4 * KIB,
    connect_s=0.5,
    idle_s=0.5,
    total_s=1.5,
    requests_per_host_s=1000,
)
"""Limits small enough to be met within a test."""

DEADLINE_S = 4.0
"""Nothing of what follows may take longer, whatever the server does: total_s and some slack."""


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def problem_with(server_url: str, videos: WebVideos) -> IntakeError:
    started = time.monotonic()
    try:
        with pytest.raises(IntakeError) as problem:
            async with videos.open(server_url):
                pass
    finally:
        await videos.close()
    assert time.monotonic() - started < DEADLINE_S
    return problem.value


def answer(status: int, **headers: str) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, headers=named)

    return handle


def text(body: str, content_type: str = "video/mp4") -> Handler:
    return serve_bytes(body.encode(), content_type=content_type)


async def whole_file_whatever_range(request: web.Request) -> web.StreamResponse:
    """Says 206 and gives the file from its start, whatever was asked for."""
    body = VIDEO * 100
    return web.Response(
        status=206, body=body, headers={"Content-Range": f"bytes 0-{len(body) - 1}/{len(body)}"}
    )


async def other_file_each_time(request: web.Request) -> web.StreamResponse:
    other_file_each_time.count += 1  # type: ignore[attr-defined]
    return await serve_bytes(VIDEO * 100, etag=f'"{other_file_each_time.count}"')(request)  # type: ignore[attr-defined]


other_file_each_time.count = 0  # type: ignore[attr-defined]


async def longer_each_time(request: web.Request) -> web.StreamResponse:
    longer_each_time.count += 1  # type: ignore[attr-defined]
    return await serve_bytes(VIDEO * (2 + longer_each_time.count))(request)  # type: ignore[attr-defined]


longer_each_time.count = 0  # type: ignore[attr-defined]


async def ranges_once_only(request: web.Request) -> web.StreamResponse:
    if request.headers["Range"].startswith("bytes=0-"):
        return await serve_bytes(VIDEO * 4)(request)
    return web.Response(body=VIDEO * 4)


async def one_byte_at_a_time(request: web.Request) -> web.StreamResponse:
    """Keeps to the letter of ranges, and would take a request for each byte."""
    body = VIDEO * 100
    start = int(request.headers["Range"].removeprefix("bytes=").partition("-")[0])
    return web.Response(
        status=206,
        body=body[start : start + 1],
        headers={"Content-Range": f"bytes {start}-{start}/{len(body)}"},
    )


async def multipart_ranges(_: web.Request) -> web.StreamResponse:
    return web.Response(status=206, body=VIDEO, content_type="multipart/byteranges")


# Made once and ahead: compressing inside the handler ate the time that the fetch has, on a busy machine.
BOMB = gzip.compress(VIDEO[:16] + bytes(16 << 20))


async def gzip_bomb(_: web.Request) -> web.StreamResponse:
    return web.Response(body=BOMB, headers={"Content-Encoding": "gzip"})


async def said_to_be_gzip(_: web.Request) -> web.StreamResponse:
    return web.Response(body=VIDEO, headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    ("handler", "code", "words"),
    [
        (answer(204), "empty", "is empty"),
        (answer(205), "empty", "is empty"),
        (answer(200), "empty", "is empty"),
        (answer(206), "http_status", "other bytes"),
        (answer(206, Content_Range="bytes 7-9/100"), "http_status", "other bytes"),
        (answer(206, Content_Range="bytes 0-99999999/1"), "http_status", "other bytes"),
        (answer(206, Content_Range="bytes 0-5/*"), "http_status", "206"),
        (answer(206, Content_Range="octets 0-5/6"), "http_status", "other bytes"),
        (answer(416), "http_status", "416"),
        (answer(416, Content_Range="bytes */0"), "empty", "is empty"),
        (answer(416, Content_Range="bytes */100"), "http_status", "416"),
        (answer(300), "http_status", "300"),
        (answer(302), "http_status", "302"),  # without Location
        (answer(304), "http_status", "304"),
        (answer(400), "http_status", "400 Bad Request"),
        (answer(401, WWW_Authenticate="Basic"), "http_status", "signed in"),
        (answer(403), "http_status", "signed in"),
        (answer(404), "http_status", "is not there (404 Not Found)"),
        (answer(407), "http_status", "407"),
        (answer(410), "http_status", "is not there"),
        (answer(429, Retry_After="120"), "http_status", "for 120 seconds"),
        (answer(429, Retry_After="<script>"), "http_status", "asks to wait (429"),
        (answer(451), "http_status", "withheld"),
        (answer(500), "http_status", "failed (500"),
        (answer(503, Retry_After="9" * 500), "http_status", "asks to wait"),
        (answer(599), "http_status", "failed (599)"),
        (answer(999), "http_status", "failed (999)"),
        (text("<!DOCTYPE html><title>Sign in</title>"), "not_media", "is a web page"),
        (text("\ufeff  <html><body>"), "not_media", "is a web page"),
        (text('{"error": "no"}'), "not_media", "is text"),
        (text("<?xml version='1.0'?><Error>AccessDenied</Error>"), "not_media", "is text"),
        (whole_file_whatever_range, "http_status", "other bytes"),
        (other_file_each_time, "truncated", "changed"),
        (longer_each_time, "truncated", "changed"),
        (ranges_once_only, "truncated", "changed"),
        (one_byte_at_a_time, "too_large", "too many requests"),
        (multipart_ranges, "http_status", "other bytes"),
        (said_to_be_gzip, "unsupported", "cannot be unpacked"),
        (answer(200, Content_Encoding="br"), "unsupported", "not asked for"),
        (answer(200, Content_Encoding="gzip, gzip"), "unsupported", "not asked for"),
        (gzip_bomb, "too_large", "longer than"),
    ],
)
async def test_an_answer_that_brings_no_video(
    tmp_path: Path, handler: Handler, code: str, words: str
) -> None:
    async with site(handler) as server:
        problem = await problem_with(server.url(), WebVideos(tmp_path, policy=server.policy, limits=QUICK))
        assert (problem.code, words in str(problem)) == (code, True), str(problem)
        assert server.url() in str(problem)
        assert len(str(problem)) < 600
        assert len(server.requests) <= QUICK.requests
    assert not left_in(tmp_path), "nothing is left on disk"


def say(data: bytes, then: Talk | None = None) -> Talk:
    """Send these bytes, then go on with something else, or hang up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if then is not None:
            await then(reader, writer)

    return talk


async def hang(*_: object) -> None:
    await asyncio.sleep(60)


def forever(piece: bytes, pause_s: float = 0.0) -> Talk:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return talk


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"1000\r\n" + b"\xaa" * 4096 + b"\r\n"


def long(count: int) -> bytes:
    return OK + b"Content-Length: %d\r\n\r\n" % count


@pytest.mark.parametrize(
    ("talk", "code", "words"),
    [
        (hang, "timeout", "did not answer in time"),
        (say(b"HTTP/1.1 200", hang), "timeout", "did not answer in time"),
        (say(OK, forever(b"X: y\r\n", 0.2)), "timeout", "was not there in 1.5 seconds"),
        (say(long(50_000) + VIDEO, hang), "timeout", "did not answer in time"),
        (say(long(50_000) + VIDEO, forever(b"\0", 0.2)), "timeout", "was not there in 1.5 seconds"),
        (say(b""), "connection", "hung up"),
        (say(b"SSH-2.0-OpenSSH_9.2\r\n"), "connection", "not HTTP"),
        (say(b"\x16\x03\x01" + bytes(200)), "connection", "not HTTP"),
        (say(OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n"), "connection", "not HTTP"),
        (say(OK + b"Content-Length: -5\r\n\r\n"), "connection", "not HTTP"),
        (say(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"), "connection", "not HTTP"),
        (say(OK + b"Content-Length: 9999999999999999999999\r\n\r\n"), "connection", "not HTTP"),
        (say(long(50_000) + VIDEO), "truncated", "broke off"),
        (say(long(0)), "empty", "is empty"),
        (say(long(0) + VIDEO), "connection", "not HTTP"),
        (say(CHUNKED + CHUNK), "truncated", "broke off"),
        (say(CHUNKED + b"zz\r\n"), "connection", "not HTTP"),
        (say(CHUNKED + b"0\r\n\r\n"), "empty", "is empty"),
        (say(CHUNKED + b"18\r\n" + VIDEO[:24] + b"\r\n", forever(CHUNK)), "too_large", "longer than"),
        (say(OK + b"Connection: close\r\n\r\n"), "empty", "is empty"),
    ],
)
async def test_a_server_that_does_not_keep_to_http(tmp_path: Path, talk: Talk, code: str, words: str) -> None:
    async with raw_site(talk) as server:
        problem = await problem_with(server.url(), WebVideos(tmp_path, policy=server.policy, limits=QUICK))
        assert (problem.code, words in str(problem)) == (code, True), str(problem)
        assert server.url() in str(problem)
    assert not left_in(tmp_path)


async def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    async with raw_site(hang) as server:
        pass
    problem = await problem_with(server.url(), WebVideos(tmp_path, policy=server.policy, limits=QUICK))
    assert problem.code == "connection"


async def test_a_name_server_that_hangs(tmp_path: Path) -> None:
    class Hanging:
        resolve = staticmethod(hang)

        async def close(self) -> None:
            return None

    videos = WebVideos(tmp_path, resolver=Hanging(), limits=QUICK)  # type: ignore[arg-type]
    assert (await problem_with("http://video.example/", videos)).code == "timeout"


@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
async def test_a_body_that_was_packed_unasked_is_unpacked(
    tmp_path: Path, coding: str, pack: Callable[[bytes], bytes]
) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=pack(VIDEO), headers={"Content-Encoding": coding})

    async with site(handle) as server:
        videos = WebVideos(tmp_path, policy=server.policy, limits=QUICK)
        async with videos.open(server.url()) as material:
            assert material.path.read_bytes() == VIDEO
            assert material.complete
        await videos.close()


async def test_an_endless_stream_of_media_is_cut_off_and_says_so(tmp_path: Path) -> None:
    """A radio-like MPEG stream: its beginning is enough to be looked at."""
    packet = b"\x47\x1f\xff\x10" + b"\xff" * 184
    stream = say(OK + b"Connection: close\r\n\r\n", forever(packet * 16))
    async with raw_site(stream) as server:
        videos = WebVideos(tmp_path, policy=server.policy, limits=QUICK)
        async with videos.open(server.url()) as material:
            assert not material.complete
            assert material.sha256 is None
            assert material.present == ((0, material.size),)
            assert QUICK.whole_bytes <= material.size <= QUICK.max_bytes
        await videos.close()


async def test_cancelling_a_scan_leaves_nothing_behind(tmp_path: Path) -> None:
    async def use(videos: WebVideos, url: str) -> None:
        async with videos.open(url):
            raise AssertionError("never got here")

    async with raw_site(say(long(50_000) + VIDEO, hang)) as server:
        videos = WebVideos(tmp_path, policy=server.policy)
        task = asyncio.create_task(use(videos, server.url()))
        await asyncio.sleep(0.2)
        assert left_in(tmp_path)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not left_in(tmp_path)
        await videos.close()
