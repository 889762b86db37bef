"""Small AVI, Matroska, FLV, Ogg and MPEG files, built byte by byte; the rest is in `containers`."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from containers import AVCC, FPS, FRAME, FRAMES, HEIGHT, SLICE, WIDTH, byte_stream, chunk

# --- AVI ----------------------------------------------------------------------------------------------


def avi(
    *,
    info: Mapping[bytes, str] | None = None,
    xmp: bytes = b"",
    frame: bytes | None = None,
    fourcc: bytes = b"H264",
) -> bytes:
    """An AVI with one stream."""
    main = struct.pack("<14I", 1_000_000 // FPS, 0, 0, 0, FRAMES, 0, 1, 0, WIDTH, HEIGHT, 0, 0, 0, 0)
    stream = b"vids" + fourcc + struct.pack("<10I", 0, 0, 0, 1, FPS, 0, FRAMES, 0, 0, 0) + b"\0" * 8
    picture = struct.pack("<IiiHH", 40, WIDTH, HEIGHT, 1, 24) + fourcc + b"\0" * 20
    headers = chunk(b"avih", main) + chunk(b"LIST", chunk(b"strh", stream) + chunk(b"strf", picture), b"strl")
    entries = b"".join(chunk(key, value.encode() + b"\0") for key, value in (info or {}).items())
    body = chunk(b"LIST", headers, b"hdrl")
    body += chunk(b"LIST", entries, b"INFO") if entries else b""
    body += chunk(b"LIST", chunk(b"00dc", frame or byte_stream(b"\x67\x64", SLICE)), b"movi")
    body += chunk(b"_PMX", xmp) if xmp else b""
    return chunk(b"RIFF", body, b"AVI ")


# --- Matroska -----------------------------------------------------------------------------------------


def element(number: int, payload: bytes, *, unknown_size: bool = False) -> bytes:
    """An EBML element with an eight-byte size."""
    size = b"\x01" + b"\xff" * 7 if unknown_size else (1 << 56 | len(payload)).to_bytes(8, "big")
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + size + payload


def simple_tag(name: str, value: str, *inside: bytes) -> bytes:
    """A SimpleTag, perhaps with others in it."""
    return element(
        0x67C8, element(0x45A3, name.encode()) + element(0x4487, value.encode()) + b"".join(inside)
    )


def mkv(
    *,
    tags: Mapping[str, str] | None = None,
    nested: bytes = b"",
    doc_type: str = "matroska",
    codec: str = "V_MPEG4/ISO/AVC",
    frame: bytes = FRAME,
    live: bool = False,
) -> bytes:
    """A Matroska or WebM file; `live` as a browser records it: no duration, no rate, no sizes."""
    head = element(0x1A45DFA3, element(0x4282, doc_type.encode()))
    info = element(0x2AD7B1, (1_000_000).to_bytes(3, "big")) + element(0x4D80, b"Lavf62.3.100")
    if not live:
        info += element(0x4489, struct.pack(">d", FRAMES * 1000 / FPS))
    track = element(0xD7, b"\1") + element(0x83, b"\1") + element(0x86, codec.encode())
    track += element(0x63A2, AVCC) if "AVC" in codec else b""
    track += b"" if live else element(0x23E383, (10**9 // FPS).to_bytes(4, "big"))
    track += element(0xE0, element(0xB0, WIDTH.to_bytes(2, "big")) + element(0xBA, HEIGHT.to_bytes(2, "big")))
    blocks = b"".join(
        element(
            0xA3,
            b"\x81" + struct.pack(">h", n * 1000 // FPS) + b"\x80" + (frame if n == 0 else b"\0\0\0\1\x41"),
        )
        for n in range(FRAMES if live else 2)
    )
    cluster = element(0x1F43B675, element(0xE7, b"\0") + blocks, unknown_size=live)
    written = b"".join(simple_tag(name, value) for name, value in (tags or {}).items()) + nested
    listed = element(0x1254C367, element(0x7373, written)) if written else b""
    body = element(0x1549A966, info) + element(0x1654AE6B, element(0xAE, track)) + listed + cluster
    return head + element(0x18538067, body, unknown_size=live)


# --- FLV ----------------------------------------------------------------------------------------------


def amf(value: object) -> bytes:
    """A value in AMF0."""
    if isinstance(value, dict):
        return b"\x08" + struct.pack(">I", len(value)) + _members(value)
    if isinstance(value, str):
        raw = value.encode()
        return (
            b"\x02" + struct.pack(">H", len(raw)) + raw
            if len(raw) < 65536
            else b"\x0c" + struct.pack(">I", len(raw)) + raw
        )
    return b"\x00" + struct.pack(">d", float(value))  # type: ignore[arg-type]


def _members(value: dict[str, object]) -> bytes:
    return (
        b"".join(struct.pack(">H", len(k.encode())) + k.encode() + amf(v) for k, v in value.items())
        + b"\0\0\x09"
    )


def flv_tag(kind: int, payload: bytes, time: int = 0) -> bytes:
    """An FLV tag and the length behind it."""
    head = bytes([kind]) + struct.pack(">I", len(payload))[1:] + struct.pack(">I", time)[1:] + b"\0\0\0\0"
    return head + payload + struct.pack(">I", 11 + len(payload))


def flv(*, meta: Mapping[str, object] | None = None, xmp: bytes = b"", frame: bytes = FRAME) -> bytes:
    """An FLV with one H.264 stream."""
    known = {"width": WIDTH, "height": HEIGHT, "framerate": FPS, "duration": FRAMES / FPS, **(meta or {})}
    out = b"FLV\x01\x01" + struct.pack(">II", 9, 0) + flv_tag(18, amf("onMetaData") + amf(known))
    if xmp:
        out += flv_tag(18, amf("onXMPData") + amf({"liveXML": xmp.decode()}))
    out += flv_tag(9, b"\x17\0\0\0\0" + AVCC) + flv_tag(9, b"\x17\1\0\0\0" + frame)
    return out + flv_tag(9, b"\x27\1\0\0\0\0\0\0\1\x41", FRAMES * 1000 // FPS)


# --- Ogg ----------------------------------------------------------------------------------------------


def _page(flags: int, granule: int, sequence: int, packet: bytes) -> bytes:
    lacing = b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
    head = b"OggS\0" + bytes([flags]) + struct.pack("<QIII", granule, 7, sequence, 0)
    return head + bytes([len(lacing)]) + lacing + packet


def ogg(comments: Mapping[str, str] | None = None) -> bytes:
    """An Ogg file with one Theora stream; keyframes every 64 frames."""
    sized = (
        struct.pack(">HH", WIDTH // 16, HEIGHT // 16) + WIDTH.to_bytes(3, "big") + HEIGHT.to_bytes(3, "big")
    )
    head = (
        b"\x80theora\3\2\1"
        + sized
        + b"\0\0"
        + struct.pack(">II", FPS, 1)
        + b"\0" * 10
        + struct.pack(">H", 6 << 5)
    )
    listed = [f"{key}={value}".encode() for key, value in (comments or {}).items()]
    texts = struct.pack("<I", len(listed)) + b"".join(struct.pack("<I", len(t)) + t for t in listed)
    pages = _page(2, 0, 0, head) + _page(0, 0, 1, b"\x81theora" + struct.pack("<I", 4) + b"test" + texts)
    return pages + _page(4, 1 << 6 | (FRAMES - 1), 2, b"\0" * 20)


# --- MPEG ---------------------------------------------------------------------------------------------


def mpeg_sequence() -> bytes:
    """A bare MPEG-2 video stream: a sequence header (25 frames a second) and its extension."""
    return (
        b"\0\0\1\xb3"
        + (WIDTH << 12 | HEIGHT).to_bytes(3, "big")
        + b"\x13\xff\xff\xe0\x18"
        + b"\0\0\1\xb5\x14\x8a\0\1\0\0"
    )


def program_stream() -> bytes:
    """A program stream's first pack with a sequence header in it."""
    return b"\0\0\1\xba" + b"\x44\0\4\0\4\1\x89\xc3\xf8" + mpeg_sequence()


