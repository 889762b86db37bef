"""Runs examiners once over clips of our own making, so that all they ever load is loaded.

Python and the libraries under it import much at first use. A confined worker can open no file, so first use
has to come before.
"""

from __future__ import annotations

import codecs
import logging
import struct
from collections.abc import Sequence
from io import BytesIO

from ..examiners import Examiner, Needs
from ..frame_batches import encode_head, samples_bytes
from ..inference import InferenceClient
from ..wire import FrameBatch
from .workers import OpenMaterial, Unreadable, examine_opened

_log = logging.getLogger(__name__)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    """A box with version 0 and flags."""
    return _box(kind, struct.pack(">I", flags), *parts)


_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def smallest_mp4() -> bytes:
    """A valid MP4 with one H.264 track of 16 by 16 pixels and no sample (ISO/IEC 14496-12)."""
    times = struct.pack(">IIII", 0, 0, 1000, 0)
    mvhd = _full(
        b"mvhd", times, struct.pack(">IH", 0x10000, 0x100), bytes(10), _MATRIX, bytes(24), b"\0\0\0\2"
    )
    tkhd = _full(
        b"tkhd",
        struct.pack(">IIIII", 0, 0, 1, 0, 0),
        bytes(16),
        _MATRIX,
        struct.pack(">II", 16 << 16, 16 << 16),
        flags=3,
    )
    entry = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HHIIIH", 16, 16, 0x480000, 0x480000, 0, 1)
    avc1 = _box(b"avc1", entry, bytes(32), b"\0\x18\xff\xff", _box(b"avcC", b"\1B\xc0\x0a\xff\xe0\0"))
    tables = [_full(kind, bytes(4)) for kind in (b"stts", b"stsc", b"stco")]
    stbl = _box(b"stbl", _full(b"stsd", b"\0\0\0\1", avc1), *tables, _full(b"stsz", bytes(8)))
    dref = _full(b"dref", b"\0\0\0\1", _full(b"url ", flags=1))
    minf = _box(b"minf", _full(b"vmhd", bytes(8), flags=1), _box(b"dinf", dref), stbl)
    hdlr = _full(b"hdlr", bytes(4), b"vide", bytes(13))
    mdia = _box(b"mdia", _full(b"mdhd", times, b"\x55\xc4\0\0"), hdlr, minf)
    moov = _box(b"moov", mvhd, _box(b"trak", tkhd, mdia))
    return _box(b"ftyp", b"isom", bytes(4), b"isomiso2") + moov + _box(b"mdat")


def smallest_gif() -> bytes:
    """A GIF of one black pixel (GIF89a specification, 1990)."""
    screen = struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    picture = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + screen + picture + b";"


def smallest_batch() -> bytes:
    """A black picture of 16 by 16 pixels as a browser hands it over."""
    batch = FrameBatch(run=0, width=16, height=16, format="I420", times_s=[0.0])
    return encode_head(batch) + bytes(samples_bytes(batch))


def _material(clip: bytes, *, pictures: bool = False) -> OpenMaterial:
    return OpenMaterial(BytesIO(clip), len(clip), pictures=pictures)


# Python imports an encoding when text in it is first met. These are the ones that metadata and certificates
# are found in.
_ENCODINGS = (
    "ascii", "latin_1", "cp1252", "mac_roman", "utf_8", "utf_8_sig", "utf_16", "utf_16_be", "utf_16_le",
    "utf_32", "utf_32_be", "utf_32_le", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
    "unicode_escape", "raw_unicode_escape", "idna", "punycode",
)  # fmt: skip


def rehearse(examiners: Sequence[Examiner], inference: InferenceClient | None = None) -> None:
    """Run `examiners` over the smallest clips. What they say about them does not matter."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    clips = [_material(smallest_mp4()), _material(smallest_batch(), pictures=True)]
    if any(examiner.needs is Needs.FRAMES for examiner in examiners):
        clips.append(_material(smallest_gif()))
    for clip in clips:
        for message in examine_opened(clip, examiners, inference=inference):
            if isinstance(message, Unreadable):
                _log.warning("a clip to rehearse with was not read: %s", message.reason)
