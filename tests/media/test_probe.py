"""Containers: what is read from each, and what is refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import containers as c
import streams as s
from touchstone.media.container import Container, NotMedia
from touchstone.media.probe import read_container

SIZE = (c.WIDTH, c.HEIGHT)
CLOCK = (float(c.FPS), c.FRAMES / c.FPS)
STILL = (None, None)


def probe(data: bytes) -> Container:
    return read_container(io.BytesIO(data), len(data))


@pytest.mark.parametrize(
    ("data", "format_", "codec", "size", "clock"),
    [
        pytest.param(c.mp4(), "mp4", "h264", SIZE, CLOCK, id="mp4"),
        pytest.param(c.mp4(media_first=True), "mp4", "h264", SIZE, CLOCK, id="mp4 with its index last"),
        pytest.param(c.mp4(brand=b"qt  "), "mov", "h264", SIZE, CLOCK, id="mov"),
        pytest.param(c.mp4(brand=b"M4V "), "m4v", "h264", SIZE, CLOCK, id="m4v"),
        pytest.param(c.mp4(brand=b"3gp5", entry=b"s263"), "3gp", "h263", SIZE, CLOCK, id="3gp"),
        pytest.param(c.mp4(entry=b"hvc1"), "mp4", "hevc", SIZE, CLOCK, id="hevc"),
        pytest.param(c.mp4(entry=b"av01"), "mp4", "av1", SIZE, CLOCK, id="av1"),
        pytest.param(c.mp4(entry=b"zzzz"), "mp4", "zzzz", SIZE, CLOCK, id="a codec that is not known"),
        pytest.param(c.mp4()[24:], "mov", "h264", SIZE, CLOCK, id="mov without ftyp"),
        pytest.param(c.fragmented(), "mp4", "h264", SIZE, CLOCK, id="fragmented"),
        pytest.param(c.fragmented(init=False), "m4s", None, STILL, STILL, id="media segment"),
        pytest.param(c.heif(), "avif", "av1", SIZE, STILL, id="avif"),
        pytest.param(c.heif(brand=b"heic"), "heic", "hevc", SIZE, STILL, id="heic"),
        pytest.param(s.mkv(), "mkv", "h264", SIZE, CLOCK, id="mkv"),
        pytest.param(s.mkv(doc_type="webm", codec="V_VP9"), "webm", "vp9", SIZE, CLOCK, id="webm"),
        pytest.param(s.avi(), "avi", "h264", SIZE, CLOCK, id="avi"),
        pytest.param(s.avi(fourcc=b"xvid"), "avi", "mpeg4", SIZE, CLOCK, id="avi, xvid"),
        pytest.param(s.flv(), "flv", "h264", SIZE, CLOCK, id="flv"),
        pytest.param(s.ogg(), "ogg", "theora", SIZE, CLOCK, id="ogg"),
        pytest.param(s.mpeg_sequence(), "mpegvideo", "mpeg2video", SIZE, (25.0, None), id="mpeg video"),
        pytest.param(s.program_stream(), "mpeg", "mpeg2video", SIZE, (25.0, None), id="program stream"),
        pytest.param(
            s.transport_stream(c.byte_stream(c.SLICE)), "mpegts", "h264", STILL, STILL, id="transport"
        ),
        pytest.param(c.byte_stream(b"\x67\x64", c.SLICE), "h264", "h264", STILL, STILL, id="bare h264"),
        pytest.param(c.png(), "png", "png", SIZE, STILL, id="png"),
        pytest.param(c.png(frames=5), "apng", "apng", SIZE, (10.0, 0.5), id="apng"),
        pytest.param(c.jpeg(), "jpeg", "mjpeg", SIZE, STILL, id="jpeg"),
        pytest.param(c.webp(), "webp", "webp", SIZE, STILL, id="webp"),
        pytest.param(c.webp(frames=5), "webp", "webp", SIZE, (10.0, 0.5), id="animated webp"),
        pytest.param(c.gif(frames=5), "gif", "gif", SIZE, (10.0, 0.5), id="gif"),
        pytest.param(c.exif({0x010F: "Make"}), "tiff", "tiff", STILL, STILL, id="tiff"),
    ],
)
def test_what_a_container_says(
    data: bytes, format_: str, codec: str | None, size: tuple[int, int], clock: tuple[float, float]
) -> None:
    found = probe(data)
    assert (found.format, found.codec, (found.width, found.height)) == (format_, codec, size)
    assert (found.fps, found.duration_s) == clock


def test_a_recording_from_a_browser_gets_its_clock_from_its_blocks() -> None:
    found = probe(s.mkv(doc_type="webm", codec="V_VP8", live=True))
    assert (found.format, found.codec, found.fps) == ("webm", "vp8", 25.0)
    assert found.duration_s == pytest.approx(1.96)


ZEROS = "zero bytes"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\0" * 100, ZEROS),
        (b"\0" * 100_000, ZEROS),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\xef\xbb\xbf\n  <html>", "web page"),
        (b"<!-- saved --><!-- twice --><HTML>", "web page"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "HLS"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011">', "DASH"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "ffconcat"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04\x14\0", "zip"),
        (b"\x1f\x8b\x08\0", "archive"),
        (b"\x7fELF\2\1\1", "program"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi", "subtitles"),
        (b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHi", "subtitles"),
        ("Ein Brief, ganz ohne Bild — und länger.".encode(), "text"),
        ("Ein Brief".encode("utf-16"), "text"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "sound"),
        (b"ID3\4\0\0", "sound"),
        (c.mp4(kind=b"soun"), "sound"),
        (bytes(range(1, 255)), "known"),
        (c.box(b"ftyp", b"isom", b"\0" * 4), "no index"),
        (c.mp4(media_first=True)[:120], "no index"),
        (s.mkv()[:60], "cut off"),
        (s.avi()[:16], "cut off"),
        (s.avi()[:30], "no video"),
        (s.flv()[:15], "cut off"),
        (b"<!-- -->" * 500, "text"),
    ],
)
def test_what_is_refused_and_in_which_words(data: bytes, said: str) -> None:
    with pytest.raises(NotMedia) as refusal:
        probe(data)
    assert said in str(refusal.value)


def test_two_gigabytes_of_zeros_are_refused_from_the_first_page(tmp_path: Path) -> None:
    file = tmp_path / "zeros.mp4"
    with file.open("wb") as sparse:
        sparse.truncate(2 * 2**30)
    counted = _Counted(file)
    with pytest.raises(NotMedia, match=ZEROS):
        read_container(counted, file.stat().st_size)
    assert counted.bytes_read < 65_536


class _Counted(io.FileIO):
    """A file that counts what is read from it."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:  # type: ignore[override]
        data = super().read(-1 if size is None else size)
        self.bytes_read += len(data or b"")
        return data or b""


