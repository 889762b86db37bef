"""Small files of every container that the readers know, built byte by byte.

Each builder takes the metadata that a test wants in its place and gives a whole file; the media data in it is
nothing but a first access unit.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

WIDTH, HEIGHT, FPS, FRAMES = 320, 240, 25, 50
KLING_UUID = bytes.fromhex("91ca60614aee385486142d5f73f4ae2e")
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
XAP = "http://ns.adobe.com/xap/1.0/"

Properties = Iterable[tuple[str, str, str]]  # namespace, name, value


def xmp(properties: Properties, *, attributes: bool = False, prefix: str = "p") -> bytes:
    """An XMP packet with simple properties, as elements or as attributes."""
    listed = list(properties)
    spaces = {
        namespace: f"{prefix}{n}" for n, namespace in enumerate(dict.fromkeys(ns for ns, _, _ in listed))
    }
    declared = "".join(f" xmlns:{name}={quoteattr(ns)}" for ns, name in spaces.items())
    inline = (
        "".join(f" {spaces[ns]}:{name}={quoteattr(value)}" for ns, name, value in listed)
        if attributes
        else ""
    )
    inner = (
        "".join(f"<{spaces[ns]}:{n}>{escape(v)}</{spaces[ns]}:{n}>" for ns, n, v in listed)
        if not attributes
        else ""
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{declared}{inline}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def exif(fields: Mapping[int, str | bytes], *, little: bool = True) -> bytes:
    """A TIFF structure with ASCII fields; UserComment (0x9286) goes into its own directory."""
    order = "<" if little else ">"
    first = {k: v for k, v in fields.items() if k != 0x9286}
    comment = fields.get(0x9286)
    entries: list[tuple[int, int, bytes]] = [(k, 2, _ascii(v)) for k, v in sorted(first.items())]
    out = (b"II*\0" if little else b"MM\0*") + struct.pack(order + "I", 8)
    if comment is not None:
        size = 2 + 12 * (len(entries) + 1) + 4
        spill = sum(len(v) for _, _, v in entries if len(v) > 4)
        entries.append((0x8769, 4, struct.pack(order + "I", 8 + size + spill)))
        out += _directory(sorted(entries), 8, order)
        value = comment if isinstance(comment, bytes) else b"ASCII\0\0\0" + comment.encode()
        return out + _directory([(0x9286, 7, value)], len(out), order)
    return out + _directory(entries, 8, order)


def _ascii(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode() + b"\0"


def _directory(entries: list[tuple[int, int, bytes]], at: int, order: str) -> bytes:
    table, spill = struct.pack(order + "H", len(entries)), b""
    beyond = at + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        count = len(value) // {4: 4}.get(kind, 1)
        table += struct.pack(order + "HHI", tag, kind, count)
        if len(value) <= 4:
            table += value.ljust(4, b"\0")
        else:
            table += struct.pack(order + "I", beyond + len(spill))
            spill += value
    return table + struct.pack(order + "I", 0) + spill


# --- H.264 ------------------------------------------------------------------------------------------


def sei(uuid: bytes, payload: bytes, *, codec: str = "h264") -> bytes:
    """An SEI NAL unit with one user_data_unregistered message."""
    body = uuid + payload
    size = b"\xff" * (len(body) // 255) + bytes([len(body) % 255])
    raw = b"\x05" + size + body + b"\x80"
    return (b"\x06" if codec == "h264" else b"\x4e\x01") + _escaped(raw)


def _escaped(raw: bytes) -> bytes:
    """Emulation prevention (H.264 clause 7.4.1): 03 between two zero bytes and a byte of at most 3."""
    out, zeros = bytearray(), 0
    for byte in raw:
        if zeros == 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(out)


def prefixed(*nal_units: bytes) -> bytes:
    """NAL units as MP4 keeps them, each behind its 32-bit length."""
    return b"".join(struct.pack(">I", len(n)) + n for n in nal_units)


def byte_stream(*nal_units: bytes) -> bytes:
    """NAL units as a byte stream."""
    return b"".join(b"\0\0\0\1" + n for n in nal_units)


SLICE = b"\x65\x88\x84\x21\xa0\x11\x22\x33"
AVCC = b"\x01\x64\x00\x1f\xff\xe0\x00"
FRAME = prefixed(b"\x09\x10", SLICE)
KLING_FRAME = prefixed(b"\x09\x10", sei(KLING_UUID, b"kling-ai\0"), SLICE)


# --- ISO base media -----------------------------------------------------------------------------------


def box(kind: bytes, *payload: bytes) -> bytes:
    """A box; its size is worked out."""
    body = b"".join(payload)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, *payload: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A FullBox."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def data_atom(value: bytes, kind: int = 1) -> bytes:
    """A `data` atom of an item list: 1 is UTF-8."""
    return box(b"data", struct.pack(">II", kind, 0), value)


def handler(kind: bytes, name: bytes = b"") -> bytes:
    """A `hdlr` box."""
    return full(b"hdlr", b"\0" * 4 + kind + b"\0" * 12 + name + b"\0")


def mdta(tags: Mapping[str, str], *, quicktime: bool = False) -> bytes:
    """A `meta` box with a key table, as FFmpeg's use_metadata_tags writes it, or QuickTime's plain form."""
    keys = b"".join(box(b"mdta", key.encode()) for key in tags)
    items = b"".join(
        box(struct.pack(">I", n), data_atom(value.encode())) for n, value in enumerate(tags.values(), start=1)
    )
    children = handler(b"mdta") + full(b"keys", struct.pack(">I", len(tags)), keys) + box(b"ilst", items)
    return box(b"meta", children) if quicktime else full(b"meta", children)


def mdir(items: Mapping[bytes, str], *, quicktime: bool = False) -> bytes:
    """A `meta` box with an iTunes list, which has no key table."""
    listed = b"".join(box(kind, data_atom(value.encode())) for kind, value in items.items())
    children = handler(b"mdir") + box(b"ilst", listed)
    return box(b"meta", children) if quicktime else full(b"meta", children)


def freeform(name: str, value: str) -> bytes:
    """A `----` item of an iTunes list, in a `meta` box."""
    item = box(
        b"----", full(b"mean", b"com.apple.iTunes"), full(b"name", name.encode()), data_atom(value.encode())
    )
    return full(b"meta", handler(b"mdir"), box(b"ilst", item))


def mp4(
    *,
    udta: bytes = b"",
    moov: bytes = b"",
    top: bytes = b"",
    frame: bytes = FRAME,
    brand: bytes = b"isom",
    entry: bytes = b"avc1",
    config: bytes = b"",
    kind: bytes = b"vide",
    media_first: bool = False,
) -> bytes:
    """An MP4 with one track; `udta`, `moov` and `top` are put inside those."""
    start = box(b"ftyp", brand, b"\0\0\2\0", b"isommp42")
    config = config or box(b"avcC", AVCC)

    def movie(offset: int) -> bytes:
        described = box(
            entry, b"\0" * 6 + b"\0\1" + b"\0" * 16, struct.pack(">HH", WIDTH, HEIGHT), b"\0" * 50, config
        )
        table = box(
            b"stbl",
            full(b"stsd", struct.pack(">I", 1), described),
            full(b"stts", struct.pack(">III", 1, FRAMES, 1000 // FPS)),
            full(b"stsc", struct.pack(">IIII", 1, 1, FRAMES, 1)),
            full(
                b"stsz",
                struct.pack(">II", 0, FRAMES),
                struct.pack(">I", len(frame)),
                b"\0\0\0\4" * (FRAMES - 1),
            ),
            full(b"stco", struct.pack(">II", 1, offset)),
        )
        clock = struct.pack(">IIII", 0, 0, 1000, FRAMES * 1000 // FPS)
        head = full(
            b"tkhd",
            struct.pack(">IIII", 0, 0, 1, 0),
            b"\0" * 56,
            struct.pack(">II", WIDTH << 16, HEIGHT << 16),
        )
        track = box(
            b"trak",
            head,
            box(
                b"mdia", full(b"mdhd", clock, b"\0" * 4), handler(kind, b"VideoHandler"), box(b"minf", table)
            ),
        )
        inside = box(b"udta", udta) if udta else b""
        return box(b"moov", full(b"mvhd", clock, b"\0" * 80), track, inside, moov)

    media = box(b"mdat", frame, b"\0" * 16)
    if media_first:
        return start + media + movie(len(start) + 8) + top
    return start + movie(len(start) + len(movie(0)) + len(top) + 8) + top + media


def fragmented(*, frame: bytes = FRAME, udta: bytes = b"", init: bool = True) -> bytes:
    """A fragmented MP4, or with `init` false the media segment alone."""
    start = box(b"ftyp", b"iso5", b"\0\0\2\0", b"iso5dash")
    described = box(
        b"avc1",
        b"\0" * 6 + b"\0\1" + b"\0" * 16,
        struct.pack(">HH", WIDTH, HEIGHT),
        b"\0" * 50,
        box(b"avcC", AVCC),
    )
    clock = struct.pack(">IIII", 0, 0, 1000, 0)
    movie = box(
        b"moov",
        full(b"mvhd", clock, b"\0" * 80),
        box(
            b"trak",
            full(b"tkhd", struct.pack(">IIII", 0, 0, 1, 0), b"\0" * 64),
            box(
                b"mdia",
                full(b"mdhd", clock, b"\0" * 4),
                handler(b"vide"),
                box(b"minf", box(b"stbl", full(b"stsd", struct.pack(">I", 1), described))),
            ),
        ),
        box(b"mvex", full(b"trex", struct.pack(">IIIII", 1, 1, 1000 // FPS, 4, 0))),
        box(b"udta", udta) if udta else b"",
    )

    def fragment(offset: int) -> bytes:
        run = struct.pack(">Ii", FRAMES, offset) + struct.pack(">I", len(frame)) + b"\0\0\0\4" * (FRAMES - 1)
        return box(
            b"moof",
            full(b"mfhd", struct.pack(">I", 1)),
            box(
                b"traf",
                full(b"tfhd", struct.pack(">I", 1), flags=0x020000),
                full(b"trun", run, flags=0x000201),
            ),
        )

    segment = fragment(len(fragment(0)) + 8) + box(b"mdat", frame, b"\0" * 16)
    return start + movie + segment if init else box(b"styp", b"msdh", b"\0" * 4, b"msdhmsix") + segment


def heif(*, brand: bytes = b"avif", items: Mapping[tuple[bytes, bytes], bytes] | None = None) -> bytes:
    """A still picture with metadata items: (type, MIME type) to payload."""
    listed = [((b"av01" if brand == b"avif" else b"hvc1", b""), b"\0" * 8), *(items or {}).items()]
    start = box(b"ftyp", brand, b"\0" * 4, b"mif1", brand)
    infos = b"".join(
        full(b"infe", struct.pack(">HH", n, 0), kind, b"\0", mime + b"\0" if mime else b"", version=2)
        for n, ((kind, mime), _) in enumerate(listed, start=1)
    )
    properties = box(
        b"iprp",
        box(b"ipco", full(b"ispe", struct.pack(">II", WIDTH, HEIGHT))),
        full(b"ipma", struct.pack(">IHB", 1, 1, 1), b"\x81"),
    )

    def meta(offset: int) -> bytes:
        places, at = b"", offset
        for n, (_, payload) in enumerate(listed, start=1):
            places += struct.pack(">HHHII", n, 0, 1, at, len(payload))
            at += len(payload)
        return full(
            b"meta",
            handler(b"pict"),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", b"\x44\x00", struct.pack(">H", len(listed)), places),
            full(b"iinf", struct.pack(">H", len(listed)), infos),
            properties,
        )

    head = start + meta(len(start) + len(meta(0)) + 8)
    return head + box(b"mdat", *(payload for _, payload in listed))


# --- pictures -----------------------------------------------------------------------------------------


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_text(key: str, value: str, kind: str = "tEXt") -> bytes:
    """A text chunk of one of the three kinds."""
    name = key.encode("latin-1") + b"\0"
    body = {
        "tEXt": lambda: name + value.encode(),
        "zTXt": lambda: name + b"\0" + zlib.compress(value.encode()),
        "iTXt": lambda: name + b"\0\0\0\0" + value.encode(),
    }[kind]()
    return png_chunk(kind.encode(), body)


def png(*chunks: bytes, frames: int = 1) -> bytes:
    """A PNG; with several frames an APNG at 10 frames a second."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
    moving = b""
    if frames > 1:
        moving = png_chunk(b"acTL", struct.pack(">II", frames, 0))
        control = struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
        moving += png_chunk(b"fcTL", control) * frames
    data = png_chunk(b"IDAT", zlib.compress(b"\0" * 8))
    return b"\x89PNG\r\n\x1a\n" + head + moving + b"".join(chunks) + data + png_chunk(b"IEND", b"")


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    """A JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def jpeg(*segments: bytes) -> bytes:
    """A JPEG's headers and the beginning of its scan."""
    frame = jpeg_segment(0xC0, struct.pack(">BHHB", 8, HEIGHT, WIDTH, 1) + b"\1\x11\0")
    scan = jpeg_segment(0xDA, b"\1\1\0\0\x3f\0")
    return b"\xff\xd8" + b"".join(segments) + frame + scan + b"\0" * 8 + b"\xff\xd9"


