"""Runs examiners once over a clip of our own making, so that all they ever load is loaded.

Python and the libraries under it import much at first use. A confined worker can open no file, so first use
has to come before.
"""

from __future__ import annotations

import codecs
import logging
import struct
from collections.abc import Sequence
from io import BytesIO

from ..examiners import Examiner
from .workers import OpenMaterial, examine_opened

_log = logging.getLogger(__name__)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def smallest_mp4() -> bytes:
    """A valid MP4 without any track: `ftyp`, `moov` with its `mvhd`, an empty `mdat` (ISO/IEC 14496-12)."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    header = struct.pack(">IIIII", 0, 0, 0, 1000, 1000) + struct.pack(">IHHII", 0x10000, 0x100, 0, 0, 0)
    mvhd = _box(b"mvhd", header, matrix, bytes(24), struct.pack(">I", 1))
    return _box(b"ftyp", b"isom", bytes(4), b"isomiso2") + _box(b"moov", mvhd) + _box(b"mdat")


# Python imports an encoding when text in it is first met. These are the ones that metadata and certificates
# are found in.
_ENCODINGS = (
    "ascii", "latin_1", "cp1252", "mac_roman", "utf_8", "utf_8_sig", "utf_16", "utf_16_be", "utf_16_le",
    "utf_32", "utf_32_be", "utf_32_le", "gbk", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr",
    "unicode_escape", "raw_unicode_escape", "idna", "punycode",
)  # fmt: skip


def rehearse(examiners: Sequence[Examiner]) -> None:
    """Run `examiners` over the smallest MP4. What they say about it does not matter."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    clip = smallest_mp4()
    for message in examine_opened(OpenMaterial(BytesIO(clip), len(clip)), examiners):
        _log.debug("rehearsal: %s", message)