def test_media_data_is_never_read(tmp_path: Path) -> None:
    """A long file costs what its headers cost."""
    head = c.mp4(media_first=True)
    at = head.index(b"mdat") - 4
    size = int.from_bytes(head[at : at + 4], "big")
    file = tmp_path / "long.mp4"
    file.write_bytes(head[:at] + (2**20 * 64 + size).to_bytes(4, "big") + head[at + 4 : at + size])
    with file.open("r+b") as long:
        long.seek(at + 2**20 * 64 + size)
        long.write(head[at + size :])
    counted = _Counted(file)
    found = read_container(counted, file.stat().st_size)
    assert found.codec == "h264"
    assert counted.bytes_read < 65_536


@pytest.mark.corpus
def test_every_clip_of_the_corpus_is_readable(corpus: Path) -> None:
    """Codec and size as the manifest has them, and a sane duration: most clips were cut after it was made."""
    renamed = {"libdav1d": "av1"}
    disagree = []
    for row in csv.DictReader((corpus / "manifest.csv").open(encoding="utf-8")):
        path = corpus / row["file"]
        with path.open("rb") as file:
            found = read_container(file, path.stat().st_size)
        wanted = (renamed.get(row["codec"], row["codec"]), row["width"], row["height"])
        if (found.codec, str(found.width), str(found.height)) != wanted or found.problems:
            disagree.append((row["file"], found.codec, found.width, found.height, wanted, found.problems))
        if found.format != "mpegvideo":  # a bare stream has no clock
            assert found.duration_s and 0.001 < found.duration_s < 3600, row["file"]
    assert not disagree
