"""What is fetched from servers that behave: no more than scanning needs, and never altered."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import sys
import time
from pathlib import Path

import av
import pytest
from aiohttp import web

from intake.muxed import FRAMES_PER_S, count_frames, mux
from intake.websites import Handler, Site, serve_bytes, site
from touchstone.intake import IntakeError, Material
from touchstone.intake.fetch import WebVideos
from touchstone.intake.limits import FetchLimits
from touchstone.intake.sources import SourceIntake
from touchstone.manifest_boxes import C2PA_BOX
from touchstone.wire import UrlSource

KIB = 1 << 10
SMALL = FetchLimits(
    whole_bytes=256 * KIB,
    max_bytes=32 << 20,
    head_bytes=32 * KIB,
    header_bytes=512 * KIB,
    samples=4,
    sample_bytes=64 * KIB,
)
"""Limits under which a file of a few megabytes is a long one."""


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


FTYP = box(b"ftyp", b"isom\0\0\2\0isommp42")
MOOV = box(b"moov", b"M" * 100_000)
MDAT = box(b"mdat", bytes(range(256)) * (16 * KIB))  # 4 MiB
LARGE_MDAT = b"\0\0\0\1mdat" + (16 + (4 << 20)).to_bytes(8, "big") + bytes(4 << 20)
SIGNATURE = box(b"uuid", C2PA_BOX + b"S" * 20_000)
XMP = box(b"uuid", bytes(16) + b"X" * 5_000)
AVI = (
    b"RIFF" + (4 << 20).to_bytes(4, "little") + b"AVI "
    + b"LIST" + (100 * KIB).to_bytes(4, "little") + b"hdrl" + bytes(100 * KIB - 4)
    + b"LIST" + (4 << 20).to_bytes(4, "little") + b"movi" + bytes((4 << 20) - 4)
    + b"idx1" + (90 * KIB).to_bytes(4, "little") + bytes(90 * KIB)
)  # fmt: skip


async def fetched(server: Site, folder: Path, limits: FetchLimits = SMALL) -> tuple[Material, bytes]:
    """The material, and the bytes in it while it was there."""
    videos = WebVideos(folder, policy=server.policy, limits=limits)
    async with videos.open(server.url()) as material:
        data = await asyncio.to_thread(material.path.read_bytes)
    await videos.close()
    return material, data


def no_ranges(body: bytes, *, length_known: bool) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        if length_known:
            answer.content_length = len(body)
        await answer.prepare(request)
        for start in range(0, len(body), 64 * KIB):
            await answer.write(body[start : start + 64 * KIB])
        return answer

    return handle


@pytest.mark.parametrize("form", ["file", "fast", "fragmented"])
@pytest.mark.parametrize("server_kind", ["ranges", "length known", "length unknown"])
async def test_a_short_file_is_fetched_whole_and_unaltered(
    tmp_path: Path, form: str, server_kind: str
) -> None:
    body = mux(tmp_path / "made", form).read_bytes()
    handler = (
        serve_bytes(body)
        if server_kind == "ranges"
        else no_ranges(body, length_known="un" not in server_kind)
    )
    async with site(handler) as server:
        material, data = await fetched(server, tmp_path / "spool")
    assert data == body
    assert material.complete
    assert material.present == ()
    assert material.size == len(body)
    assert material.sha256 == hashlib.sha256(body).hexdigest()
    assert (material.name, material.url) == ("v.mp4", server.url())


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (FTYP + MOOV + MDAT, [FTYP + MOOV]),
        (FTYP + MDAT + MOOV, [FTYP, MOOV]),
        (FTYP + LARGE_MDAT + MOOV, [FTYP, MOOV]),
        (FTYP + MDAT + MOOV + MDAT + XMP, [FTYP, MOOV, XMP]),
        (box(b"wide") + MDAT + MOOV, [MOOV]),
        (FTYP + MOOV + (box(b"moof", bytes(500)) + MDAT[: 64 * KIB]) * 60, [FTYP + MOOV]),
        (AVI, [AVI[: 100 * KIB], AVI[-90 * KIB :]]),
    ],
    ids=["header first", "header last", "64-bit size", "header between", "QuickTime", "fragmented", "AVI"],
)
async def test_of_a_long_file_the_headers_and_some_of_the_rest_are_fetched(
    tmp_path: Path, body: bytes, headers: list[bytes]
) -> None:
    async with site(serve_bytes(body)) as server:
        material, data = await fetched(server, tmp_path)
    assert not material.complete
    assert material.sha256 is None
    assert (material.size, len(data)) == (len(body), len(body))
    got = sum(end - start for start, end in material.present)
    assert got < 0.6 * len(body)
    assert len(server.requests) < 20
    for start, end in material.present:
        assert data[start:end] == body[start:end]
    for header in headers:
        start = body.index(header)
        assert any(left <= start and start + len(header) <= right for left, right in material.present)
    # Media data is there from all over the file, and the holes are zeros.
    quarter = len(body) // 4
    for place in range(4):
        assert any(start < (place + 1) * quarter and end > place * quarter for start, end in material.present)
    hole = material.present[0][1]
    assert data[hole : hole + 64] == bytes(64)


@pytest.mark.skipif(sys.platform == "win32", reason="sparse files are asked for differently there")
async def test_the_holes_of_a_long_file_take_no_room(tmp_path: Path) -> None:
    body = FTYP + MOOV + MDAT * 6
    async with site(serve_bytes(body)) as server:
        videos = WebVideos(tmp_path, policy=server.policy, limits=SMALL)
        async with videos.open(server.url()) as material:
            assert material.path.stat().st_blocks * 512 < len(body) / 3
        await videos.close()


@pytest.mark.parametrize(
    "body",
    [
        FTYP + SIGNATURE + MOOV + MDAT,
        FTYP + MOOV + MDAT + SIGNATURE,
        AVI + b"C2PA" + (10).to_bytes(4, "little") + bytes(10),
    ],
)
@pytest.mark.parametrize("ranges", [True, False])
async def test_a_signed_file_is_fetched_whole_since_its_signature_covers_all_of_it(
    tmp_path: Path, body: bytes, ranges: bool
) -> None:
    handler = serve_bytes(body) if ranges else no_ranges(body, length_known=True)
    async with site(handler) as server:
        material, data = await fetched(server, tmp_path)
    # Without ranges there is no looking ahead: of a box file whose header comes first, this one is left.
    if ranges or body != FTYP + MOOV + MDAT + SIGNATURE:
        assert material.complete
        assert data == body
    else:
        [(start, end)] = material.present
        assert (start, data[:end]) == (0, body[:end])


async def test_a_signed_file_over_the_limit_is_fetched_in_part(tmp_path: Path) -> None:
    body = FTYP + SIGNATURE + MOOV + MDAT
    limits = FetchLimits(**{**SMALL.__dict__, "max_bytes": 2 << 20})
    async with site(serve_bytes(body)) as server:
        material, _ = await fetched(server, tmp_path, limits)
    assert not material.complete


async def test_what_came_before_the_limit_is_looked_at_where_it_will_do(tmp_path: Path) -> None:
    """Signed, so that all of it is wanted, longer than is fetched, and from a server without ranges."""
    body = FTYP + SIGNATURE + MOOV + MDAT
    limits = FetchLimits(**{**SMALL.__dict__, "max_bytes": 2 << 20})
    async with site(no_ranges(body, length_known=False)) as server:
        material, data = await fetched(server, tmp_path, limits)
    assert not material.complete
    [(start, end)] = material.present
    assert start == 0
    assert len(FTYP + SIGNATURE + MOOV) < end <= 2 << 20
    assert data[:end] == body[:end]


async def test_without_its_header_what_came_before_the_limit_will_not_do(tmp_path: Path) -> None:
    limits = FetchLimits(**{**SMALL.__dict__, "max_bytes": 2 << 20})
    async with site(no_ranges(FTYP + MDAT + MOOV, length_known=False)) as server:
        with pytest.raises(IntakeError) as caught:
            await fetched(server, tmp_path, limits)
    assert caught.value.code == "too_large"


async def test_a_header_at_the_end_is_reached_without_ranges(tmp_path: Path) -> None:
    async with site(no_ranges(FTYP + MDAT + MOOV, length_known=False)) as server:
        material, data = await fetched(server, tmp_path)
    assert material.complete
    assert data == FTYP + MDAT + MOOV


async def test_without_ranges_reading_stops_when_it_will_do(tmp_path: Path) -> None:
    async with site(no_ranges(FTYP + MOOV + MDAT * 8, length_known=False)) as server:
        material, data = await fetched(server, tmp_path)
    assert not material.complete
    assert material.present == ((0, len(data)),)
    assert SMALL.whole_bytes <= len(data) < 2 * SMALL.whole_bytes


async def test_a_real_long_file_can_be_decoded_where_it_is_there(tmp_path: Path) -> None:
    path = mux(tmp_path / "made", "file", seconds=30)
    body = path.read_bytes()
    limits = FetchLimits(**{**SMALL.__dict__, "whole_bytes": 4 * KIB, "head_bytes": 4 * KIB})
    async with site(serve_bytes(body)) as server:
        _, data = await fetched(server, tmp_path / "spool", limits)
    kept = tmp_path / "kept.mp4"
    kept.write_bytes(data)
    with av.open(str(kept)) as video:
        assert video.streams.video[0].frames == 30 * FRAMES_PER_S
        assert next(video.decode(video=0)).width == 64


# Playlists


def serve_folder(folder: Path) -> Handler:
    files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()}

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.path not in files:
            return web.Response(status=404)
        return await serve_bytes(files[request.path])(request)

    return handle


@pytest.mark.parametrize(
    ("form", "fragments"),
    [("ts", 0), ("fmp4", 3), ("single", 3), ("timeline", 3), ("numbers", 3), ("list", 3)],
)
async def test_a_playlist_ends_as_segments_that_decode(tmp_path: Path, form: str, fragments: int) -> None:
    index = mux(tmp_path / "made", form)
    async with site(serve_folder(index.parent)) as server:
        videos = WebVideos(tmp_path / "spool", policy=server.policy)
        async with videos.open(server.url(f"/{index.name}?token=1")) as material:
            assert len(material.fragments) == fragments
            frames = await asyncio.to_thread(count_frames, material.path, *material.fragments)
        await videos.close()
    assert frames == 3 * FRAMES_PER_S, "three segments of a second, of four"
    assert material.name == index.name
    assert material.sha256 is None
    assert not any(path.exists() for path in (material.path, *material.fragments))


async def test_a_master_playlist_leads_to_its_best_rendition(tmp_path: Path) -> None:
    index = mux(tmp_path / "made", "fmp4")
    (index.parent / "master.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=64x48\nindex.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=32x24\nnowhere.m3u8\n"
    )
    async with site(serve_folder(index.parent)) as server:
        videos = WebVideos(tmp_path / "spool", policy=server.policy)
        async with videos.open(server.url("/master.m3u8")) as material:
            assert material.name == "master.m3u8"
            assert len(material.fragments) == 3
        await videos.close()


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://169.254.169.254/latest/meta-data", "refused_address"),
        ("http://localhost:631/", "refused_address"),
        ("http://192.168.0.1/", "refused_address"),
        ("//127.0.0.1/a.ts", "refused_address"),
        ("file:///etc/passwd", "bad_url"),
        ("/nowhere.ts", "http_status"),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\n{}\n",
        '#EXTM3U\n#EXT-X-MAP:URI="{}"\n#EXTINF:1,\na.ts\n',
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n",
        '<MPD><Period><AdaptationSet contentType="video"><Representation><BaseURL>{}</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>",
        '<MPD><Period><AdaptationSet contentType="video"><Representation><SegmentTemplate media="{}" '
        'duration="1"/></Representation></AdaptationSet></Period></MPD>',
    ],
    ids=["segment", "init", "rendition", "file of a manifest", "template"],
)
async def test_what_a_playlist_points_to_is_guarded_like_anything_else(
    tmp_path: Path, text: str, target: str, code: str
) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return (
            web.Response(body=text.format(target).encode())
            if request.path == "/v.mp4"
            else web.Response(status=404)
        )

    async with site(handle) as server:
        videos = WebVideos(tmp_path, policy=server.policy)
        with pytest.raises(IntakeError) as problem:
            async with videos.open(server.url()):
                pass
        await videos.close()
        assert problem.value.code == code


async def test_a_playlist_of_itself_comes_to_an_end(tmp_path: Path) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/v.mp4\n")

    async with site(handle) as server:
        videos = WebVideos(tmp_path, policy=server.policy)
        with pytest.raises(IntakeError, match="one playlist after another"):
            async with videos.open(server.url()):
                pass
        await videos.close()
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "protection",
    ['#EXT-X-KEY:METHOD=AES-128,URI="key"', '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key"'],
)
async def test_an_encrypted_playlist_is_protected_and_no_key_is_fetched(
    tmp_path: Path, protection: str
) -> None:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.Response(body=f"#EXTM3U\n{protection}\n#EXTINF:1,\na.ts\n".encode())

    async with site(handle) as server:
        videos = WebVideos(tmp_path, policy=server.policy)
        with pytest.raises(IntakeError, match="is protected") as problem:
            async with videos.open(server.url()):
                pass
        await videos.close()
        assert problem.value.code == "protected"
        assert len(server.requests) == 1


async def test_a_server_without_ranges_can_serve_pieces_of_one_file(tmp_path: Path) -> None:
    index = mux(tmp_path / "made", "single")
    files = {f"/{path.name}": path.read_bytes() for path in index.parent.iterdir()}

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=files[request.path])

    async with site(handle) as server:
        videos = WebVideos(tmp_path / "spool", policy=server.policy)
        async with videos.open(server.url("/index.m3u8")) as material:
            frames = await asyncio.to_thread(count_frames, material.path, *material.fragments)
        await videos.close()
    assert frames == 3 * FRAMES_PER_S


# Housekeeping


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
async def test_fetched_bytes_are_private_and_removed(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    async with site(serve_bytes(FTYP + MOOV)) as server:
        videos = WebVideos(spool, policy=server.policy)
        async with videos.open(server.url()) as material:
            modes = [mode_of(path) for path in (spool, material.path.parent, material.path)]
        await videos.close()
    assert modes == [0o700, 0o700, 0o600]
    assert names_in(spool) == []


async def test_what_a_killed_process_left_is_removed_and_what_another_uses_is_not(tmp_path: Path) -> None:
    old, fresh, other = (tmp_path / name for name in ("fetch-old", "fetch-fresh", "other"))
    for folder in (old, fresh, other):
        folder.mkdir()
        (folder / "video").write_bytes(b"x")
    for folder in (old, other):
        os.utime(folder, (time.time() - 90_000,) * 2)
    async with site(serve_bytes(FTYP + MOOV)) as server:
        await fetched(server, tmp_path)
    assert names_in(tmp_path) == ["fetch-fresh", "other"]


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"a file where a folder should be")
    videos = WebVideos(tmp_path / "spool" / "x")
    with pytest.raises(IntakeError, match="could not be kept") as problem:
        async with videos.open("https://video.example/v.mp4"):
            pass
    assert problem.value.code == "no_space"
    assert str(tmp_path / "spool") in str(problem.value)


async def test_a_url_source_is_fetched_through_the_intake(tmp_path: Path) -> None:
    async with (
        site(serve_bytes(FTYP + MOOV)) as server,
        SourceIntake(WebVideos(tmp_path, policy=server.policy)) as intake,
        intake.open(UrlSource(url=server.url())) as material,
    ):
        assert material.size == len(FTYP + MOOV)
