"""Where tags are found: every place of every container, once."""

# ruff: noqa: E501 - one place a line reads better

from __future__ import annotations

import io

import pytest

import containers as c
import streams as s
from touchstone.media.formats.nal import user_data
from touchstone.media.probe import read_container

SOURCE_TYPE = f"{{{c.IPTC_EXT}}}DigitalSourceType"
PACKET = c.xmp([(c.IPTC_EXT, "DigitalSourceType", "x")])
AS_ATTRIBUTE = c.xmp([(c.IPTC_EXT, "DigitalSourceType", "x")], attributes=True, prefix="iptcExt")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
STRUCTURED = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="{RDF}"><r:Description xmlns:e="{c.IPTC_EXT}">
<e:DigitalSourceType r:resource="y"/><e:Genre><r:Bag><r:li>one</r:li><r:li r:parseType="Resource"><e:Inner>two</e:Inner>
</r:li></r:Bag></e:Genre></r:Description></r:RDF></x:xmpmeta>""".encode()
KLING = (c.KLING_UUID.hex(), "kling-ai")
KLING_STREAM = c.byte_stream(b"\x09\x10", c.sei(c.KLING_UUID, b"kling-ai\0"), c.SLICE)
HEVC_FRAME = c.prefixed(c.sei(c.KLING_UUID, b"kling-ai\0", codec="hevc"), b"\x26\x01" + c.SLICE)
HVCC = c.box(b"hvcC", b"\x01" + b"\0" * 20 + b"\x03\x00")
HVCC_WITH_SEI = c.box(
    b"hvcC",
    b"\x01" + b"\0" * 20 + b"\x03\x01\x27\0\1" + len(unit := c.sei(c.KLING_UUID, b"kling-ai\0", codec="hevc")).to_bytes(2, "big") + unit,
)  # fmt: skip
GUID = b"0123456789ABCDEF0123456789ABCDEF"


def extended_xmp(guid: bytes, packet: bytes) -> list[bytes]:
    """Extended XMP in two segments, the second one first, and the main packet that names it."""
    half = len(packet) // 2
    parts = [(half, packet[half:]), (0, packet[:half])]
    main = c.xmp([("http://ns.adobe.com/xmp/note/", "HasExtendedXMP", GUID.decode())])
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + len(packet).to_bytes(4, "big")
    return [
        c.jpeg_xmp(main),
        *(c.jpeg_segment(0xE1, head + at.to_bytes(4, "big") + part) for at, part in parts),
    ]


PHOTOSHOP_CREDIT = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x08\x1c\x02\x6e\0\x03abc"
RAW_PROFILE = "\nxmp\n    " + str(len(PACKET)) + "\n" + PACKET.hex() + "\n"
RAW_EXIF = "\nexif\n  99\n" + (b"Exif\0\0" + c.exif({0x010F: "Maker"})).hex()


@pytest.mark.parametrize(
    ("data", "place", "key", "value"),
    [
        pytest.param(c.mp4(udta=c.mdta({"AIGC": "{}"})), "mdta", "AIGC", "{}", id="mdta in udta"),
        pytest.param(c.mp4(moov=c.mdta({"k": "v"})), "mdta", "k", "v", id="mdta under moov"),
        pytest.param(c.mp4(moov=c.mdta({"k": "v"}, quicktime=True)), "mdta", "k", "v", id="QuickTime's plain meta"),
        pytest.param(c.mp4(top=c.mdta({"k": "v"})), "mdta", "k", "v", id="meta at the top"),
        pytest.param(c.mp4(udta=c.mdta({"a": "1", "b": "2", "ü": "3"})), "mdta", "ü", "3", id="the third key"),
        pytest.param(c.mp4(udta=c.mdir({b"\xa9too": "Lavf"})), "mdir", "©too", "Lavf", id="iTunes list"),
        pytest.param(c.mp4(moov=c.mdir({b"\0\0\0\1": "{}"}, quicktime=True)), "mdir", "0x00000001", "{}", id="no key"),
        pytest.param(c.mp4(udta=c.freeform("k", "v")), "mdir", "com.apple.iTunes:k", "v", id="freeform"),
        pytest.param(c.mp4(udta=c.box(b"\xa9cmt", b"\0\2\x55\xc4hi")), "qt:udta", "©cmt", "hi", id="QuickTime text"),
        pytest.param(c.mp4(udta=c.full(b"titl", b"\x55\xc4Hi\0")), "qt:udta", "titl", "Hi", id="3GPP title"),
        pytest.param(c.mp4(udta=c.box(b"XMP_", PACKET)), "xmp", SOURCE_TYPE, "x", id="QuickTime XMP"),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, PACKET)), "xmp", SOURCE_TYPE, "x", id="XMP uuid box"),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, AS_ATTRIBUTE)), "xmp", SOURCE_TYPE, "x", id="attribute"),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, STRUCTURED)), "xmp", SOURCE_TYPE, "y", id="rdf:resource"),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, STRUCTURED)), "xmp", f"{{{c.IPTC_EXT}}}Genre", "one", id="li"),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, STRUCTURED)), "xmp", f"{{{c.IPTC_EXT}}}Inner", "two", id="struct"),
        pytest.param(
            c.mp4(top=c.box(b"uuid", c.XMP_UUID, PACKET.decode().encode("utf-16"))), "xmp", SOURCE_TYPE, "x", id="UTF-16"
        ),
        pytest.param(c.mp4(top=c.box(b"uuid", c.XMP_UUID, PACKET + b"\0" * 9)), "xmp", SOURCE_TYPE, "x", id="padded"),
        pytest.param(c.mp4(), "hdlr", "vide", "VideoHandler", id="handler's name"),
        pytest.param(c.mp4(frame=c.KLING_FRAME), "sei", *KLING, id="SEI in mp4"),
        pytest.param(c.mp4(frame=c.KLING_FRAME, media_first=True), "sei", *KLING, id="SEI before moov"),
        pytest.param(c.mp4(frame=HEVC_FRAME, entry=b"hvc1", config=HVCC), "sei", *KLING, id="SEI in HEVC"),
        pytest.param(c.mp4(entry=b"hvc1", config=HVCC_WITH_SEI), "sei", *KLING, id="SEI in hvcC"),
        pytest.param(c.fragmented(frame=c.KLING_FRAME), "sei", *KLING, id="SEI in a fragment"),
        pytest.param(s.mkv(frame=c.KLING_FRAME), "sei", *KLING, id="SEI in mkv"),
        pytest.param(s.flv(frame=c.KLING_FRAME), "sei", *KLING, id="SEI in flv"),
        pytest.param(s.avi(frame=KLING_STREAM), "sei", *KLING, id="SEI in avi"),
        pytest.param(s.transport_stream(KLING_STREAM), "sei", *KLING, id="SEI in a transport stream"),
        pytest.param(KLING_STREAM, "sei", *KLING, id="SEI in a bare stream"),
        pytest.param(s.mkv(tags={"AIGC": "{}"}), "mkv:Tag", "AIGC", "{}", id="mkv tag"),
        pytest.param(s.mkv(tags={"AIGC": "{}"}, doc_type="webm", live=True), "mkv:Tag", "AIGC", "{}", id="live webm tag"),
        pytest.param(s.mkv(nested=s.simple_tag("A", "b", s.simple_tag("C", "d"))), "mkv:Tag", "C", "d", id="nested tag"),
        pytest.param(s.mkv(), "mkv:Info", "MuxingApp", "Lavf62.3.100", id="mkv writing program"),
        pytest.param(s.avi(info={b"AIGC": "{}"}), "riff:INFO", "AIGC", "{}", id="avi INFO"),
        pytest.param(s.avi(xmp=PACKET), "xmp", SOURCE_TYPE, "x", id="avi XMP"),
        pytest.param(s.flv(meta={"AIGC": "{}"}), "flv:onMetaData", "AIGC", "{}", id="flv metadata"),
        pytest.param(s.flv(meta={"AIGC": "x" * 70_000}), "flv:onMetaData", "AIGC", "x" * 70_000, id="flv long text"),
        pytest.param(s.flv(xmp=PACKET), "xmp", SOURCE_TYPE, "x", id="flv XMP"),
        pytest.param(s.ogg({"AIGC": "{}"}), "ogg:comment", "AIGC", "{}", id="ogg comment"),
        pytest.param(c.png(c.png_text("k", "v")), "png:tEXt", "k", "v", id="png tEXt"),
        pytest.param(c.png(c.png_text("k", "v", "zTXt")), "png:zTXt", "k", "v", id="png zTXt"),
        pytest.param(c.png(c.png_text("k", "ü", "iTXt")), "png:iTXt", "k", "ü", id="png iTXt"),
        pytest.param(c.png(c.png_chunk(b"comf", b"prompt\0{}"), frames=2), "png:comf", "prompt", "{}", id="ComfyUI apng"),
        pytest.param(c.png(c.png_text("XML:com.adobe.xmp", PACKET.decode(), "iTXt")), "xmp", SOURCE_TYPE, "x", id="png XMP"),
        pytest.param(c.png(c.png_text("Raw profile type xmp", RAW_PROFILE, "zTXt")), "xmp", SOURCE_TYPE, "x", id="raw XMP"),
        pytest.param(c.png(c.png_text("Raw profile type exif", RAW_EXIF, "zTXt")), "exif", "0x010f", "Maker", id="raw Exif"),
        pytest.param(c.png(c.png_chunk(b"eXIf", c.exif({0x010F: "Maker"}))), "exif", "0x010f", "Maker", id="png Exif"),
        pytest.param(c.jpeg(c.jpeg_exif({0x010F: "Maker"})), "exif", "0x010f", "Maker", id="jpeg Exif"),
        pytest.param(c.jpeg(c.jpeg_exif({0x010F: "Maker", 0x9286: "hello"})), "exif", "0x9286", "hello", id="comment"),
        pytest.param(
            c.jpeg(c.jpeg_exif({0x9286: b"UNICODE\0" + "hello".encode("utf-16-be")})), "exif", "0x9286", "hello", id="wide"
        ),
        pytest.param(
            c.jpeg(c.jpeg_exif({0x9286: b"UNICODE\0" + "hello".encode("utf-16-le")})), "exif", "0x9286", "hello", id="LE"
        ),
        pytest.param(c.jpeg(c.jpeg_exif({0x9286: b"no charset"})), "exif", "0x9286", "no charset", id="no charset"),
        pytest.param(c.jpeg(c.jpeg_xmp(PACKET)), "xmp", SOURCE_TYPE, "x", id="jpeg XMP"),
        pytest.param(c.jpeg(*extended_xmp(GUID, PACKET)), "xmp", SOURCE_TYPE, "x", id="extended XMP"),
        pytest.param(c.jpeg(c.jpeg_segment(0xFE, b"hi")), "jpeg:COM", "comment", "hi", id="jpeg comment"),
        pytest.param(c.jpeg(c.jpeg_segment(0xED, PHOTOSHOP_CREDIT)), "iptc", "2:110", "abc", id="IPTC credit"),
        pytest.param(c.jpeg(c.jpeg_segment(0xEB, b'AIGC{"a":1}')), "jpeg:APP", "AIGC", '{"a":1}', id="bare label"),
        pytest.param(c.webp(c.chunk(b"EXIF", c.exif({0x0110: "M"}))), "exif", "0x0110", "M", id="webp Exif"),
        pytest.param(c.webp(c.chunk(b"EXIF", b"Exif\0\0" + c.exif({0x0110: "M"}))), "exif", "0x0110", "M", id="prefixed"),
        pytest.param(c.webp(c.chunk(b"XMP ", PACKET)), "xmp", SOURCE_TYPE, "x", id="webp XMP"),
        pytest.param(c.gif(packet=PACKET), "xmp", SOURCE_TYPE, "x", id="gif XMP"),
        pytest.param(c.gif(comment=b"hi"), "gif:comment", "comment", "hi", id="gif comment"),
        pytest.param(c.exif({0x010F: "Maker"}, little=False), "exif", "0x010f", "Maker", id="tiff, big-endian"),
        pytest.param(c.exif({0x02BC: PACKET}), "xmp", SOURCE_TYPE, "x", id="tiff XMP"),
        pytest.param(
            c.heif(items={(b"Exif", b""): b"\0\0\0\6Exif\0\0" + c.exif({0x010F: "Maker"})}), "exif", "0x010f", "Maker", id="avif"
        ),
        pytest.param(
            c.heif(brand=b"heic", items={(b"mime", b"application/rdf+xml"): PACKET}), "xmp", SOURCE_TYPE, "x", id="heic XMP"
        ),
    ],
)  # fmt: skip
def test_a_tag_is_found_in_its_place(data: bytes, place: str, key: str, value: str) -> None:
    found = read_container(io.BytesIO(data), len(data))
    assert [tag.value for tag in found.tags if (tag.place, tag.key) == (place, key)] == [value]
    assert not found.problems


def test_extended_xmp_that_the_main_packet_does_not_name_is_left_alone() -> None:
    data = c.jpeg(*extended_xmp(b"F" * 32, PACKET))
    found = read_container(io.BytesIO(data), len(data))
    assert SOURCE_TYPE not in [tag.key for tag in found.tags]


def test_a_media_segment_is_searched_with_the_codec_of_its_initialisation_segment() -> None:
    data = c.fragmented(frame=c.KLING_FRAME, init=False)
    alone = read_container(io.BytesIO(data), len(data))
    assert not alone.tags
    assert "initialisation segment" in alone.problems[0]
    known = read_container(io.BytesIO(data), len(data), "h264")
    assert [(tag.key, tag.value) for tag in known.tags] == [KLING]


@pytest.mark.parametrize(
    ("payload", "codec"),
    [
        (b"text", "h264"),
        (b"\0\0\1\0\0\0\0\0\3", "h264"),  # needs emulation prevention
        (b"x" * 600, "h264"),  # needs three size bytes
        (b"\0\0\2", "hevc"),
        (b"", "h264"),
    ],
)
def test_user_data_comes_out_as_it_went_in(payload: bytes, codec: str) -> None:
    assert list(user_data(c.sei(c.KLING_UUID, payload, codec=codec), codec)) == [
        (c.KLING_UUID.hex(), payload)
    ]
