"""Metadata boxes of ISO base media files: `meta` with keys and item lists, QuickTime user data, XMP.

Sources: Apple QuickTime File Format, "Metadata" (hdlr `mdta`, keys, ilst, well-known data types) and "User
Data Atoms"; the iTunes list that FFmpeg and iOS write (hdlr `mdir`); ISO/IEC 14496-12 (FullBox `meta`);
3GPP TS 26.244 clause 8 (asset information).
"""

from __future__ import annotations

from .bounded import MAX_VALUE, Malformed, Reading, take, text_of, unsigned
from .isobmff_boxes import Box, boxes, leaf
from .xmp import MAX_PACKET, tag_xmp

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP specification part 3, "MPEG-4"
MAX_KEYS = 4096
META_CHILDREN = (b"hdlr", b"keys", b"ilst", b"free", b"iinf", b"iloc", b"pitm", b"idat", b"iprp", b"xml ")
# Well-known types of a `data` atom (QuickTime File Format, table 3-5).
IMPLICIT, UTF8, UTF16, UTF8_SORT, UTF16_SORT = 0, 1, 2, 4, 5
ASSET_STRINGS = frozenset({b"titl", b"auth", b"dscp", b"cprt", b"perf", b"gnre", b"albm"})


def meta_children(reading: Reading, box: Box) -> int:
    """Where the children of a `meta` box begin: ISO writes it as a FullBox, QuickTime as a plain one."""
    head = reading.bytes_at(box.start, 12)
    return box.start if head[4:8] in META_CHILDREN else box.start + 4


def read_meta(reading: Reading, box: Box) -> None:
    """Tags of a `meta` box: place `mdta` by its key table; without one `mdir` and the item's own name."""
    handler, keys, lists = b"", list[str](), list[Box]()
    for child in boxes(reading, meta_children(reading, box), box.end):
        if child.kind == b"hdlr":
            handler = leaf(reading, child, 12)[8:12]
        elif child.kind == b"keys":
            keys = _keys(reading, child)
        elif child.kind == b"ilst":
            lists.append(child)
        elif child.kind == b"uuid":
            read_uuid(reading, child)
    for item_list in lists:
        for item in boxes(reading, item_list.start, item_list.end):
            _read_item(reading, item, keys if keys or handler == b"mdta" else None)


def _keys(reading: Reading, box: Box) -> list[str]:
    table = leaf(reading, box)
    names: list[str] = []
    at = 8
    try:
        for _ in range(min(unsigned(table, 4, 4), MAX_KEYS)):
            reading.step()
            size = unsigned(table, at, 4)
            if size < 8:
                break
            names.append(text_of(take(table, at + 8, size - 8)))
            at += size
    except Malformed:
        reading.problem("keys_broken")
    return names


def _read_item(reading: Reading, item: Box, keys: list[str] | None) -> None:
    """One entry of an item list; a freeform one (`----`) is named by its `mean` and `name` boxes."""
    key = item.kind.decode("latin-1")
    place = "mdir"
    if keys is not None:
        index = int.from_bytes(item.kind, "big")
        if not 1 <= index <= len(keys):
            return
        place, key = "mdta", keys[index - 1]
    elif not key.isprintable():
        key = f"0x{item.kind.hex()}"
    mean = name = ""
    for child in boxes(reading, item.start, item.end):
        if child.kind == b"mean":
            mean = text_of(leaf(reading, child, 1024)[4:])
        elif child.kind == b"name":
            name = text_of(leaf(reading, child, 1024)[4:])
        elif child.kind == b"data":
            _read_data(reading, child, place, f"{mean}:{name}" if name and place == "mdir" else key)


def _read_data(reading: Reading, box: Box, place: str, key: str) -> None:
    if box.size > MAX_VALUE + 8:
        reading.problem("tag_too_large", place=place, key=key[:80])
        return
    payload = reading.bytes_at(box.start, box.size)
    if len(payload) <= 8:
        return
    kind, value = unsigned(payload, 1, 3), payload[8:]
    if kind in (UTF16, UTF16_SORT):
        marked = value[:2] in (b"\xff\xfe", b"\xfe\xff")
        reading.text_tag(place, key, value if marked else b"\xfe\xff" + value)
    elif kind in (UTF8, UTF8_SORT):
        reading.text_tag(place, key, value)
    elif kind == IMPLICIT:
        # The format leaves the type to the key; text is what decodes as text.
        try:
            reading.tag(place, key, value.decode("utf-8").rstrip("\0"))
        except UnicodeDecodeError:
            reading.tag(place, key, value)
    # Numbers and pictures say nothing about origin.


def read_user_data(reading: Reading, box: Box) -> None:
    """Tags of a `udta` box: QuickTime strings, 3GPP asset information, XMP and a nested `meta`."""
    for child in boxes(reading, box.start, box.end):
        if child.kind == b"meta":
            read_meta(reading, child)
        elif child.kind == b"XMP_":
            tag_xmp(reading, leaf(reading, child, MAX_PACKET))
        elif child.kind == b"uuid":
            read_uuid(reading, child)
        elif child.kind[:1] == b"\xa9":
            _read_strings(reading, child)
        elif child.kind in ASSET_STRINGS:
            reading.text_tag("qt:udta", child.kind.decode(), leaf(reading, child, MAX_VALUE)[6:])
        elif child.kind in (b"name", b"swre", b"AIGC"):
            reading.text_tag("qt:udta", child.kind.decode(), leaf(reading, child, MAX_VALUE))


def _read_strings(reading: Reading, box: Box) -> None:
    """International text: a list of (16-bit size, 16-bit language, text); some writers put `data` there."""
    key = box.kind.decode("latin-1")
    payload = leaf(reading, box, MAX_VALUE)
    if payload[4:8] == b"data":
        for child in boxes(reading, box.start, box.end):
            if child.kind == b"data":
                _read_data(reading, child, "qt:udta", key)
        return
    at = 0
    while at + 4 <= len(payload):
        reading.step()
        size = unsigned(payload, at, 2)
        if size == 0:
            return
        reading.text_tag("qt:udta", key, payload[at + 4 : at + 4 + size])
        at += 4 + size


def read_uuid(reading: Reading, box: Box) -> None:
    """Read a `uuid` box: only XMP's is of interest here, Content Credentials have their own examiner."""
    if reading.bytes_at(box.start, 16) == XMP_UUID:
        if box.size - 16 > MAX_PACKET:
            reading.problem("xmp_too_large")
            return
        tag_xmp(reading, reading.bytes_at(box.start + 16, box.size - 16))
