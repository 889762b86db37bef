"""Whether Content Credentials belong to a file: altered, pasted, damaged, partial and hostile files."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from signing import action, manifest
from touchstone.examiners import Clip, Skip
from touchstone.examiners.content_credentials import ContentCredentials
from touchstone.media.container import Container
from touchstone.sample import draw_clip
from touchstone.verdict import Supports
from workshop import Workshop, look, look_at_bytes, only

AI = manifest(action("c2pa.created", "trainedAlgorithmicMedia"))
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Top-level boxes of an MP4, in order: type and whole box."""
    found, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    return found


def manifest_box(data: bytes) -> bytes:
    return next(box for kind, box in boxes(data) if kind == b"uuid" and box[8:24] == C2PA_BOX)


def pasted(data: bytes, workshop: Workshop) -> bytes:
    """The manifest of one clip at the end of another."""
    other = workshop.folder / "other.mp4"
    draw_clip(other, width=80, height=48, seconds=0.2)
    return other.read_bytes() + manifest_box(data)


HARMS: dict[str, Callable[[bytes, Workshop], bytes]] = {
    "a media bit": lambda data, _: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:],
    "the source type": lambda data, _: data.replace(b"trainedAlgorithmicMedia", b"trainedAlgorithmicMEDIA"),
    "the generator's name": lambda data, _: data.replace(b"test-maker", b"best-maker"),
    "bytes after the end": lambda data, _: data + b"\0\0\0\x10mdat" + b"\1" * 8,
    "pasted on another clip": pasted,
    "a second manifest beside the first": lambda data, _: data + manifest_box(data),
    "the signature zeroed": lambda data, _: zero_after(data, b"c2pa.signature"),
    "the claim's CBOR broken": lambda data, _: data.replace(b"instanceID", b"instanc\xff\xffD"),
}


def zero_after(data: bytes, mark: bytes) -> bytes:
    at = data.rindex(mark) + len(mark) + 9
    return data[:at] + b"\0" * 40 + data[at + 40 :]


@pytest.mark.parametrize("harm", HARMS)
def test_what_was_altered_supports_nothing_and_is_reported(workshop: Workshop, harm: str) -> None:
    data = workshop.signed(AI).read_bytes()
    harmed = HARMS[harm](data, workshop)
    assert harmed != data
    evidence = only(look_at_bytes(harmed, workshop.trust))
    assert (evidence.supports, evidence.verified) == (Supports.NEITHER, False)
    assert evidence.details["tampered"] is True
    assert "generator" not in evidence.details


@pytest.mark.parametrize("kept", [0.99, 0.9, 0.5, 0.2])
def test_a_file_that_is_cut_off_says_nothing(workshop: Workshop, kept: float) -> None:
    data = workshop.signed(AI).read_bytes()
    try:
        found = look_at_bytes(data[: int(len(data) * kept)], workshop.trust)
    except Skip as reason:
        assert "could not be searched" in str(reason)
    else:
        assert all(evidence.supports is Supports.NEITHER for evidence in found)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".avi", ".jpg", ".png", ".webp", ".tiff", ".gif"])
def test_every_container(workshop: Workshop, suffix: str) -> None:
    plain = workshop.folder / f"plain-container{suffix}"
    write_plain(plain, workshop)
    path = workshop.signed(AI, source=plain)
    evidence = only(look(path, workshop.trust))
    assert (evidence.supports, evidence.verified) == (Supports.AI, True), evidence.details


def write_plain(path: Path, workshop: Workshop) -> None:
    """An unsigned file of this kind."""
    import av
    import numpy as np

    if path.suffix in (".mp4", ".mov", ".avi"):
        with av.open(str(workshop.plain)) as source, av.open(str(path), "w") as target:
            stream = target.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for frame in source.decode(video=0):
                target.mux(stream.encode(frame))
            target.mux(stream.encode())
        return
    codec, pixels, muxer = {
        ".jpg": ("mjpeg", "yuvj420p", "image2"),
        ".png": ("png", "rgb24", "image2"),
        ".webp": ("libwebp", "yuv420p", "webp"),
        ".tiff": ("tiff", "rgb24", "image2"),
        ".gif": ("gif", "rgb8", "gif"),
    }[path.suffix]
    picture = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 4, (48, 1, 3))
    with av.open(str(path), "w", format=muxer) as target:
        stream = target.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        target.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)))
        target.mux(stream.encode())


def test_no_content_credentials_is_no_evidence(workshop: Workshop) -> None:
    assert look(workshop.plain, workshop.trust) == []


def test_a_manifest_elsewhere_is_named_and_not_fetched(workshop: Workshop) -> None:
    plain = workshop.folder / "plain-remote.jpg"
    write_plain(plain, workshop)
    path = workshop.signed(AI, source=plain, remote_url="http://127.0.0.1:9/manifest.c2pa", embed=False)
    evidence = only(look(path, workshop.trust))
    assert evidence.supports is Supports.NEITHER
    assert evidence.details["remote_url"] == "http://127.0.0.1:9/manifest.c2pa"


