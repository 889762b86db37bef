"""Byte ranges, what is where in a file, and what a file is."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from touchstone.intake.layout import C2PA_BOX, MAX_HOPS, find_headers
from touchstone.intake.ranges import merge, missing, spread
from touchstone.intake.sniff import Kind, sniff


def test_ranges_are_the_sets_they_stand_for() -> None:
    chance = random.Random(3)
    for _ in range(300):
        ranges = [(start, start + chance.randrange(6)) for start in chance.sample(range(40), 5)]
        wanted = (chance.randrange(20), chance.randrange(20, 45))
        members = {byte for start, end in ranges for byte in range(start, end)}
        merged = merge(ranges)
        assert {byte for start, end in merged for byte in range(start, end)} == members
        assert all(left[1] < right[0] for left, right in pairwise(merged))
        gaps = {byte for start, end in missing(wanted, merged) for byte in range(start, end)}
        assert gaps == set(range(*wanted)) - members


@pytest.mark.parametrize(
    ("total", "count", "length", "align", "expected"),
    [
        (1000, 2, 100, 1, ((200, 300), (700, 800))),
        (1000, 2, 100, 64, ((192, 292), (640, 740))),
        (100, 4, 50, 1, ((0, 100),)),
        (10, 1, 50, 1, ((0, 10),)),
    ],
)
def test_samples_are_spread(
    total: int, count: int, length: int, align: int, expected: tuple[tuple[int, int], ...]
) -> None:
    assert spread(total, count, length, align) == expected


def box(kind: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return (8 + len(body) if size is None else size).to_bytes(4, "big") + kind + body


@pytest.mark.parametrize(
    ("data", "headers", "signed", "has_header"),
    [
        (b"", [], False, False),
        (b"\0\0\0", [], False, False),
        (box(b"ftyp", b"isom"), [(0, 12)], False, False),
        (box(b"ftyp", b"isom") + box(b"moov", bytes(8)), [(0, 12), (12, 28)], False, True),
        (box(b"mdat", bytes(50)) + box(b"moov"), [(58, 66)], False, True),
        (box(b"mdat", bytes(50), size=0) + box(b"moov"), [], False, False),  # to the end of the file
        (b"\0\0\0\1mdat" + (24).to_bytes(8, "big") + bytes(8) + box(b"moov"), [(24, 32)], False, True),
        (box(b"moov", bytes(8), size=4000), [(0, 16)], False, False),  # cut off
        (box(b"ftyp", b"", size=7) + box(b"moov"), [], False, False),  # sizes that lead nowhere
        (b"\0\0\0\1mdat" + (15).to_bytes(8, "big") + box(b"moov"), [], False, False),
        (b"\0\0\0\1mdat" + (2**64 - 1).to_bytes(8, "big") + box(b"moov"), [], False, False),
        (box(b"uuid", C2PA_BOX + bytes(4)), [(0, 28)], True, False),
        (box(b"uuid", C2PA_BOX[::-1]), [(0, 24)], False, False),
        (b"\0\0\0\1uuid" + (36).to_bytes(8, "big") + C2PA_BOX + bytes(4), [(0, 36)], True, False),
        (box(b"free") * 1000 + box(b"moov"), [], False, False),  # no end of hops
    ],
)
async def test_boxes(data: bytes, headers: list[tuple[int, int]], signed: bool, has_header: bool) -> None:
    reads = 0

    async def read(offset: int, count: int) -> bytes:
        nonlocal reads
        reads += 1
        return data[offset : offset + count]

    layout = await find_headers(Kind.BOXES, read, len(data))
    assert (layout.headers, layout.signed, layout.has_header) == (headers, signed, has_header)
    assert reads <= MAX_HOPS


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x18ftypisom", Kind.BOXES),
        (b"\0\0\0\x18stypmsdh", Kind.BOXES),
        (b"\0\0\0\1mdat", Kind.BOXES),
        (b"\0\0\x10\0moov", Kind.BOXES),
        (b"RIFF\0\0\0\0AVI ", Kind.RIFF),
        (b"\x1a\x45\xdf\xa3", Kind.OTHER),
        (b"\x89PNG\r\n\x1a\n", Kind.OTHER),
        (b"\xff\xd8\xff\xe0", Kind.OTHER),
        (b"\x47" + bytes(187), Kind.OTHER),
        (b"FLV\x01\x05\0\0\0\t", Kind.OTHER),
        (bytes(1000), Kind.OTHER),
        (b"#EXTM3U\n", Kind.HLS),
        (b"\xef\xbb\xbf#EXTM3U\r\n", Kind.HLS),
        (b"\n #EXTM3U", Kind.HLS),
        (b"<MPD>", Kind.DASH),
        (b'<?xml version="1.0"?>\n<!-- made by x -->\n<MPD xmlns="y">', Kind.DASH),
        (b"<ns:MPD xmlns:ns='y'>", Kind.DASH),
        (b"<!DOCTYPE html>", Kind.WEB_PAGE),
        (b"\n<html lang=en>", Kind.WEB_PAGE),
        (b"<!-- x --><HTML>", Kind.WEB_PAGE),
        (b"<svg xmlns='x'>", Kind.TEXT),
        (b'{"a": 1}', Kind.TEXT),
        ("Grüße".encode(), Kind.TEXT),
        (("ä" * 2000).encode(), Kind.TEXT),
        (("ä" * 2000).encode()[1:], Kind.OTHER),
        (b"", Kind.OTHER),
        (b"<?" + b"x" * 5000, Kind.TEXT),
        (b"<!--" * 2000, Kind.TEXT),
    ],
)
def test_what_a_file_is_is_told_from_its_beginning(head: bytes, kind: Kind) -> None:
    assert sniff(head) is kind
