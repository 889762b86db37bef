"""Lays out the clips that the end-to-end tests show in a page, and says what their badge must say.

With a corpus the clips are real files of it; without one they are made here and signed by an authority of
this run. Either way the folder ends with the same names and a `cases.json`. What is altered is altered here:
the flipped bit and the pasted manifest.

usage: clips.py FOLDER [--corpus DIR]
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from examiners.visible_marks.cases import CASES as MARKS
from examiners.visible_marks.drawing import draw
from signing import action, make_authority, make_signer, manifest, sign
from touchstone.sample import draw_clip

C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.1, A.5.1: user type of the manifest box
# The user-data SEI of Kling's encoder, as seen in real clips: a UUID, then text.
KLING_SEI = bytes.fromhex("91ca60614aee385486142d5f73f4ae2e") + b"kling-ai\0"

TAMPERED = "do not belong to this video or were altered"
NOTHING = "No signs of AI found"
# What the badge and its panel must say of each clip: label, a part of the headline, words of the evidence.
CASES: dict[str, tuple[str, str, list[str]]] = {
    "signed": ("ai_generated", "says a signature by", []),
    "flipped": ("inconclusive", TAMPERED, []),
    "pasted": ("inconclusive", TAMPERED, []),
    "sei": ("ai_generated", "Declared as AI-generated", ["Kling"]),
    "platform_ai": ("ai_generated", "AI-generated", ["TikTok"]),
    "platform_human": ("no_signs", NOTHING, []),
    "nothing": ("no_signs", NOTHING, []),
}
# The real Sora clip carries Sora's mark in the picture too: what breaks its signature leaves that.
FLIPPED_BUT_MARKED = (
    "ai_generated",
    "says a visible",
    ["Sora", "do not belong to this file or were altered"],
)
SIGNED_BY = {"corpus": ["Sora", "OpenAI"], "made": ["Test Generator", "Touchstone Test Maker"]}


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Top-level boxes of an MP4: type, start, end."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        end = at + size if size else len(data)
        yield kind, at, end
        at = end


def flip_media_bit(clip: bytes) -> bytes:
    """The clip with one bit of its media data changed, in the middle."""
    start, end = next((start, end) for kind, start, end in boxes(clip) if kind == b"mdat")
    flipped = bytearray(clip)
    flipped[(start + end) // 2] ^= 1
    return bytes(flipped)


def paste_manifest(signed: bytes, onto: bytes) -> bytes:
    """A clip with the manifest of another at its end, where no chunk offset has to change."""
    for kind, start, end in boxes(signed):
        if kind == b"uuid" and signed[start + 8 : start + 24] == C2PA_BOX:
            return onto + signed[start:end]
    raise ValueError("the signed clip has no manifest box")


def sei_unit(payload: bytes) -> bytes:
    """An H.264 NAL unit with user data (H.264 7.3.2.3, payload type 5), with its Annex B start code."""
    return b"\0\0\0\1\x06\x05" + bytes([len(payload)]) + payload + b"\x80"


def make_clip(
    path: Path, *, hue: float = 0.0, sei: bytes = b"", tags: dict[str, str] | None = None, seconds: int = 2
) -> None:
    """A small H.264 clip of moving bars, with SEI user data in its first picture and `mdta` tags if given."""
    width, height, rate = 320, 240, 25
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags+faststart"}) as out:
        out.metadata.update(tags or {})
        stream = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frames = (bars(n, width, height, hue) for n in range(seconds * rate))
        for at, packet in enumerate(packet for frame in (*frames, None) for packet in stream.encode(frame)):
            out.mux(with_prefix(packet, sei_unit(sei)) if sei and at == 0 else packet)


def bars(n: int, width: int, height: int, hue: float) -> av.VideoFrame:
    """Picture `n` of vertical bars that move to the left."""
    shade = ((np.arange(width) + 4 * n) // 40 % 2) * 90 + 80
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[..., 0], rgb[..., 1], rgb[..., 2] = shade, shade * (1 - hue), shade * hue
    return av.VideoFrame.from_ndarray(rgb, format="rgb24")


def draw_mark(path: Path, rule: str, seconds: float = 4.0) -> None:
    """A clip with the mark of a rule, drawn as its test case says, in and out of its places.

    In VP9, since its pictures are to be seen: Firefox plays H.264 only where the system has a decoder for it.
    """
    rate = 24
    looks = draw(*MARKS[rule], size=(640, 360))
    with av.open(str(path), "w") as out:
        options = {"crf": "20", "b": "0", "deadline": "realtime", "cpu-used": "8"}
        stream = out.add_stream("libvpx-vp9", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for n in range(round(seconds * rate)):
            picture = looks[int(n / rate / seconds * len(looks))].picture
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
            out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))


def with_prefix(packet: av.Packet, prefix: bytes) -> av.Packet:
    """The packet with bytes in front of its own."""
    longer = av.Packet(prefix + bytes(packet))
    longer.pts, longer.dts, longer.time_base = packet.pts, packet.dts, packet.time_base
    longer.duration, longer.is_keyframe, longer.stream = packet.duration, packet.is_keyframe, packet.stream
    return longer


def from_corpus(corpus: Path, folder: Path) -> None:
    """The real files, by the names that the tests know."""
    real = {
        "signed": "marks/gen_video/sora2_standard.mp4",
        "sei": "marks/iptc_xmp_video/rechenfix_bildschirm.mp4",
        "platform_ai": "marks/platform_video/tiktok_ai_generated.mp4",
        "platform_human": "marks/platform_video/tiktok_human.mp4",
        "nothing": "real/co-tracker/cat.mp4",
    }
    for name, file in real.items():
        shutil.copyfile(corpus / file, folder / f"{name}.mp4")


def made_here(folder: Path) -> None:
    """Clips of the same kinds, and the authority that signed one of them."""
    authority = make_authority("Touchstone Test Authority")
    (folder / "trust").mkdir()
    (folder / "trust" / "test-root.pem").write_text(authority.pem)
    draw_clip(folder / "plain.mp4", width=320, height=240)
    created = action("c2pa.created", "trainedAlgorithmicMedia", softwareAgent={"name": "Test Generator"})
    signer = make_signer(authority, "Touchstone Test Maker")
    claims = manifest(created, generator="Test Generator")
    sign(folder / "plain.mp4", folder / "signed.mp4", claims, signer)
    make_clip(folder / "sei.mp4", hue=0.3, sei=KLING_SEI)
    platform = {"comment": "vid:v0", "vid_md5": "0" * 32}
    make_clip(folder / "platform_ai.mp4", hue=0.5, tags={**platform, "aigc_info": '{"aigc_label_type":2}'})
    make_clip(folder / "platform_human.mp4", hue=0.7, tags=platform)
    make_clip(folder / "nothing.mp4", hue=0.9)
    try:
        draw_mark(folder / "marked.webm", "sora")
    except pytest.skip.Exception as reason:  # what draws says so where this system has no font for it
        print(f"no clip with a mark: {reason}", file=sys.stderr)


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--corpus", type=Path)
    args = ask.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    kind = "made"
    if args.corpus:
        kind = "corpus"
        from_corpus(args.corpus, args.folder)
    else:
        made_here(args.folder)
    signed = (args.folder / "signed.mp4").read_bytes()
    human = (args.folder / "platform_human.mp4").read_bytes()
    (args.folder / "flipped.mp4").write_bytes(flip_media_bit(signed))
    (args.folder / "pasted.mp4").write_bytes(paste_manifest(signed, human))
    wanted = CASES | ({"flipped": FLIPPED_BUT_MARKED} if kind == "corpus" else {})
    cases = {
        name: {"label": label, "headline": headline, "words": SIGNED_BY[kind] if name == "signed" else words}
        for name, (label, headline, words) in wanted.items()
    }
    (args.folder / "cases.json").write_text(json.dumps(cases, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
