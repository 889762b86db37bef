"""Broken and malicious files: every reader ends soon, with what it could read or with a refusal."""

# ruff: noqa: E501 - one file a line reads better

from __future__ import annotations

import io
import random
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

import containers as c
import streams as s
from touchstone.media.container import Container, NotMedia
from touchstone.media.formats.bounded import MAX_PROBLEMS, MAX_TAGS
from touchstone.media.probe import read_container
from touchstone.messages import say

PACKET = c.xmp([(c.IPTC_EXT, "DigitalSourceType", "trainedAlgorithmicMedia")])
TAGS = {"AIGC": '{"Label":"1"}', "comment": "something longer than eight bytes"}

WHOLE: dict[str, bytes] = {
    "mp4": c.mp4(
        udta=c.mdta(TAGS) + c.box(b"XMP_", PACKET) + c.box(b"\xa9too", b"\0\4\x55\xc4Lavf"),
        top=c.box(b"uuid", c.XMP_UUID, PACKET),
        frame=c.KLING_FRAME,
    ),
    "fragmented mp4": c.fragmented(frame=c.KLING_FRAME, udta=c.mdir({b"\xa9cmt": "text"}) + c.freeform("k", "v")),
    "media segment": c.fragmented(init=False),
    "avif": c.heif(items={(b"Exif", b""): b"\0\0\0\0" + c.exif({0x010F: "Make of it"}), (b"mime", b"application/rdf+xml"): PACKET}),
    "mkv": s.mkv(tags=TAGS, nested=s.simple_tag("A", "b", s.simple_tag("C", "d")), frame=c.KLING_FRAME),
    "live webm": s.mkv(doc_type="webm", live=True),
    "avi": s.avi(info={b"AIGC": "{}", b"ICMT": "comment"}, xmp=PACKET, frame=c.byte_stream(c.sei(c.KLING_UUID, b"kling-ai\0"), c.SLICE)),
    "flv": s.flv(meta={"AIGC": "{}", "inner": {"a": "b"}}, xmp=PACKET, frame=c.KLING_FRAME),
    "ogg": s.ogg({"AIGC": "{}"}),
    "transport stream": s.transport_stream(c.byte_stream(c.sei(c.KLING_UUID, b"kling-ai\0"), c.SLICE)),
    "program stream": s.program_stream(),
    "bare h264": c.byte_stream(b"\x67\x64", c.sei(c.KLING_UUID, b"kling-ai\0"), c.SLICE),
    "png": c.png(c.png_text("a", "b"), c.png_text("a", "b", "zTXt"), c.png_text("XML:com.adobe.xmp", PACKET.decode(), "iTXt"), c.png_chunk(b"eXIf", c.exif({0x9286: "comment"})), frames=3),
    "jpeg": c.jpeg(c.jpeg_exif({0x010F: "Make of it", 0x9286: "comment"}), c.jpeg_xmp(PACKET), c.jpeg_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x6e\0\x03abc")),
    "webp": c.webp(c.chunk(b"EXIF", c.exif({0x010F: "Make of it"}, little=False)), c.chunk(b"XMP ", PACKET), frames=3),
    "gif": c.gif(comment=b"hello", packet=PACKET, frames=3),
    "tiff": c.exif({0x010F: "Make of it", 0x9286: "comment"}),
}  # fmt: skip


def probe(data: bytes) -> Container | None:
    """What is read, or None for a refusal. Anything else that is raised fails the test."""
    started = time.perf_counter()
    try:
        found = read_container(io.BytesIO(data), len(data))
    except NotMedia as refusal:
        assert str(refusal)
        found = None
    assert time.perf_counter() - started < 3
    if found is not None:
        assert found.format and found.mime
        assert len(found.problems) <= MAX_PROBLEMS
        assert say("container.problem.unexpected") not in found.problems
        assert all(isinstance(tag.key, str) for tag in found.tags)
    return found


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_file_is_read_without_complaint(name: str) -> None:
    found = probe(WHOLE[name])
    assert found is not None
    assert found.tags or name in ("media segment", "live webm", "program stream")
    assert name == "media segment" or not found.problems


@pytest.mark.parametrize("name", WHOLE)
def test_cut_at_every_byte(name: str) -> None:
    data = WHOLE[name]
    for length in range(len(data)):
        probe(data[:length])


@pytest.mark.parametrize("name", WHOLE)
def test_bytes_flipped_at_random(name: str) -> None:
    """Every byte with one of its bits flipped, then many at once. The seed is fixed: a failure comes back."""
    chance = random.Random(name)
    data = WHOLE[name]
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 1 << chance.randrange(8)
        probe(bytes(broken))
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(chance.randrange(2, 12)):
            broken[chance.randrange(len(broken))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        probe(bytes(broken))


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1"])
def test_lying_numbers_everywhere(name: str, value: bytes) -> None:
    """Every aligned and unaligned 32-bit field once replaced by a number that lies."""
    data = WHOLE[name]
    for at in range(0, len(data) - 4, 3):
        probe(data[:at] + value + data[at + 4 :])


def _nested(kind: bytes, depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = c.box(kind, inner)
    return inner


def _ebml_nested(depth: int) -> bytes:
    inner = s.simple_tag("a", "b")
    for _ in range(depth):
        inner = s.element(0x67C8, inner)
    return inner


def _amf_nested(depth: int) -> bytes:
    return b"\x08\0\0\0\1\0\1a" * depth + s.amf("x") + b"\0\0\x09" * depth


FTYP = c.box(b"ftyp", b"isom", b"\0" * 4)
PNG_HEAD = c.png()[: 8 + 25]
DEEP = "<a xmlns='urn:x'>" * 100_000
HOSTILE: dict[str, bytes] = {
    "a thousand nested moov": FTYP + _nested(b"moov", 1000),
    "nested udta and meta": c.mp4(udta=_nested(b"udta", 500) + _nested(b"meta", 500)),
    "half a million empty boxes": FTYP + c.box(b"free") * 500_000,
    "box of size 0 within moov": FTYP + c.box(b"moov", b"\0\0\0\0trak" + b"\0" * 100),
    "64-bit size that overflows": FTYP + b"\0\0\0\1moov" + b"\xff" * 8,
    "64-bit size smaller than its header": FTYP + b"\0\0\0\1moov" + b"\0" * 7 + b"\1",
    "four billion keys": c.mp4(udta=c.full(b"meta", c.handler(b"mdta"), c.full(b"keys", b"\xff\xff\xff\xff"), c.box(b"ilst"))),
    "four billion samples": c.mp4().replace(struct.pack(">III", 1, c.FRAMES, 40), struct.pack(">III", 2**32 - 1, 2**32 - 1, 0)),
    "first sample behind the end": c.mp4().replace(b"stco\0\0\0\0\0\0\0\1", b"stco\0\0\0\0\0\0\0\1\xff\xff\xff"),
    "tags without number": c.mp4(udta=c.mdir({struct.pack(">I", n): "x" for n in range(1, 20_000)})),
    "a tag of many megabytes": c.mp4(udta=c.mdta({"AIGC": "x" * 9_000_000})),
    "hundred tags of a megabyte": c.mp4(udta=c.mdta({f"k{n}": "x" * 1_000_000 for n in range(60)})),
    "user data strings of no length": c.mp4(udta=c.box(b"\xa9cmt", b"\0\0\0\0" * 10_000)),
    "item extents without end": c.heif().replace(b"iloc\0\0\0\0\x44\x00\0\1", b"iloc\0\0\0\0\x44\x00\xff\xff"),
    "ebml nested deeply": s.mkv(nested=_ebml_nested(5_000)),
    "ebml of unknown sizes": b"\x1a\x45\xdf\xa3\x80" + (b"\x18\x53\x80\x67\xff" + b"\x1f\x43\xb6\x75\xff") * 10_000,
    "ebml id of no width": s.mkv()[:40] + b"\0" * 1000,
    "amf nested deeply": b"FLV\1\1\0\0\0\x09\0\0\0\0" + s.flv_tag(18, s.amf("onMetaData") + _amf_nested(20_000)),
    "amf array of four billion": b"FLV\1\1\0\0\0\x09\0\0\0\0" + s.flv_tag(18, s.amf("onMetaData") + b"\x0a\xff\xff\xff\xff\5"),
    "flv header offset beyond the end": b"FLV\1\1\xff\xff\xff\xff" + b"\0" * 100,
    "png text that inflates to gigabytes": PNG_HEAD + c.png_chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"\0" * 80_000_000, 9)),
    "png international text that inflates": PNG_HEAD + c.png_chunk(b"iTXt", b"prompt\0\1\0\0\0" + zlib.compress(b"a" * 80_000_000, 9)),
    "png of empty chunks": PNG_HEAD + c.png_chunk(b"IDAT", b"") * 300_000,
    "exif directory that points to itself": c.jpeg(c.jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\0\0\0\0")),
    "exif field of four billion": c.jpeg(c.jpeg_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\1\0\x0f\1\2\0\xff\xff\xff\xff\x1a\0\0\0")),
    "jpeg of fill bytes": b"\xff\xd8" + b"\xff" * 1_000_000,
    "jpeg segment of no length": b"\xff\xd8\xff\xe0\0\0" * 1000,
    "gif of empty frames": c.gif()[:19] + (b"\x2c" + b"\0" * 9 + b"\2\0") * 200_000,
    "gif whose blocks never end": c.gif()[:19] + b"\x21\xfe" + b"\1x" * 400_000,
    "riff of empty chunks": b"RIFF\xff\xff\xff\xffAVI " + b"JUNK\0\0\0\0" * 300_000,
    "xmp billion laughs": c.jpeg(c.jpeg_xmp(b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>')),
    "xmp external entity": c.jpeg(c.jpeg_xmp(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x xmlns="urn:a">&a;</x>')),
    "xmp nested deeply": c.mp4(top=c.box(b"uuid", c.XMP_UUID, DEEP.encode())),
    "xmp that is no xml": c.mp4(top=c.box(b"uuid", c.XMP_UUID, b"\x01\x02<<<>>>")),
    "transport stream of tables": (b"\x47\x40\0\x10" + b"\xff" * 184) * 10_000,
    "ogg of pages": (b"OggS\0\0" + b"\0" * 20 + b"\0") * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_soon_and_keep_little(name: str) -> None:
    found = probe(HOSTILE[name])
    if found is not None:
        assert sum(len(tag.value) for tag in found.tags) <= 16 * 2**20
        assert len(found.tags) <= MAX_TAGS


@pytest.mark.parametrize(
    "name",
    [
        "a tag of many megabytes",
        "hundred tags of a megabyte",
        "png text that inflates to gigabytes",
        "png international text that inflates",
        "amf array of four billion",
        "exif field of four billion",
        "four billion samples",
        "xmp nested deeply",
    ],
)
def test_memory_stays_small(name: str) -> None:
    data = HOSTILE[name]
    tracemalloc.start()
    try:
        probe(data)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("four billion keys", "keys is broken"),
        ("a tag of many megabytes", "AIGC"),
        ("half a million empty boxes", "no index"),
        ("64-bit size that overflows", "no index"),
        ("png text that inflates to gigabytes", "text entry is broken"),
        ("png of empty chunks", "more parts"),
        ("gif of empty frames", "more parts"),
        ("xmp billion laughs", "document type"),
        ("xmp external entity", "document type"),
        ("xmp nested deeply", "nested too deeply"),
        ("xmp that is no xml", "XMP packet is broken"),
        ("amf nested deeply", "script data"),
        ("exif field of four billion", ""),
    ],
)
def test_what_is_wrong_is_said(name: str, said: str) -> None:
    data = HOSTILE[name]
    try:
        words = " ".join(read_container(io.BytesIO(data), len(data)).problems)
    except NotMedia as refusal:
        words = str(refusal)
    assert said in words


def test_an_entity_leaves_no_trace() -> None:
    found = probe(HOSTILE["xmp external entity"])
    assert found is not None
    assert not found.tags


def test_a_file_that_cannot_be_read_to_its_end(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            if offset > 600:
                raise OSError(5, "Input/output error")
            return super().seek(offset, whence)

    data = c.mp4(top=c.box(b"free", b"\0" * 1000))
    found = read_container(Failing(data), len(data))
    assert any("Input/output error" in problem for problem in found.problems)


@pytest.mark.corpus
def test_the_nested_boxes_of_the_corpus(corpus_marks: Path) -> None:
    data = (corpus_marks / "c2pa_video" / "c2pars_nested_moov_1000.mp4").read_bytes()
    assert probe(data) is None


def test_item_locations_whose_extents_take_no_bytes() -> None:
    """65535 extents of no size for each of many items: found by fuzzing, it took minutes."""
    item = struct.pack(">HHH", 1, 0, 65_535)
    iloc = c.box(b"iloc", struct.pack(">IHH", 0, 0, 4000) + item * 4000)
    meta = c.box(b"meta", bytes(4) + c.box(b"hdlr", bytes(8) + b"pict" + bytes(13)) + iloc)
    probe(c.box(b"ftyp", b"avif" + bytes(4) + b"avifmif1") + meta)
