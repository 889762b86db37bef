"""Writes a generated clip: encoded, marked in every picture, labelled, and signed; under its name only when
all of that is done."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from xml.sax.saxutils import escape

import av

from ...messages import say
from ...sample import TRAINED_ALGORITHMIC_MEDIA, sign_file
from ...watermark.embedding import FrameMarker
from ...watermark.files import ENCODERS
from ...watermark.key import Key
from ...watermark.payload import Statement
from ..networks import Frames
from .plan import FPS

if TYPE_CHECKING:
    from ...system.signing_key import Signer

GENERATOR = "Touchstone generator"
SUFFIX = ".mp4"
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP specification part 3, "MPEG-4"
_THREADS = 4  # a fixed number, on which the encoder's output depends


class CannotWrite(Exception):
    """A clip cannot be written; the text names it, the reason and the remedy."""


@dataclass(frozen=True)
class Marks:
    """What a finished clip carries.

    Attributes:
        payload: of the invisible watermark, 32 bits.
        key: whose watermark it is.
        signer: signs the Content Credentials.
        prompt: kept in both labels.
    """

    payload: int
    key: Key
    signer: Signer
    prompt: str
    version: str


def write_clip(target: Path, parts: Iterable[Frames], marks: Marks | None) -> int:
    """Write the pictures to an MP4. Returns how many there were.

    Args:
        target: appears only when it is complete; replaced where it exists.
        parts: `(n, H, W, 3)` each; read while writing.
        marks: None leaves all of them out, which calibration alone may do.

    Raises:
        CannotWrite: the disk is full, or the folder cannot be written to.
    """
    plain = target.with_name(f".{target.stem}.{os.getpid()}.plain{SUFFIX}")
    signed = target.with_name(f".{target.stem}.{os.getpid()}{SUFFIX}")
    try:
        count = _encoded(plain, parts, marks)
        if marks is None:
            plain.replace(target)
            return count
        with plain.open("ab") as file:
            file.write(iptc_box(marks.prompt))
        manifest = manifest_of(target.name, marks)
        sign_file(plain, signed, manifest, marks.signer.chain, marks.signer.key)
        signed.replace(target)
    except (av.error.FFmpegError, OSError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CannotWrite(say("generate.cannot_write", path=target, reason=reason)) from problem
    finally:
        plain.unlink(missing_ok=True)
        signed.unlink(missing_ok=True)
    return count


def _encoded(path: Path, parts: Iterable[Frames], marks: Marks | None) -> int:
    name, options = ENCODERS[SUFFIX]
    count = 0
    marker: FrameMarker | None = None
    with av.open(str(path), "w", container_options={"movflags": "+faststart"}) as out:
        stream: av.VideoStream | None = None
        for part in parts:
            for picture in part:
                height, width = picture.shape[:2]
                if stream is None:
                    stream = cast(av.VideoStream, out.add_stream(name, rate=FPS, options=dict(options)))
                    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                    stream.codec_context.thread_count = _THREADS
                    if marks is not None:
                        marker = FrameMarker(
                            marks.payload, marks.key, width, height, statement=Statement.AI_GENERATED
                        )
                marked = picture if marker is None else marker.mark_rgb(picture)
                out.mux(stream.encode(av.VideoFrame.from_ndarray(marked, format="rgb24")))
                count += 1
        if stream is not None:
            out.mux(stream.encode())
    return count


def iptc_box(prompt: str) -> bytes:
    """An XMP packet with the digital source type (IPTC Video Metadata Hub 1.7), in its MP4 box."""
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f"<Iptc4xmpExt:DigitalSourceType>{TRAINED_ALGORITHMIC_MEDIA}</Iptc4xmpExt:DigitalSourceType>"
        f"<Iptc4xmpExt:AISystemUsed>{GENERATOR}</Iptc4xmpExt:AISystemUsed>"
        f"<Iptc4xmpExt:AIPromptInformation>{escape(prompt)}</Iptc4xmpExt:AIPromptInformation>"
        f"<xmp:CreatorTool>{GENERATOR}</xmp:CreatorTool>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
    return struct.pack(">I", 24 + len(packet)) + b"uuid" + _XMP_UUID + packet


def manifest_of(title: str, marks: Marks) -> dict[str, object]:
    """The Content Credentials: made by this generator, and how the picture says so too."""
    action = {
        "action": "c2pa.created",
        "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA,
        "softwareAgent": {"name": GENERATOR, "version": marks.version},
        "description": marks.prompt,
    }
    return {
        "claim_generator_info": [{"name": GENERATOR, "version": marks.version}],
        "title": title,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
