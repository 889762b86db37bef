"""SEI messages of H.264 and HEVC access units, without decoding anything.

Only SEI NAL units are read; others are hopped over by their length. Sources: ITU-T H.264 clauses 7.3.1,
7.3.2.3, D.1.7; ITU-T H.265 clauses 7.3.1, 7.3.5, D.2.7 (user_data_unregistered).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from .bounded import Malformed, Reading, text_of, unsigned

MAX_NAL_UNITS = 256  # of one access unit; HEVC level 6.2 allows 600 slices, SEI stands before them
MAX_SEI = 64 * 1024  # bytes of one SEI NAL unit that are looked at
MAX_MESSAGES = 64
USER_DATA_UNREGISTERED = 5
UUID_BYTES = 16

CODECS = frozenset({"h264", "hevc"})


def is_sei(first_byte: int, codec: str) -> bool:
    """Whether a NAL unit is an SEI: type 6 in H.264, prefix 39 or suffix 40 in HEVC."""
    if codec == "h264":
        return first_byte & 0x1F == 6
    return (first_byte >> 1) & 0x3F in (39, 40)


def tag_sei(reading: Reading, nal: bytes, codec: str) -> None:
    """Keep every user_data_unregistered message of an SEI NAL unit as a tag (`sei`, UUID as hex, payload)."""
    for uuid, payload in user_data(nal, codec):
        text = text_of(payload)
        value: str | bytes = text if text.isprintable() else payload
        reading.tag("sei", uuid, value)


def user_data(nal: bytes, codec: str) -> Iterator[tuple[str, bytes]]:
    """The (UUID as 32 hex digits, payload) pairs in one SEI NAL unit, header included."""
    # Emulation prevention: an encoder puts 03 after every two zero bytes (H.264 clause 7.4.1).
    body = nal[1 if codec == "h264" else 2 :].replace(b"\0\0\3", b"\0\0")
    at = 0
    for _ in range(MAX_MESSAGES):
        if at >= len(body) - 1:  # what is left is the stop bit
            return
        kind, at = _coded_number(body, at)
        size, at = _coded_number(body, at)
        payload = body[at : at + size]
        if len(payload) < size:
            return
        if kind == USER_DATA_UNREGISTERED and size >= UUID_BYTES:
            yield payload[:UUID_BYTES].hex(), payload[UUID_BYTES:]
        at += size


def _coded_number(body: bytes, at: int) -> tuple[int, int]:
    """ff_byte coding of H.264 7.3.2.3.1: each 0xFF adds 255, the first other byte ends the number."""
    number = 0
    while at < len(body):
        byte = body[at]
        at += 1
        number += byte
        if byte != 0xFF:
            break
    return number, at


def tag_length_prefixed(reading: Reading, offset: int, size: int, prefix: int, codec: str) -> None:
    """Tag the SEIs of an access unit whose NAL units carry their length (ISO/IEC 14496-15).

    Args:
        offset: where the access unit lies in the file.
        size: its bytes.
        prefix: bytes of each length field, 1 to 4.
    """
    end = min(offset + size, reading.size)
    at = offset
    for _ in range(MAX_NAL_UNITS):
        if at + prefix >= end:
            return
        reading.step()
        head = reading.bytes_at(at, prefix + 1)
        if len(head) < prefix + 1:
            return
        length = unsigned(head, 0, prefix)
        if length == 0 or at + prefix + length > end:
            return
        if is_sei(head[prefix], codec):
            tag_sei(reading, reading.bytes_at(at + prefix, min(length, MAX_SEI)), codec)
        at += prefix + length


def tag_start_codes(reading: Reading, data: bytes, codec: str) -> None:
    """Tag the SEIs in a stretch of byte stream (H.264 Annex B), such as one MPEG-TS or AVI frame."""
    starts: list[int] = []
    at = data.find(b"\0\0\1")
    while at >= 0 and len(starts) < MAX_NAL_UNITS:
        starts.append(at + 3)
        at = data.find(b"\0\0\1", at + 3)
    for start, following in itertools.pairwise([*starts, len(data) + 3]):
        nal = data[start : min(following - 3, start + MAX_SEI)]
        if nal and is_sei(nal[0], codec):
            tag_sei(reading, nal, codec)


def length_field(codec: str, private: bytes) -> int | None:
    """Bytes of the NAL length field, from an avcC or hvcC record; None where the stream uses start codes."""
    at = 4 if codec == "h264" else 21
    if len(private) <= at or private[0] != 1:
        return None
    return (private[at] & 3) + 1


def tag_private(reading: Reading, codec: str, private: bytes) -> None:
    """Tag the SEIs that an hvcC record carries (ISO/IEC 14496-15 clause 8.3.2.1)."""
    if codec != "hevc" or length_field(codec, private) is None:
        return
    try:
        at = 23
        for _ in range(min(unsigned(private, 22, 1), 16)):
            count = unsigned(private, at + 1, 2)
            at += 3
            for _ in range(min(count, MAX_NAL_UNITS)):
                size = unsigned(private, at, 2)
                nal = private[at + 2 : at + 2 + min(size, MAX_SEI)]
                if nal and is_sei(nal[0], codec):
                    tag_sei(reading, nal, codec)
                at += 2 + size
    except Malformed as problem:
        reading.note(str(problem))
