"""Still pictures in ISO base media files (HEIF, ISO/IEC 23008-12): the primary item's size and codec, and the
Exif and XMP items beside it."""

from __future__ import annotations

from dataclasses import dataclass

from .bounded import MAX_VALUE, Malformed, Reading, unsigned
from .exif import tag_exif
from .isobmff_boxes import Box, boxes, full, leaf
from .isobmff_tags import meta_children
from .xmp import tag_xmp

MAX_ITEMS = 4096
MAX_EXTENTS = 64  # of one metadata item
XMP_MIME = b"application/rdf+xml"
CODEC_OF = {b"hvc1": "hevc", b"av01": "av1", b"avc1": "h264", b"jpeg": "mjpeg", b"vvc1": "vvc"}


@dataclass
class _Item:
    kind: bytes = b""
    mime: bytes = b""
    method: int = 0
    extents: tuple[tuple[int, int], ...] = ()


def read_items(reading: Reading, box: Box) -> bool:
    """Read a `meta` box that describes pictures. Returns whether it does."""
    primary, items, sizes, links, inline = (
        0,
        dict[int, _Item](),
        list[tuple[int, int]](),
        dict[int, list[int]](),
        0,
    )
    handler = b""
    for child in boxes(reading, meta_children(reading, box), box.end):
        try:
            match child.kind:
                case b"hdlr":
                    handler = leaf(reading, child, 12)[8:12]
                case b"pitm":
                    payload = leaf(reading, child, 16)
                    primary = unsigned(payload, 4, 4 if full(payload)[0] else 2)
                case b"iinf":
                    _read_infos(reading, child, items)
                case b"iloc":
                    _read_locations(leaf(reading, child), items)
                case b"iprp":
                    sizes, links = _read_properties(reading, child)
                case b"idat":
                    inline = child.start
                case _:
                    pass
        except Malformed as problem:
            reading.note(str(problem))
    if handler != b"pict":
        return False
    _fill(reading, items, primary, sizes, links)
    for item in items.values():
        if item.kind == b"Exif":
            payload = _payload(reading, item, inline)
            # Four bytes say where the TIFF header begins (clause A.2.1).
            start = 4 + int.from_bytes(payload[:4], "big")
            if len(payload) > 4:
                tag_exif(reading, payload[start:] if start < len(payload) else payload[4:])
        elif item.kind == b"mime" and item.mime == XMP_MIME:
            tag_xmp(reading, _payload(reading, item, inline))
    return True


def _fill(
    reading: Reading,
    items: dict[int, _Item],
    primary: int,
    sizes: list[tuple[int, int]],
    links: dict[int, list[int]],
) -> None:
    container = reading.container
    own = [sizes[index - 1] for index in links.get(primary, []) if 1 <= index <= len(sizes)]
    known = [s for s in (own or sizes) if s[0]]
    if known:
        container.width, container.height = max(known, key=lambda s: s[0] * s[1])
    kinds = [items[primary].kind] if primary in items else []
    kinds += [item.kind for item in items.values()]  # a grid is made of coded tiles
    container.codec = next((CODEC_OF[k] for k in kinds if k in CODEC_OF), None)


def _payload(reading: Reading, item: _Item, inline: int) -> bytes:
    if item.method not in (0, 1) or (item.method == 1 and not inline):
        return b""
    base = inline if item.method == 1 else 0
    parts, left = [], MAX_VALUE
    for offset, length in item.extents[:MAX_EXTENTS]:
        parts.append(reading.bytes_at(base + offset, min(length or left, left)))
        left -= len(parts[-1])
    return b"".join(parts)


def _read_infos(reading: Reading, box: Box, items: dict[int, _Item]) -> None:
    start = box.start + (8 if full(leaf(reading, box, 8))[0] else 6)
    for child in boxes(reading, start, box.end):
        if child.kind != b"infe" or len(items) >= MAX_ITEMS:
            continue
        payload = leaf(reading, child, 512)
        version = full(payload)[0]
        if version < 2:
            continue
        wide = 4 if version == 3 else 2
        number = unsigned(payload, 4, wide)
        item = items.setdefault(number, _Item())
        item.kind = payload[6 + wide : 10 + wide]
        if item.kind == b"mime":
            item.mime = payload[10 + wide :].split(b"\0", 2)[1] if b"\0" in payload[10 + wide :] else b""


def _read_locations(payload: bytes, items: dict[int, _Item]) -> None:
    """`iloc` (ISO/IEC 14496-12 clause 8.11.3)."""
    version = full(payload)[0]
    sizes = unsigned(payload, 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    count, at = unsigned(payload, 6, wide), 6 + wide
    for _ in range(min(count, MAX_ITEMS)):
        item = items.setdefault(unsigned(payload, at, wide), _Item())
        at += wide
        if version in (1, 2):
            item.method = unsigned(payload, at, 2) & 15
            at += 2
        at += 2  # data reference: 0 is this file
        base, at = unsigned(payload, at, base_size), at + base_size
        extents: list[tuple[int, int]] = []
        number, at = unsigned(payload, at, 2), at + 2
        kept = min(number, MAX_EXTENTS)
        for _ in range(kept):
            at += index_size
            offset, at = unsigned(payload, at, offset_size), at + offset_size
            length, at = unsigned(payload, at, length_size), at + length_size
            extents.append((base + offset, length))
        # Passed over in one step: extents may be of no size at all, and there can be 2^32 of those.
        at += (number - kept) * (index_size + offset_size + length_size)
        item.extents = tuple(extents)


def _read_properties(reading: Reading, box: Box) -> tuple[list[tuple[int, int]], dict[int, list[int]]]:
    """Sizes by property number (0, 0 for properties of other kinds), and property numbers by item."""
    sizes: list[tuple[int, int]] = []
    links: dict[int, list[int]] = {}
    for child in boxes(reading, box.start, box.end):
        if child.kind == b"ipco":
            for entry in boxes(reading, child.start, child.end):
                payload = leaf(reading, entry, 12) if entry.kind == b"ispe" else b""
                sizes.append((unsigned(payload, 4, 4), unsigned(payload, 8, 4)) if payload else (0, 0))
        elif child.kind == b"ipma":
            payload = leaf(reading, child)
            version, flags = full(payload)
            wide, at = 4 if version else 2, 8
            for _ in range(min(unsigned(payload, 4, 4), MAX_ITEMS)):
                number, count, at = (
                    unsigned(payload, at, wide),
                    unsigned(payload, at + wide, 1),
                    at + wide + 1,
                )
                step = 2 if flags & 1 else 1
                mask = 0x7FFF if flags & 1 else 0x7F
                links[number] = [unsigned(payload, at + step * i, step) & mask for i in range(count)]
                at += step * count
    return sizes, links
