"""Frames of WebP pictures, still and animated.

FFmpeg decodes single WebP bitstreams but knows no animation, so the frames are taken out of the file here,
decoded one by one, and put onto the canvas as RFC 9649, clause 2.7.2.1, says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from ..messages import say
from .container import CannotDecode
from .decode import MAX_PIXELS, check_size, failures_in_words
from .frames import Colour, Frame, Run
from .pictures import picture
from .plan import KeyframeList, Sampling, Seen, Step, Timeline, steps

_MAX_CHUNKS = 100_000
_MAX_BITSTREAM = 64 << 20
_ALPHA_FLAG = 0x10
_PICTURE_CHUNKS = (b"ALPH", b"VP8 ", b"VP8L")
_Canvas = NDArray[np.uint8]


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    at: int
    size: int


@dataclass(frozen=True)
class _Part:
    """One frame of an animation: where it goes on the canvas, for how long, and its bitstream."""

    x: int
    y: int
    width: int
    height: int
    milliseconds: int
    blend: bool
    dispose: bool
    data: _Chunk


class WebpFile:
    """A WebP file, read within bounds.

    Raises:
        CannotDecode: it has no picture.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        chunks = list(self._chunks(12, size))
        self.parts = [self._part(chunk) for chunk in chunks if chunk.kind == b"ANMF" and chunk.size >= 16]
        self.still = [chunk for chunk in chunks if chunk.kind in _PICTURE_CHUNKS]
        self.width = self.height = 0
        for chunk in chunks:
            if chunk.kind == b"VP8X" and chunk.size >= 10:
                head = self._bytes(chunk.at + 4, 6)
                self.width, self.height = _24_bits(head, 0) + 1, _24_bits(head, 3) + 1
                check_size(self.width, self.height)
        if not self.parts and not self.still:
            raise CannotDecode(say("sampler.no_video"))

    def runs(self, sampling: Sampling, seen: Seen) -> Iterator[Run]:
        """The runs of frames that `sampling` asks for; a still picture is one run of one frame."""
        decoder = av.CodecContext.create("webp", "r")
        decoder.options = {"max_pixels": str(MAX_PIXELS)}
        if not self.parts:
            with failures_in_words():
                frame = _only(decoder, self._bitstream(self.still, self.width, self.height))
            seen.decoded += 1
            seen.ended = say("sampler.ended.short")
            yield Run((picture(frame, Fraction(1), 0),))
            return
        seen.duration_s = sum(part.milliseconds for part in self.parts) / 1000
        pixels = max(1, self.width * self.height)
        budget = max(sampling.budget_pixels // pixels, sampling.frames)
        timeline = Timeline(0, len(self.parts), 1.0)
        plan = steps(timeline, KeyframeList([0]), sampling, budget)
        if len(plan) < sampling.runs:
            seen.ended = say("sampler.ended.short")
        yield from self._animate(decoder, plan, sampling, seen)

    def _animate(
        self, decoder: VideoCodecContext, plan: Sequence[Step], sampling: Sampling, seen: Seen
    ) -> Iterator[Run]:
        canvas = np.zeros((self.height, self.width, 4), np.uint8)
        wanted = {step.at + offset for step in plan for offset in range(sampling.frames)}
        last = max(wanted)
        held: list[Frame] = []
        shown_s = 0.0
        for number, part in enumerate(self.parts[: last + 1]):
            with failures_in_words():
                self._put(decoder, part, canvas)
            seen.decoded += 1
            if number in wanted:
                held.append(_shown(canvas, shown_s, part.milliseconds / 1000))
                if len(held) == sampling.frames or number == len(self.parts) - 1:
                    yield Run(tuple(held))
                    held = []
            if part.dispose:
                canvas[part.y : part.y + part.height, part.x : part.x + part.width] = 0
            shown_s += part.milliseconds / 1000

    def _put(self, decoder: VideoCodecContext, part: _Part, canvas: _Canvas) -> None:
        """Decode one part and put it onto the canvas."""
        if part.x + part.width > self.width or part.y + part.height > self.height:
            raise CannotDecode(say("sampler.outside_canvas"))
        inside = self._chunks(part.data.at, part.data.at + part.data.size)
        inner = [chunk for chunk in inside if chunk.kind in _PICTURE_CHUNKS]
        frame = _only(decoder, self._bitstream(inner, part.width, part.height))
        if (frame.width, frame.height) != (part.width, part.height):
            raise CannotDecode(say("sampler.outside_canvas"))
        source = cast(_Canvas, frame.to_ndarray(format="rgba"))
        under = canvas[part.y : part.y + part.height, part.x : part.x + part.width]
        under[...] = _over(source, under) if part.blend else source

    def _part(self, chunk: _Chunk) -> _Part:
        head = self._bytes(chunk.at, 16)
        return _Part(
            x=_24_bits(head, 0) * 2,
            y=_24_bits(head, 3) * 2,
            width=_24_bits(head, 6) + 1,
            height=_24_bits(head, 9) + 1,
            milliseconds=_24_bits(head, 12),
            blend=not head[15] & 2,
            dispose=bool(head[15] & 1),
            data=_Chunk(b"", chunk.at + 16, chunk.size - 16),
        )

    def _chunks(self, at: int, end: int) -> Iterator[_Chunk]:
        for _ in range(_MAX_CHUNKS):
            head = self._bytes(at, 8)
            if at + 8 > end or len(head) < 8:
                return
            size = int.from_bytes(head[4:], "little")
            yield _Chunk(head[:4], at + 8, min(size, end - at - 8))
            at += 8 + size + (size & 1)

    def _bitstream(self, chunks: Sequence[_Chunk], width: int, height: int) -> bytes:
        """A WebP file of one picture, which is what FFmpeg decodes."""
        if sum(chunk.size for chunk in chunks) > _MAX_BITSTREAM:
            raise CannotDecode(say("sampler.read_too_much"))
        body = b"".join(_chunk(chunk.kind, self._bytes(chunk.at, chunk.size)) for chunk in chunks)
        if chunks and chunks[0].kind == b"ALPH":
            size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
            body = _chunk(b"VP8X", bytes((_ALPHA_FLAG, 0, 0, 0)) + size) + body
        return _chunk(b"RIFF", b"WEBP" + body)

    def _bytes(self, at: int, count: int) -> bytes:
        self._file.seek(at)
        return self._file.read(count)


def _only(decoder: VideoCodecContext, bitstream: bytes) -> av.VideoFrame:
    if decoder.is_open:
        decoder.flush_buffers()
    frames = decoder.decode(av.Packet(bitstream))
    if not frames:
        raise CannotDecode(say("sampler.nothing_decoded"))
    return frames[0]


def _shown(canvas: _Canvas, at_s: float, for_s: float) -> Frame:
    red, green, blue, alpha = (canvas[..., channel].copy() for channel in range(4))
    return Frame(
        planes=(red, green, blue),
        model="rgb",
        depth=8,
        alpha=alpha,
        time_s=at_s,
        duration_s=for_s,
        colour=Colour(matrix="rgb", full_range=True),
    )


def _over(source: _Canvas, under: _Canvas) -> _Canvas:
    """`source` blended over `under`, neither premultiplied (RFC 9649, clause 2.7.2.1)."""
    above = source[..., 3:].astype(np.uint32)
    below = under[..., 3:].astype(np.uint32) * (255 - above) // 255
    alpha = above + below
    mixed = source[..., :3] * above + under[..., :3] * below
    colours = mixed // np.maximum(alpha, 1)
    return np.concatenate([colours, alpha], axis=-1).astype(np.uint8)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)


def _24_bits(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