def jpeg_exif(fields: Mapping[int, str | bytes]) -> bytes:
    """An Exif segment."""
    return jpeg_segment(0xE1, b"Exif\0\0" + exif(fields))


def jpeg_xmp(packet: bytes) -> bytes:
    """An XMP segment."""
    return jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def chunk(name: bytes, payload: bytes, kind: bytes = b"") -> bytes:
    """A RIFF chunk, padded to even; with `kind` a list."""
    body = kind + payload
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def webp(*extra: bytes, frames: int = 1) -> bytes:
    """A WebP; with several frames an animation at 10 frames a second."""
    size = struct.pack("<I", WIDTH - 1)[:3] + struct.pack("<I", HEIGHT - 1)[:3]
    frame = chunk(b"ANMF", b"\0" * 6 + size + struct.pack("<I", 100)[:3] + b"\0") if frames > 1 else b""
    return chunk(b"RIFF", chunk(b"VP8X", b"\x1e\0\0\0" + size) + frame * frames + b"".join(extra), b"WEBP")


def gif(*, comment: bytes = b"", packet: bytes = b"", frames: int = 2) -> bytes:
    """An animated GIF at 10 frames a second."""
    out = b"GIF89a" + struct.pack("<HHBBB", WIDTH, HEIGHT, 0x80, 0, 0) + b"\0" * 6
    if comment:
        out += b"\x21\xfe" + bytes([len(comment)]) + comment + b"\0"
    if packet:
        out += b"\x21\xff\x0bXMP DataXMP" + packet + b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    image = b"\x2c" + struct.pack("<HHHHB", 0, 0, WIDTH, HEIGHT, 0) + b"\2\3abc\0"
    return out + (b"\x21\xf9\4\0" + struct.pack("<H", 10) + b"\0\0" + image) * frames + b"\x3b"