def transport_stream(frame: bytes) -> bytes:
    """A transport stream: tables, then one H.264 access unit as a PES packet."""

    def packet(number: int, payload: bytes, *, begins: bool, counter: int = 0) -> bytes:
        head = struct.pack(">BHB", 0x47, (0x4000 if begins else 0) | number, 0x10 | counter)
        return (head + payload).ljust(188, b"\xff")

    def section(table: int, body: bytes) -> bytes:
        return b"\0" + bytes([table]) + struct.pack(">H", 0xB000 | len(body) + 4) + body + b"\0" * 4

    programs = section(0, b"\0\1\xc1\0\0" + struct.pack(">HH", 1, 0xE000 | 0x100))
    streams = section(2, b"\0\1\xc1\0\0\xe1\0\xf0\0" + struct.pack(">BHH", 0x1B, 0xE000 | 0x101, 0xF000))
    out = packet(0, programs, begins=True) + packet(0x100, streams, begins=True)
    unit = b"\0\0\1\xe0\0\0\x80\0\0" + frame
    for at in range(0, len(unit), 184):
        out += packet(0x101, unit[at : at + 184], begins=at == 0, counter=at // 184 & 15)
    return out + packet(0x101, b"\0\0\1\xe0\0\0\x80\0\0", begins=True)
