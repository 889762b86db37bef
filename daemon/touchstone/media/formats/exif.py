"""Exif: the TIFF structure that JPEG, PNG, WebP, HEIC and AVIF carry (CIPA DC-008).

Fields become tags with place `exif` and the key `0x010f` (four hex digits). Text is kept, numbers are not,
but for the picture's size.
"""

from __future__ import annotations

from dataclasses import dataclass

from .bounded import MAX_VALUE, Malformed, Reading, text_of
from .xmp import tag_xmp

MAX_ENTRIES = 512  # of one directory
MAX_DIRECTORIES = 6

EXIF_DIRECTORY = 0x8769
XMP_FIELD = 0x02BC
USER_COMMENT = 0x9286
XP_FIELDS = range(0x9C9B, 0x9CA0)  # Windows' title, comment, author, keywords, subject: UTF-16LE
IMAGE_WIDTH, IMAGE_HEIGHT = 0x0100, 0x0101

TYPE_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
BYTE, ASCII, SHORT, LONG, UNDEFINED = 1, 2, 3, 4, 7

# The eight bytes before the text of UserComment (CIPA DC-008 table 9).
CHARSETS = {
    b"ASCII\0\0\0": "utf-8",
    b"UNICODE\0": "utf-16",
    b"JIS\0\0\0\0\0": "iso2022_jp",
    b"\0" * 8: "utf-8",
}


@dataclass(frozen=True)
class _Field:
    tag: int
    kind: int
    value: bytes


def tag_exif(reading: Reading, data: bytes) -> dict[int, int]:
    """Keep the text fields of an Exif block as tags.

    Args:
        data: from the byte-order mark on; a leading `Exif\\0\\0` is skipped.

    Returns:
        The numbers of the first directory by field, such as width and height of a TIFF.
    """
    data = data.removeprefix(b"Exif\0\0")
    numbers: dict[int, int] = {}
    try:
        order = {b"II": "little", b"MM": "big"}.get(data[:2])
        if order is None:
            raise Malformed
        _walk(reading, data, order == "little", numbers)
    except Malformed:
        reading.problem("exif_broken")
    return numbers


def _walk(reading: Reading, data: bytes, little: bool, numbers: dict[int, int]) -> None:
    waiting, seen = [_number(data, 4, 4, little)], set[int]()
    while waiting and len(seen) < MAX_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or at == 0:
            continue
        seen.add(at)
        first = len(seen) == 1
        for field in _fields(reading, data, at, little):
            if field.tag == EXIF_DIRECTORY:
                waiting.append(_number(field.value, 0, 4, little))
            elif field.kind in (SHORT, LONG):
                if first and field.value:
                    numbers[field.tag] = _number(field.value, 0, TYPE_SIZE[field.kind], little)
            else:
                _keep(reading, field, little)


def _fields(reading: Reading, data: bytes, at: int, little: bool) -> list[_Field]:
    fields = []
    for index in range(min(_number(data, at, 2, little), MAX_ENTRIES)):
        reading.step()
        entry = at + 2 + 12 * index
        kind = _number(data, entry + 2, 2, little)
        size = _number(data, entry + 4, 4, little) * TYPE_SIZE.get(kind, 0)
        if not 0 < size <= MAX_VALUE:
            continue
        start = entry + 8 if size <= 4 else _number(data, entry + 8, 4, little)
        # A value that runs over the end is kept as far as it goes: cut files still say something.
        fields.append(_Field(_number(data, entry, 2, little), kind, data[start : start + size]))
    return fields


def _keep(reading: Reading, field: _Field, little: bool) -> None:
    key = f"0x{field.tag:04x}"
    if field.tag == XMP_FIELD:
        tag_xmp(reading, field.value)
    elif field.tag == USER_COMMENT:
        reading.tag("exif", key, _user_comment(field.value, little))
    elif field.tag in XP_FIELDS:
        reading.tag("exif", key, field.value.decode("utf-16-le", errors="replace").rstrip("\0"))
    elif field.kind == ASCII:
        reading.text_tag("exif", key, field.value)


def _user_comment(value: bytes, little: bool) -> str:
    encoding = CHARSETS.get(value[:8])
    if encoding is None:  # written without the charset, against the standard
        return text_of(value)
    text = value[8:]
    if encoding != "utf-16":
        return text_of(text) if encoding == "utf-8" else text.decode(encoding, errors="replace")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return text_of(text)
    # The standard leaves the order open; writers use the block's own, or always the other one. ASCII text
    # tells: its zero bytes are the high ones.
    high_first = text[:64:2].count(0) > text[1:64:2].count(0)
    low_first = text[1:64:2].count(0) > text[:64:2].count(0)
    order = "be" if high_first or (not low_first and not little) else "le"
    return text.decode(f"utf-16-{order}", errors="replace").rstrip("\0")


def _number(data: bytes, at: int, length: int, little: bool) -> int:
    if at < 0 or at + length > len(data):
        raise Malformed
    return int.from_bytes(data[at : at + length], "little" if little else "big")
