"""Crafted video: whatever a file is made to do, its scan ends in time with frames or a stated reason.

Every file is made here and goes through a real pool, so what FFmpeg does to the process is part of the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import av
import pytest
from pools import collect, hostile_pool
from synthetic import Recipe, make

from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import Deadlines
from touchstone.media.workers import Checked, Found, Message, Skipped, Unreadable

SECONDS = 15.0
"""What one file may take here, on a busy machine. The product's own deadline is a minute."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Sound clips to be damaged."""
    folder = tmp_path_factory.mktemp("plain")
    recipes = {
        "mp4": Recipe("mp4", "libx264", frames=12),
        "fast mp4": Recipe("mp4", "libx264", frames=12, mux_options={"movflags": "faststart"}),
        "fragmented": Recipe(
            "mp4", "libx264", frames=12, gop=4, mux_options={"movflags": "frag_keyframe+empty_moov"}
        ),
        "webm": Recipe("webm", "libvpx", frames=12, options={"deadline": "realtime"}),
        "avi": Recipe("avi", "mjpeg", pixels="yuvj420p", frames=12),
        "flv": Recipe("flv", "flv", frames=12),
        "gif": Recipe("gif", "gif", pixels="rgb8", rate=10, frames=6),
        "webp": Recipe("webp", "libwebp_anim", pixels="bgra", rate=10, frames=6),
        "apng": Recipe("apng", "apng", pixels="rgb24", frames=4),
        "mpegts": Recipe("ts", "libx264", frames=12, muxer="mpegts"),
    }
    return {
        name: make(recipe, folder / f"{name}.{recipe.suffix}").read_bytes()
        for name, recipe in recipes.items()
    }


@contextlib.asynccontextmanager
async def looking(examiner_s: float = SECONDS - 3) -> AsyncIterator[WorkerPool]:
    pool = hostile_pool(["look"], deadlines=Deadlines(examiner_s=examiner_s), memory_mib=1536)
    try:
        yield pool
    finally:
        await pool.close()


async def scan(pool: WorkerPool, folder: Path, data: bytes, name: str = "clip.mp4") -> list[Message]:
    """One scan; fails unless it ends in time and says what came of it."""
    path = folder / name
    path.write_bytes(data)
    return await scan_file(pool, path)


async def scan_file(pool: WorkerPool, path: Path) -> list[Message]:
    started = time.monotonic()
    size = path.stat().st_size  # noqa: ASYNC240 - one call
    messages = await collect(pool, Material(path, size), ["look"])
    assert time.monotonic() - started < SECONDS
    outcomes = [m for m in messages if isinstance(m, Checked | Skipped | Unreadable)]
    assert len(outcomes) == 1, messages
    if not isinstance(outcomes[0], Checked):
        assert len(outcomes[0].reason) > 10
        assert "could not be started" not in outcomes[0].reason, "then nothing was tested"
    return messages


def reason(messages: list[Message]) -> str:
    return next((m.reason for m in messages if isinstance(m, Skipped | Unreadable)), "")


def saw(messages: list[Message]) -> list[str]:
    return [m.evidence.finding for m in messages if isinstance(m, Found)]


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[int]:
    """Where every box of an MP4 starts, containers and their children alike."""
    at, end = start, len(data) if end is None else end
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > end:
            return
        yield at
        if data[at + 4 : at + 8] in {
            b"moov",
            b"trak",
            b"mdia",
            b"minf",
            b"stbl",
            b"edts",
            b"dinf",
            b"moof",
            b"traf",
        }:
            yield from boxes(data, at + 8, at + size)
        at += size


@pytest.mark.parametrize("name", ["mp4", "fast mp4", "fragmented"])
async def test_cut_off_at_every_box(plain: dict[str, bytes], tmp_path: Path, name: str) -> None:
    data = plain[name]
    async with looking() as pool:
        for at in boxes(data):
            for cut in {at, at + 4, at + 9}:
                await scan(pool, tmp_path, data[:cut] or b"\0")


