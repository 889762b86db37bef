"""Long files of which only parts were fetched: when it is sure that they carry no Content Credentials."""

from __future__ import annotations

import io
import struct

import pytest

from containers import box
from touchstone.examiners import Clip, Skip
from touchstone.examiners.content_credentials import ContentCredentials
from touchstone.media.container import Container
from touchstone.trust import Trust

C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


FTYP = box(b"ftyp", b"isom" + bytes(4))
MOOV = box(b"moov", bytes(40))
MEDIA = box(b"mdat", bytes(5000))
MANIFEST = box(b"uuid", C2PA + bytes(4) + b"manifest\0" + bytes(60))
XMP = box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<?xpacket")

CASES = {
    # name: (bytes, present ranges, what is known: True for sure none, False for unsure)
    "all heads seen, moov first": (FTYP + MOOV + MEDIA, [(0, 200)], True),
    "all heads seen, moov last": (FTYP + MEDIA + MOOV, [(0, 64), (5024, 5072)], True),
    "another kind of uuid box": (FTYP + XMP + MOOV + MEDIA, [(0, 300)], True),
    "a manifest in front": (FTYP + MANIFEST + MOOV + MEDIA, [(0, 300)], False),
    "a manifest at the end": (FTYP + MOOV + MEDIA + MANIFEST, [(0, 200), (5072, 5170)], False),
    "the head after the media is in a hole": (FTYP + MEDIA + MOOV, [(0, 200)], False),
    "a head half in a hole": (FTYP + MEDIA + MOOV, [(0, 64), (5028, 5072)], False),
    "nothing is known of what was fetched": (FTYP + MOOV + MEDIA, [], False),
    "the last box claims more than the file has": (FTYP + MOOV + MEDIA[:-1], [(0, 200)], True),
    "a box of impossible length": (FTYP + struct.pack(">I", 4) + b"moov", [(0, 200)], False),
    "a box that reaches to the end": (
        FTYP + MOOV + struct.pack(">I", 0) + b"mdat" + bytes(50),
        [(0, 200)],
        True,
    ),
}


@pytest.mark.parametrize("mime", ["video/mp4", "video/quicktime"])
@pytest.mark.parametrize("name", CASES)
def test_a_file_in_parts(name: str, mime: str) -> None:
    whole, present, sure = CASES[name]
    holes = bytearray(len(whole))
    for start, end in present:
        holes[start:end] = whole[start:end]
    file = io.BytesIO(bytes(holes))
    clip = Clip(file, len(whole), Container("mp4", mime), complete=False, present=present)
    examiner = ContentCredentials(Trust())
    if sure:
        assert list(examiner.examine(clip)) == []
    else:
        with pytest.raises(Skip, match="only parts"):
            list(examiner.examine(clip))


def test_other_containers_stay_unsure() -> None:
    clip = Clip(
        io.BytesIO(bytes(100)), 100, Container("avi", "video/x-msvideo"), complete=False, present=[(0, 100)]
    )
    with pytest.raises(Skip):
        list(ContentCredentials(Trust()).examine(clip))
