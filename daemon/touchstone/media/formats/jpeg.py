"""JPEG (ITU-T T.81): size, Exif, XMP with its extension, IPTC credit, comments."""

from __future__ import annotations

from ..container import Tag
from .bounded import MAX_VALUE, Malformed, Reading, take, text_of, unsigned
from .exif import tag_exif
from .xmp import HAS_EXTENDED, tag_xmp

SIGNATURE = b"\xff\xd8\xff"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
# XMP specification part 3, "JPEG": GUID, full length, offset, then a portion.
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
PHOTOSHOP = b"Photoshop 3.0\0"
IPTC_RESOURCE = 0x0404
CREDIT = (2, 110)  # IPTC IIM 4.2
AIGC = b"AIGC{"  # seen in files of ByteDance's services: the label's name glued to its JSON

STANDALONE = frozenset(range(0xD0, 0xD9)) | {0x01}
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SCAN, END, COMMENT, APP1, APP13 = 0xDA, 0xD9, 0xFE, 0xE1, 0xED


def read_jpeg(reading: Reading) -> None:
    """Read the segments before the first scan; what follows is picture data."""
    container = reading.container
    container.format, container.mime, container.codec = "jpeg", "image/jpeg", "mjpeg"
    extended: dict[bytes, dict[int, bytes]] = {}
    at = 2
    while at + 4 <= reading.size:
        reading.step()
        head = reading.bytes_at(at, 4)
        if len(head) < 4 or head[0] != 0xFF:
            break
        marker = head[1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in STANDALONE:
            at += 2
            continue
        if marker in (SCAN, END):
            break
        length = unsigned(head, 2, 2)
        payload = reading.bytes_at(at + 4, max(length - 2, 0))
        _read_segment(reading, marker, payload, extended)
        at += 2 + length if length >= 2 else 2
    _join_extended(reading, extended)
    if container.width is None:
        reading.problem("nothing_shown")


def _read_segment(
    reading: Reading, marker: int, payload: bytes, extended: dict[bytes, dict[int, bytes]]
) -> None:
    container = reading.container
    if marker in FRAME_HEADERS and container.width is None and len(payload) >= 5:
        container.height, container.width = unsigned(payload, 1, 2), unsigned(payload, 3, 2)
    elif marker == COMMENT:
        reading.text_tag("jpeg:COM", "comment", payload)
    elif marker == APP1 and payload.startswith(b"Exif\0"):
        tag_exif(reading, payload[6:])
    elif marker == APP1 and payload.startswith(XMP):
        tag_xmp(reading, payload[len(XMP) :])
    elif marker == APP1 and payload.startswith(EXTENDED_XMP):
        head = payload[len(EXTENDED_XMP) :]
        if len(head) > 40:
            parts = extended.setdefault(head[:32], {})
            if sum(map(len, parts.values())) <= MAX_VALUE:
                parts[unsigned(head, 36, 4)] = head[40:]
    elif marker == APP13 and payload.startswith(PHOTOSHOP):
        try:
            _read_resources(reading, payload[len(PHOTOSHOP) :])
        except Malformed as problem:
            reading.note(str(problem))
    elif 0xE0 <= marker <= 0xEF and payload.startswith(AIGC):
        reading.text_tag("jpeg:APP", "AIGC", payload[len(AIGC) - 1 :])


def _join_extended(reading: Reading, extended: dict[bytes, dict[int, bytes]]) -> None:
    """Extended XMP counts only where the main packet names its GUID."""
    named = {tag.value for tag in reading.container.tags if _names_extension(tag)}
    for guid, parts in extended.items():
        if text_of(guid) in named:
            tag_xmp(reading, b"".join(parts[offset] for offset in sorted(parts)))


def _names_extension(tag: Tag) -> bool:
    return tag.place == "xmp" and tag.key == HAS_EXTENDED


def _read_resources(reading: Reading, data: bytes) -> None:
    """Photoshop's image resources: signature, number, Pascal name, size, data, each padded to even."""
    at = 0
    while data[at : at + 4] == b"8BIM":
        reading.step()
        number, name = unsigned(data, at + 4, 2), unsigned(data, at + 6, 1)
        at += 6 + (name + 2) // 2 * 2
        size = unsigned(data, at, 4)
        if number == IPTC_RESOURCE:
            _read_iptc(reading, data[at + 4 : at + 4 + size])
        at += 4 + (size + 1) // 2 * 2


def _read_iptc(reading: Reading, data: bytes) -> None:
    """Records of IPTC IIM: 0x1C, record, data set, 16-bit size."""
    at = 0
    while data[at : at + 1] == b"\x1c":
        reading.step()
        record, dataset, size = (
            unsigned(data, at + 1, 1),
            unsigned(data, at + 2, 1),
            unsigned(data, at + 3, 2),
        )
        if size >= 0x8000:
            return  # extended data sets hold no text that is of interest
        if (record, dataset) == CREDIT:
            reading.text_tag("iptc", f"{record}:{dataset}", take(data, at + 5, size))
        at += 5 + size