def test_parts_of_a_file_cannot_be_checked(workshop: Workshop) -> None:
    with pytest.raises(Skip, match="only parts"):
        look(workshop.signed(AI), workshop.trust, complete=False)


def test_a_container_without_content_credentials_is_left_out(workshop: Workshop) -> None:
    path = workshop.folder / "clip.mkv"
    path.write_bytes(b"\x1aE\xdf\xa3" + bytes(60))
    with pytest.raises(Skip, match="mkv"):
        look(path, workshop.trust)


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "a header and nothing": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "zeros": bytes(1 << 16),
    "a box longer than the file": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\x7f\xff\xff\xffmoov",
    "a box of size 1 without a length": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x01uuid",
    "an empty manifest": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    + (8 + 16 + 4 + 9 + 8).to_bytes(4, "big")
    + b"uuid"
    + C2PA_BOX
    + b"\0\0\0\0manifest\0"
    + bytes(8),
    "boxes nested a thousand times": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    + b"".join((8 * n).to_bytes(4, "big") + b"moov" for n in range(1000, 0, -1)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_end_in_an_answer(workshop: Workshop, name: str) -> None:
    started = time.perf_counter()
    try:
        found = look_at_bytes(HOSTILE[name], workshop.trust)
    except Skip as reason:
        assert str(reason)
    else:
        assert all(evidence.supports is Supports.NEITHER for evidence in found)
    assert time.perf_counter() - started < 2


def test_random_harm_to_a_manifest_never_verifies_other_words(workshop: Workshop) -> None:
    """Whatever byte is changed: no crash, and what is still verified says what was signed."""
    data = workshop.signed(AI).read_bytes()
    start = data.index(manifest_box(data))
    length = len(manifest_box(data))
    chance = random.Random(20260301)
    answers = set()
    for _ in range(150):
        harmed = bytearray(data)
        for _ in range(chance.choice((1, 1, 4))):
            harmed[start + 40 + chance.randrange(length - 40)] ^= 1 << chance.randrange(8)
        try:
            found = look_at_bytes(bytes(harmed), workshop.trust)
        except Skip:
            answers.add("skip")
            continue
        for evidence in found:
            answers.add((evidence.supports, evidence.verified))
            if evidence.verified:
                assert evidence.details["source_type"].endswith("trainedAlgorithmicMedia")
    assert (Supports.NEITHER, False) in answers
    assert (Supports.CAMERA, True) not in answers


class TestFragments:
    """Fragmented MP4: signed streams cannot be made with the SDK's Python side, so these need the corpus."""

    pytestmark = pytest.mark.corpus

    @pytest.fixture
    def stream(self, corpus_marks: Path) -> tuple[bytes, bytes]:
        folder = corpus_marks / "c2pa_dash"
        return (folder / "c2pars_dashinit.mp4").read_bytes(), (folder / "c2pars_dash1.m4s").read_bytes()

    def examine(self, workshop: Workshop, init: bytes, *fragments: bytes) -> list[object]:
        clip = Clip(
            io.BytesIO(init), len(init), Container("mp4", "video/mp4"), [io.BytesIO(f) for f in fragments]
        )
        return [
            (e.supports, e.details.get("integrity"), bool(e.details.get("tampered")))
            for e in ContentCredentials(workshop.trust).examine(clip)
        ]

    def test_init_and_fragment(self, workshop: Workshop, stream: tuple[bytes, bytes]) -> None:
        assert self.examine(workshop, *stream) == [(Supports.NEITHER, "intact", False)]

    def test_init_and_fragment_in_one_file(self, workshop: Workshop, stream: tuple[bytes, bytes]) -> None:
        assert self.examine(workshop, b"".join(stream)) == [(Supports.NEITHER, "intact", False)]

    def test_one_bit_of_the_fragment(self, workshop: Workshop, stream: tuple[bytes, bytes]) -> None:
        init, fragment = stream
        harmed = fragment[:-9] + bytes([fragment[-9] ^ 1]) + fragment[-8:]
        for parts in ((init, harmed), (init + harmed,), (init, fragment, harmed)):
            assert self.examine(workshop, *parts) == [(Supports.NEITHER, "tampered", True)]

    def test_a_fragment_of_another_stream(
        self, workshop: Workshop, stream: tuple[bytes, bytes], corpus_marks: Path
    ) -> None:
        stranger = (corpus_marks / "c2pa_dash" / "bunny_2s1_unsigned.m4s").read_bytes()
        assert self.examine(workshop, stream[0], stranger) == [(Supports.NEITHER, "tampered", True)]

    def test_the_start_alone(self, workshop: Workshop, stream: tuple[bytes, bytes]) -> None:
        with pytest.raises(Skip, match="start of a stream"):
            self.examine(workshop, stream[0])