@pytest.mark.parametrize("size", [0, 1, 7, 9, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_boxes_that_lie_about_their_size(plain: dict[str, bytes], tmp_path: Path, size: int) -> None:
    data = plain["mp4"]
    async with looking() as pool:
        for at in boxes(data):
            await scan(pool, tmp_path, data[:at] + struct.pack(">I", size) + data[at + 4 :])


@pytest.mark.parametrize("name", ["mp4", "webm", "avi", "flv", "gif", "webp", "apng", "mpegts"])
async def test_flipped_bits(plain: dict[str, bytes], tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    async with looking() as pool:
        for _ in range(25):
            data = bytearray(plain[name])
            for _ in range(chance.randrange(1, 30)):
                data[chance.randrange(4, len(data))] ^= 1 << chance.randrange(8)
            await scan(pool, tmp_path, bytes(data))


def replaced(data: bytes, kind: bytes, offset: int, value: bytes) -> bytes:
    """The MP4 with bytes of the first box of a kind replaced, `offset` from behind its type."""
    at = data.index(kind) + 4 + offset
    return data[:at] + value + data[at + len(value) :]


def a_billion_frames(data: bytes) -> bytes:
    """Tables that claim 2^30 samples of one byte, one tick apart."""
    data = replaced(data, b"stts", 4, struct.pack(">III", 1, 1 << 30, 1))
    data = replaced(data, b"stsz", 4, struct.pack(">II", 1, 1 << 30))
    return replaced(data, b"mdhd", 16, struct.pack(">I", 1 << 30))


def a_day_in_a_header(data: bytes) -> bytes:
    return replaced(replaced(data, b"mdhd", 16, b"\x7f\xff\xff\xff"), b"mvhd", 16, b"\x7f\xff\xff\xff")


def samples_of_four_gigabytes(data: bytes) -> bytes:
    return replaced(data, b"stsz", 4, struct.pack(">II", 0xFFFFFFF0, 12))


def wide(data: bytes) -> bytes:
    """30000 by 30000 pixels by the sample entry and the track header."""
    data = replaced(data, b"avc1", 24, struct.pack(">HH", 30_000, 30_000))
    return replaced(data, b"tkhd", 76, struct.pack(">II", 30_000 << 16, 30_000 << 16))


def elsewhere(data: bytes) -> bytes:
    """A data reference that names another file (ISO/IEC 14496-12, clause 8.7.2)."""
    return replaced(data, b"url ", 0, b"\0\0\0\0")


def going_in_circles(data: bytes) -> bytes:
    """An edit list that shows the same stretch ten thousand times."""
    at = data.index(b"elst") - 4
    old = int.from_bytes(data[at : at + 4], "big")
    edits = struct.pack(">IIHH", 400, 0, 1, 0) * 10_000
    elst = struct.pack(">I4sII", 16 + len(edits), b"elst", 0, 10_000) + edits
    grown = len(elst) - old
    out = bytearray(data[:at] + elst + data[at + old :])
    for kind in (b"moov", b"trak", b"edts"):
        size_at = data.index(kind) - 4
        size = int.from_bytes(data[size_at : size_at + 4], "big") + grown
        out[size_at : size_at + 4] = size.to_bytes(4, "big")
    return bytes(out)


def many_tracks(data: bytes) -> bytes:
    """The same track two thousand times."""
    moov = data.index(b"moov") - 4
    track = data.index(b"trak") - 4
    size = int.from_bytes(data[track : track + 4], "big")
    moov_size = int.from_bytes(data[moov : moov + 4], "big") + 1999 * size
    out = data[: track + size] + data[track : track + size] * 1999 + data[track + size :]
    return out[:moov] + moov_size.to_bytes(4, "big") + out[moov + 4 :]


MADE_FROM_MP4: dict[str, Callable[[bytes], bytes]] = {
    "a billion frames": a_billion_frames,
    "a header of many years": a_day_in_a_header,
    "samples of four gigabytes": samples_of_four_gigabytes,
    "30000 by 30000": wide,
    "a reference to another file": elsewhere,
    "an edit list in circles": going_in_circles,
    "two thousand tracks": many_tracks,
}


@pytest.mark.parametrize("name", MADE_FROM_MP4)
async def test_headers_that_claim_too_much(plain: dict[str, bytes], tmp_path: Path, name: str) -> None:
    async with looking() as pool:
        await scan(pool, tmp_path, MADE_FROM_MP4[name](plain["mp4"]))
        assert saw(await scan(pool, tmp_path, plain["mp4"])), "the next scan is as good as any"


def png(width: int, height: int, rows: int) -> bytes:
    """A PNG that claims a size and brings `rows` rows of zeros, which compress to next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def gif_bomb(width: int, height: int, frames: int) -> bytes:
    """A GIF whose frames fill a large canvas from a few bytes each: an LZW "clear", a pixel, the end."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + screen + frame * frames + b";"


def webp_of(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    extended = b"VP8X" + struct.pack("<I", 10) + bytes((2, 0, 0, 0)) + size
    animation = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    frame = b"ANMF" + struct.pack("<I", 16) + bytes(6) + size + bytes(4)
    return (
        b"RIFF"
        + struct.pack("<I", 4 + len(extended + animation + frame))
        + b"WEBP"
        + extended
        + animation
        + frame
    )


TOO_LARGE = {
    "png": lambda: png(30_000, 30_000, 10),
    "gif": lambda: gif_bomb(30_000, 30_000, 1),
    "gif of 65535": lambda: gif_bomb(65_535, 65_535, 5000),
    "webp": lambda: webp_of(16_384, 16_384),
}


@pytest.mark.parametrize("name", TOO_LARGE)
async def test_pictures_that_are_too_large_are_refused(tmp_path: Path, name: str) -> None:
    async with looking() as pool:
        assert "pixels, more than" in reason(await scan(pool, tmp_path, TOO_LARGE[name]()))


async def test_a_bomb_within_the_size_limit_is_stopped_by_the_budget(tmp_path: Path) -> None:
    async with looking() as pool:
        assert saw(await scan(pool, tmp_path, gif_bomb(5000, 5000, 20_000)))


async def test_a_png_that_unpacks_to_a_hundred_megabytes(tmp_path: Path) -> None:
    async with looking() as pool:
        assert saw(await scan(pool, tmp_path, png(6000, 6000, 6000))) == ["1 of 6000x6000"]


def nested(kind: bytes, depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = struct.pack(">I4s", 8 + len(data), kind) + data
    return struct.pack(">I4s4sI4s", 20, b"ftyp", b"isom", 0, b"isom") + data


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"udta", b"meta", b"moof"])
async def test_boxes_in_boxes_in_boxes(tmp_path: Path, kind: bytes) -> None:
    async with looking() as pool:
        assert reason(await scan(pool, tmp_path, nested(kind, 20_000)))


async def test_two_gigabytes_of_zeros(tmp_path: Path) -> None:
    path = tmp_path / "zeros.mp4"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    async with looking() as pool:
        assert reason(await scan_file(pool, path))


# Formats in which a few lines of text have FFmpeg open something else: `{what}`, a file or an address.
PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{what}\n#EXT-X-ENDLIST\n",
    "hls with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{what}"\n#EXTINF:10,\n{what}\n',
    "concat": "ffconcat version 1.0\nfile '{what}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    '<AdaptationSet mimeType="video/mp4"><Representation id="1"><BaseURL>{what}</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=control:{what}\n",
    "rtsp redirect": "[Reference]\nRef1={what}\n",
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{what}"/></svg>',
    "after an mp4 header": "\0\0\0\x14ftypisom\0\0\0\0isom#EXTM3U\n#EXTINF:10,\n{what}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("target", ["secret", "web"])
async def test_no_playlist_is_followed(
    plain: dict[str, bytes], tmp_path: Path, name: str, target: str
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(plain["mp4"])
    called: list[object] = []

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    what = str(secret) if target == "secret" else f"http://127.0.0.1:{port}/clip.ts"
    async with server, looking() as pool:
        messages = await scan(pool, tmp_path, PLAYLISTS[name].replace("{what}", what).encode(), "list.mp4")
        assert reason(messages)
        assert not saw(messages), "no frame of the other file"
    assert not called, "nothing was fetched"


async def test_fonts_and_subtitles_beside_the_video_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "fonts.mkv"
    with av.open(str(path), "w") as container:
        font = b"\0\1\0\0" + bytes(2000)
        container.add_attachment("font.ttf", "application/x-truetype-font", font)
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    async with looking() as pool:
        assert saw(await scan_file(pool, path))


async def test_frames_are_decoded_only_for_examiners_that_look(tmp_path: Path) -> None:
    """A file whose frames cannot be decoded does not trouble an examiner of bytes."""
    path = tmp_path / "clip.png"
    path.write_bytes(TOO_LARGE["png"]())
    pool = hostile_pool(["nothing", "look"])
    try:
        messages = await collect(pool, Material(path, path.stat().st_size), ["nothing", "look"])
    finally:
        await pool.close()
    assert [m.examiner for m in messages if isinstance(m, Checked)] == ["nothing"]
    assert [m.examiner for m in messages if isinstance(m, Skipped)] == ["look"]
