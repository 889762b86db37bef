"""Encodes a clip again, in memory. Runs in confined workers only: it decodes what anyone may have made."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from typing import BinaryIO, cast

import av
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..media.container import CannotDecode, Container
from ..media.decode import Source, failures_in_words, opened
from ..media.probe import read_container
from ..messages import say
from .conditions import GOP, Encode, Stage

_SLOWEST, _FASTEST = 1, 240  # frames a second that an encoder is told, whatever a container claims
_SMALLEST = 32  # pixels of a side; below, encoders refuse


Treat = Callable[[Iterator[VideoFrame]], Iterator[VideoFrame]]
"""What is done to a clip's pictures before anything encodes them."""


def encoded(
    container: Container,
    file: BinaryIO,
    size: int,
    stages: Sequence[Stage],
    frames: int,
    treat: Treat | None = None,
) -> bytes:
    """The clip as it comes out of a chain of stages: an MP4 file.

    Args:
        container: what our probe found in `file`.
        file, size: the clip.
        stages: at least one.
        frames: how many of its first frames are taken.
        treat: what is done to them before the first stage.

    Raises:
        CannotDecode: not a single frame can be had, or what came out cannot be read.
    """
    content = b""
    for stage in stages:
        content = _one(container, file, size, stage, frames, treat)
        treat = None
        file, size = io.BytesIO(content), len(content)
        container = read_container(file, size)
    return content


def _one(
    container: Container, file: BinaryIO, size: int, stage: Stage, frames: int, treat: Treat | None
) -> bytes:
    rate = Fraction(min(max(container.fps or 25.0, _SLOWEST), _FASTEST)).limit_denominator(1001)
    with opened(container, [(file, size)]) as source, failures_in_words():
        source.use_threads(1)
        pictures = treat(_decoded(source, frames)) if treat else _decoded(source, frames)
        return write((changed(frame, stage) for frame in pictures), stage.encode, rate)


def _decoded(clip: Source, frames: int) -> Iterator[VideoFrame]:
    """The first `frames` frames, in the order they are shown."""
    left = frames
    for packet in clip.packets():
        for frame in clip.context.decode(packet):
            yield frame
            left -= 1
            if not left:
                return
    yield from clip.context.decode(None)[:left]


def changed(frame: VideoFrame, stage: Stage) -> VideoFrame:
    """A frame as a stage's encoder takes it: 4:2:0 with 8 bits, even sides."""
    width, height = frame.width, frame.height
    if stage.crop:
        across, down = int(width * stage.crop) // 2 * 2, int(height * stage.crop) // 2 * 2
        frame = _cut(frame, across, down, width - 2 * across, height - 2 * down)
        width, height = frame.width, frame.height
    if stage.there_and_back:
        frame = _scaled(frame, width * stage.there_and_back, height * stage.there_and_back)
        frame = _scaled(frame, width // 2 * 2, height // 2 * 2)
    factor = stage.short_side / min(width, height) if stage.short_side else 1.0
    if factor < 1:
        return _scaled(frame, width * factor, height * factor)
    if frame.width % 2 or frame.height % 2:
        frame = _cut(frame, 0, 0, frame.width // 2 * 2, frame.height // 2 * 2)
    return frame.reformat(format="yuv420p")


def _scaled(frame: VideoFrame, width: float, height: float) -> VideoFrame:
    """The nearest even sides that an encoder takes."""
    across, down = (max(_SMALLEST, round(side / 2) * 2) for side in (width, height))
    return frame.reformat(across, down, "yuv420p", interpolation="BICUBIC")


def _cut(frame: VideoFrame, left: int, top: int, width: int, height: int) -> VideoFrame:
    planes = frame.reformat(format="yuv444p").to_ndarray()
    piece = planes[:, top : top + height, left : left + width]
    return VideoFrame.from_ndarray(piece.copy(), "yuv444p")


def write(frames: Iterator[VideoFrame], encode: Encode, rate: Fraction) -> bytes:
    """An MP4 file of `frames`, all of the first one's size.

    Raises:
        CannotDecode: there are none, or their sides are too short for an encoder.
    """
    first = next(frames, None)
    if first is None:
        raise CannotDecode(say("sampler.nothing_decoded"))
    if min(first.width, first.height) < _SMALLEST:
        raise CannotDecode(say("evaluate.too_small", pixels=_SMALLEST))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        stream = cast(VideoStream, output.add_stream(encode.codec, rate=rate, options=dict(encode.options)))
        stream.width, stream.height, stream.pix_fmt = first.width, first.height, "yuv420p"
        stream.gop_size = GOP
        stream.thread_count = 1
        for number, frame in enumerate(chain((first,), _same_size(frames, first))):
            frame.pts, frame.time_base = number, 1 / rate
            frame.pict_type = 0  # the encoder chooses
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def _same_size(frames: Iterator[VideoFrame], first: VideoFrame) -> Iterator[VideoFrame]:
    for frame in frames:
        if (frame.width, frame.height) != (first.width, first.height):
            return
        yield frame
