"""Uploads: bytes arrive whole in a private file, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.daemons import TOKEN, PacedScanner, eventually
from touchstone.intake.uploads import ReceivedUpload
from touchstone.server.services import Limits
from touchstone.settings import Settings
from touchstone.verdict import Scan
from touchstone.wire import AnySource, UploadSource


class ReadingScanner(PacedScanner):
    """Also reads the bytes that it is handed."""

    def __init__(self) -> None:
        super().__init__()
        self.go.set()
        self.read: list[bytes] = []
        self.modes: list[int] = []

    async def scan(self, source: AnySource, *args: Any, **kwargs: Any) -> Scan:
        assert isinstance(source, ReceivedUpload)
        self.read.append(source.path.read_bytes())
        self.modes.append(stat.S_IMODE(source.path.stat().st_mode))
        return await super().scan(source, *args, **kwargs)


@pytest.fixture
def scanner() -> ReadingScanner:
    """Overrides the scanner of the other tests."""
    return ReadingScanner()


def form(data: bytes, about: UploadSource | None = None, name: str = "clip.mp4") -> aiohttp.FormData:
    fields = aiohttp.FormData()
    if about:
        fields.add_field("source", about.model_dump_json(), content_type="application/json")
    fields.add_field("file", data, filename=name)
    return fields


def head(port: int, content_type: str, length: int) -> bytes:
    """Head of a request whose body is announced `length` bytes long."""
    lines = (
        "POST /v1/scans HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {TOKEN}",
        f"Content-Type: {content_type}",
        f"Content-Length: {length}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def spooled(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "spool").iterdir()]


async def test_an_upload_is_scanned_as_it_came_and_removed(served: Any, tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000  # some pieces over what is gathered before a write
    about = UploadSource(url="blob:https://page.example/1", page_url="https://page.example/")
    async with served.client.post("/v1/scans", data=form(data, about)) as response:
        assert response.status == 202, await response.text()
        accepted = await response.json()
    done = await served.done(accepted["id"])
    assert (done["url"], done["page_url"]) == ("blob:https://page.example/1", "https://page.example/")
    assert served.scanner.read == [data]
    assert served.scanner.modes == [0o600]
    assert served.scanner.asked[0].name == "clip.mp4"
    await eventually(lambda: not spooled(tmp_path))


async def test_known_bytes_are_answered_under_the_name_and_page_they_came_from(
    serving: Any, tmp_path: Path
) -> None:
    """One scan, and an entry in the history for each place where the video was met."""
    data = b"the same bytes"
    digest = hashlib.sha256(data).hexdigest()

    class Knowing(ReadingScanner):
        async def scan(self, source: AnySource, *args: Any, **kwargs: Any) -> Scan:
            scan = await super().scan(source, *args, **kwargs)
            return scan.model_copy(update={"source": scan.source.model_copy(update={"sha256": digest})})

    places = [
        UploadSource(name="one.mp4", url="blob:https://a.example/1", page_url="https://a.example/"),
        UploadSource(name="two.mp4", url="blob:https://b.example/2", page_url="https://b.example/"),
    ]
    async with serving(scanner=Knowing()) as served:
        answers = []
        for about in places:
            async with served.client.post("/v1/scans", data=form(data, about)) as response:
                answers.append(await served.done((await response.json())["id"]))
        async with served.client.get("/v1/scans") as response:
            history = (await response.json())["scans"]
        async with served.client.get(f"/v1/scans/{answers[1]['id']}/events") as response:
            events = await response.text()
        assert len(served.scanner.asked) == 1
        await eventually(lambda: not spooled(tmp_path))
    first, second = answers
    assert first["id"] != second["id"] == second["scan"]["id"]
    assert [s["page_url"] for s in history] == ["https://b.example/", "https://a.example/"]
    assert (second["scan"]["source"]["name"], second["url"]) == ("two.mp4", "blob:https://b.example/2")
    assert second["scan"]["verdict"] == first["scan"]["verdict"]
    assert "event: verdict" in events


async def test_the_same_bytes_get_the_known_answer(serving: Any, tmp_path: Path) -> None:
    data = b"the same bytes"

    class Knowing(ReadingScanner):
        async def scan(self, source: AnySource, *args: Any, **kwargs: Any) -> Scan:
            scan = await super().scan(source, *args, **kwargs)
            digest = hashlib.sha256(self.read[-1]).hexdigest()
            return scan.model_copy(update={"source": scan.source.model_copy(update={"sha256": digest})})

    async with serving(scanner=Knowing()) as served:
        ids = []
        for query in ({}, {}, {"fresh": "true"}):
            async with served.client.post("/v1/scans", data=form(data), params=query) as response:
                ids.append((await response.json())["id"])
            await served.done(ids[-1])
        assert ids[0] == ids[1] != ids[2]
        assert len(served.scanner.asked) == 2
        await eventually(lambda: not spooled(tmp_path))


async def test_the_same_bytes_on_their_way_are_one_scan(served: Any) -> None:
    served.scanner.go.clear()
    ids = set()
    for _ in range(3):
        async with served.client.post("/v1/scans", data=form(b"bytes")) as response:
            ids.add((await response.json())["id"])
    assert len(ids) == 1
    served.scanner.go.set()
    await served.done(ids.pop())
    assert len(served.scanner.asked) == 1


def multipart(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    body = b"".join(b"--b\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n" for head, data in parts)
    return body + b"--b--\r\n", {"Content-Type": MULTIPART}


FILE = 'Content-Disposition: form-data; name="file"; filename="a.mp4"'
SOURCE = 'Content-Disposition: form-data; name="source"'
MULTIPART = "multipart/form-data; boundary=b"
START = f"--b\r\n{FILE}\r\n\r\n".encode()
GOOD, HEADERS = multipart((FILE, b"data"))

BAD_BODIES: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("nothing", b"", HEADERS, 400, "multipart"),
    ("no parts", b"--b--\r\n", HEADERS, 400, "file"),
    ("no boundary", GOOD, {"Content-Type": "multipart/form-data"}, 400, "multipart"),
    ("an empty boundary", GOOD, {"Content-Type": 'multipart/form-data; boundary=""'}, 400, "multipart"),
    ("another boundary", GOOD, {"Content-Type": "multipart/form-data; boundary=x"}, 400, "multipart"),
    (
        "an endless boundary",
        GOOD,
        {"Content-Type": "multipart/form-data; boundary=" + "x" * 80},
        400,
        "multipart",
    ),
    ("cut off in the file", GOOD[:-12], HEADERS, 400, "multipart"),
    ("cut off in a part head", b"--b\r\nContent-Disp", HEADERS, 400, "multipart"),
    ("no file", multipart((SOURCE, b"{}"))[0], HEADERS, 400, "file"),
    ("an empty file", multipart((FILE, b""))[0], HEADERS, 400, "empty"),
    ("two files", multipart((FILE, b"a"), (FILE, b"b"))[0], HEADERS, 400, "'file'"),
    (
        "an unknown part",
        multipart((FILE, b"a"), (SOURCE.replace("source", "extra"), b"b"))[0],
        HEADERS,
        400,
        "'extra'",
    ),
    ("a part without a name", multipart(("Content-Type: video/mp4", b"a"))[0], HEADERS, 400, "None"),
    ("a source that is no JSON", multipart((SOURCE, b"{"), (FILE, b"a"))[0], HEADERS, 400, "JSON"),
    (
        "a source that names a path",
        multipart((SOURCE, b'{"path": "/etc/passwd"}'), (FILE, b"a"))[0],
        HEADERS,
        400,
        "path",
    ),
    (
        "a source of another kind",
        multipart((SOURCE, b'{"kind": "file"}'), (FILE, b"a"))[0],
        HEADERS,
        400,
        "kind",
    ),
    ("a source over the limit", multipart((SOURCE, b" " * 70_000), (FILE, b"a"))[0], HEADERS, 413, "65536"),
    (
        "parts in parts",
        multipart(("Content-Type: multipart/mixed; boundary=c\r\n" + FILE, b"--c\r\n\r\nx\r\n--c--"))[0],
        HEADERS,
        400,
        "part",
    ),
    ("a packed part", multipart((FILE + "\r\nContent-Encoding: gzip", b"abc"))[0], HEADERS, 202, ""),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "named"),
    [case[1:] for case in BAD_BODIES],
    ids=[case[0] for case in BAD_BODIES],
)
async def test_bad_bodies(
    served: Any, tmp_path: Path, body: bytes, headers: dict[str, str], status: int, named: str
) -> None:
    async with served.client.post("/v1/scans", data=body, headers=headers) as response:
        text = await response.text()
        assert response.status == status, text
    assert named in text
    if status >= 400:
        assert not served.scanner.asked
    await eventually(lambda: not spooled(tmp_path))


async def test_two_gigabytes_are_refused_before_they_are_sent(served: Any, tmp_path: Path) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(head(served.port, MULTIPART, 2 << 30) + START)
    async with asyncio.timeout(5):
        assert b" 413 " in await reader.readline()
    writer.close()
    assert not spooled(tmp_path)


@pytest.mark.parametrize(
    ("token", "length", "expected"),
    [(TOKEN, len(GOOD), b" 100 "), (TOKEN, 2 << 30, b" 413 "), ("wrong", 10, b" 401 ")],
)
async def test_a_client_that_waits_to_be_asked_hears_first_whether_it_may(
    served: Any, token: str, length: int, expected: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    asked = head(served.port, MULTIPART, length)[:-2] + b"Expect: 100-continue\r\n\r\n"
    writer.write(asked.replace(TOKEN.encode(), token.encode()))
    async with asyncio.timeout(5):
        assert expected in await reader.readline()
        if expected == b" 100 ":
            writer.write(GOOD)
            await reader.readline()
            assert b" 202 " in await reader.readline()
    writer.close()


async def test_a_body_without_length_is_cut_off_at_the_limit(serving: Any, tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield START
        while True:
            yield bytes(1 << 20)
            sent += 1 << 20

    async with serving(settings=Settings(max_bytes=4 << 20)) as served:
        async with served.client.post("/v1/scans", data=endless(), headers=HEADERS) as response:
            assert response.status == 413
            assert "4194304" in await response.text()
        assert sent < 64 << 20  # what fits into the buffers between us
        assert not served.scanner.asked
        await eventually(lambda: not spooled(tmp_path))


async def test_uploads_that_wait_are_bounded_in_all(serving: Any, scanner: ReadingScanner) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(max_bytes=1 << 16, concurrency=1)) as served:
        statuses = []
        for number in range(5):
            data = bytes([number]) * (1 << 16)
            async with served.client.post("/v1/scans", data=form(data)) as response:
                statuses.append(response.status)
        assert statuses == [202, 202, 202, 202, 429]


async def test_a_body_sent_in_drops_is_cut_off(serving: Any, tmp_path: Path) -> None:
    limits = Limits(upload_idle_s=0.2, upload_s=0.6, body_s=0.3)
    async with serving(limits=limits) as served:

        async def drops(content_type: str, start: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(head(served.port, content_type, 100_000) + start)
            answer = asyncio.ensure_future(reader.readline())
            async with asyncio.timeout(5):
                while not answer.done():
                    writer.write(b"x")
                    await asyncio.sleep(0.05)
            writer.close()
            return answer.result()

        assert b" 408 " in await drops("application/json", b"{")
        assert b" 408 " in await drops(MULTIPART, START)
        await eventually(lambda: not spooled(tmp_path))


async def test_a_head_sent_in_drops_is_cut_off(serving: Any) -> None:
    async with serving(keepalive_timeout=0.3) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET /v1/health HTTP/1.1\r\n")
        async with asyncio.timeout(5):
            closed = asyncio.ensure_future(reader.read())
            while not closed.done():
                writer.write(b"X: y\r\n")
                await asyncio.sleep(0.05)
        assert closed.result() == b""
        writer.close()


async def test_an_uploader_that_vanishes_leaves_nothing_behind(served: Any, tmp_path: Path) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(head(served.port, MULTIPART, 5_000_000) + START + bytes(2_000_000))
    await writer.drain()
    await eventually(lambda: len(spooled(tmp_path)) == 1)
    writer.close()
    await eventually(lambda: not spooled(tmp_path))
    assert not served.scanner.asked


async def test_a_refused_upload_is_removed(serving: Any, scanner: ReadingScanner, tmp_path: Path) -> None:
    scanner.go.clear()
    async with serving(settings=Settings(concurrency=1, queue_limit=1)) as served:
        statuses = []
        for data in (b"one", b"two", b"three"):
            async with served.client.post("/v1/scans", data=form(data)) as response:
                statuses.append(response.status)
        assert statuses == [202, 202, 429]
        assert len(spooled(tmp_path)) == 2
