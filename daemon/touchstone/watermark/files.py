"""Marks a video file: every frame of its picture, with sound, subtitles and metadata carried over as is.

Frames go through one at a time, so memory does not grow with the clip. The result appears under its name only
once it is complete. The mark does not depend on the machine, being whole-number arithmetic; and the encoder's
number of threads, on which its output depends, is fixed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from ..messages import say
from .embedding import FrameMarker
from .key import Key
from .payload import Statement

CRF = 17
"""Quality of the marked file: at this one x264 adds less to the picture than the mark does."""

_THREADS = 4
# Looking ahead, x264 (core 165) with AVX-512 gives another file now and then from the very same frames.
# Without it every run gives the same.
_REPEATABLE = "rc-lookahead=0:sync-lookahead=0"
_X264 = ("libx264", {"crf": str(CRF), "preset": "veryfast", "x264-params": _REPEATABLE})
_VP9 = ("libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"})
ENCODERS = {".mp4": _X264, ".m4v": _X264, ".mov": _X264, ".mkv": _X264, ".webm": _VP9}
"""What each kind of file is encoded with."""

# Pixel formats that are kept; anything else becomes 4:2:0 with 8 bits.
_KEPT = {
    "libx264": frozenset(
        ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"]
    ),
    "libvpx-vp9": frozenset(["yuv420p", "yuv444p"]),
}
_PLAIN = "yuv420p"

# Tags that say what kind of file the source was.
_OF_THE_FORMAT = frozenset(["major_brand", "minor_version", "compatible_brands", "encoder"])

Progress = Callable[[float], None]
"""Told the share that is done, from 0 to 1."""


class CannotMark(Exception):
    """A file cannot be marked; the text names it, the reason and the remedy."""


@dataclass(frozen=True)
class Marked:
    """What was made.

    Attributes:
        frames: how many were marked.
        width, height: of the picture.
    """

    frames: int
    width: int
    height: int


def embed(
    source: Path,
    target: Path,
    payload: int,
    key: Key,
    *,
    statement: Statement = Statement.MARKED,
    quality: int | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> Marked:
    """Write a marked copy of a video.

    Args:
        source: any video that FFmpeg reads.
        target: its suffix says what it becomes: one of ENCODERS.
        payload: the 32 bits.
        key: whose mark it is.
        statement: what the mark says of the clip.
        quality: CRF of the encoder; smaller is better and larger.
        replace: whether `target` may exist.
        progress: told how far it is.

    Raises:
        CannotMark: the source is no video, or the target cannot be written.
    """
    encoder = ENCODERS.get(target.suffix.lower())
    if encoder is None:
        raise CannotMark(say("watermark.suffix", path=target, suffixes=", ".join(ENCODERS)))
    if target.exists() and not replace:
        raise CannotMark(say("watermark.exists", path=target))
    name, options = encoder
    if quality is not None:
        options = {**options, "crf": str(quality)}
    draft = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix}")
    try:
        first = _first_picture(source, _KEPT[name])
        with (
            _opened(source) as clip,
            av.open(str(draft), "w", container_options=_container_options(target)) as out,
        ):
            copy = _Copy(clip, out, name, options, first)
            marker = FrameMarker(payload, key, first.width, first.height, statement=statement)
            marked = copy.run(marker, progress)
        draft.replace(target)
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CannotMark(say("watermark.failed", path=source, target=target, reason=reason)) from problem
    finally:
        draft.unlink(missing_ok=True)
    return marked


def _container_options(target: Path) -> dict[str, str]:
    """The index in front, so that a player can begin at once; and tags of any name."""
    mov = target.suffix.lower() in (".mp4", ".m4v", ".mov")
    return {"movflags": "+faststart+use_metadata_tags"} if mov else {}


def _refuse_to_open(url: str, flags: int, options: object) -> BinaryIO:
    """What FFmpeg gets when a file asks it to open another one, as playlists do."""
    raise PermissionError("a video may not open anything else")


@contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    with path.open("rb") as file:
        clip = av.open(file, "r", io_open=_refuse_to_open, metadata_errors="replace")
        with clip:
            yield clip


class _Copy:
    """One file on its way to another.

    Args:
        clip: the source, open.
        out: the target, open and empty.
        encoder, options: for the picture.
        first: the first picture, as `_planar` makes it.
    """

    def __init__(
        self,
        clip: InputContainer,
        out: OutputContainer,
        encoder: str,
        options: dict[str, str],
        first: VideoFrame,
    ) -> None:
        self._clip = clip
        self._out = out
        self._kept = _KEPT[encoder]
        self._stream = _picture_stream(clip)
        self._stream.codec_context.thread_type = "AUTO"
        out.metadata.update({k: v for k, v in clip.metadata.items() if k not in _OF_THE_FORMAT})
        # The picture comes first, as in the file that a player expects; the others in their order.
        rate = self._stream.average_rate or Fraction(25)
        self._target = cast(VideoStream, out.add_stream(encoder, rate=rate, options=dict(options)))
        context, own = self._target.codec_context, self._stream.codec_context
        context.width, context.height, context.pix_fmt = first.width, first.height, first.format.name
        context.thread_count = _THREADS
        context.time_base = self._stream.time_base or Fraction(1, 1000)
        for name in ("color_range", "color_primaries", "color_trc", "colorspace", "sample_aspect_ratio"):
            if (value := getattr(own, name)) is not None:
                setattr(context, name, value)
        self._target.metadata.update({k: v for k, v in self._stream.metadata.items() if k != "rotate"})
        self._others: dict[int, Stream] = {}
        for other in clip.streams:
            if other.type in ("audio", "subtitle"):
                self._others[other.index] = _carried(out, other)
                self._others[other.index].metadata.update(other.metadata)
        out.set_chapters(clip.chapters())

    def run(self, marker: FrameMarker, progress: Progress | None) -> Marked:
        context = self._target.codec_context
        count = 0
        last: int | None = None
        rate = self._stream.average_rate or Fraction(25)
        end = self._clip.duration / av.time_base if self._clip.duration else None
        for packet in self._clip.demux(self._stream, *[self._clip.streams[i] for i in self._others]):
            if packet.stream is not self._stream:
                if packet.dts is not None:
                    packet.pts = packet.dts if packet.pts is None else packet.pts  # AVI has no other
                    packet.stream = self._others[packet.stream.index]
                    self._out.mux(packet)
                continue
            for frame in cast(Any, packet).decode():
                picture = _planar(frame, self._kept)
                if (picture.width, picture.height) != (context.width, context.height):
                    picture = picture.reformat(width=context.width, height=context.height)
                if picture.format.name != context.pix_fmt:
                    picture = picture.reformat(format=context.pix_fmt)
                marked = _marked(picture, marker)
                last = (frame.pts or 0) if last is None else _later(frame, last, rate)
                marked.pts, marked.time_base = last, frame.time_base
                self._out.mux(self._target.encode(marked))
                count += 1
                if progress is not None and end and frame.time is not None:
                    progress(min(1.0, frame.time / end))
        self._out.mux(self._target.encode())
        return Marked(count, context.width, context.height)


def _carried(out: OutputContainer, stream: Stream) -> Stream:
    """A stream of the target for the packets of one of the source's.

    Raises:
        ValueError: this kind of file cannot hold them.
    """
    try:
        return out.add_stream_from_template(stream)
    except ValueError as problem:
        raise ValueError(say("watermark.stream", kind=stream.type, reason=problem)) from problem


def _later(frame: VideoFrame, last: int, rate: Fraction) -> int:
    """When a frame is shown, in ticks: later than the one before, also where the file does not say."""
    if frame.pts is not None and frame.pts > last:
        return int(frame.pts)
    return last + max(1, round(1 / (rate * (frame.time_base or Fraction(1, 1000)))))


def _picture_stream(clip: InputContainer) -> VideoStream:
    """The largest video stream that is no cover picture.

    Raises:
        ValueError: there is none.
    """
    cover = av.stream.Disposition.attached_pic
    streams = [s for s in clip.streams.video if not s.disposition & cover]
    if not streams:
        raise ValueError(say("watermark.no_video"))
    return max(streams, key=lambda s: s.codec_context.width * s.codec_context.height)


def _first_picture(source: Path, kept: frozenset[str]) -> VideoFrame:
    """The first picture: encoder and other streams can only be set up once its size is known.

    Raises:
        ValueError: nothing can be decoded.
    """
    with _opened(source) as clip:
        for frame in clip.decode(_picture_stream(clip)):
            return _planar(frame, kept)
    raise ValueError(say("watermark.no_frames"))


def _planar(frame: VideoFrame, kept: frozenset[str]) -> VideoFrame:
    """The frame as it is shown, in a pixel format and a size that the encoder takes."""
    turns = round(frame.rotation / 90) % 4
    if frame.format.name in kept and not (turns or frame.width % 2 or frame.height % 2):
        return frame
    planes = [np.rot90(plane, turns) for plane in _arrays(frame.reformat(format=_PLAIN))]
    # A line too many for 4:2:0 is cut off: encoders take whole pairs only.
    height, width = (side // 2 * 2 for side in planes[0].shape)
    planes = [planes[0][:height, :width], *(p[: height // 2, : width // 2] for p in planes[1:])]
    return _frame(planes, _PLAIN)


def _marked(frame: VideoFrame, marker: FrameMarker) -> VideoFrame:
    """The frame with the mark in its luma."""
    planes = _arrays(frame)
    depth = frame.format.components[0].bits
    eight = (planes[0] >> (depth - 8)).astype(np.uint8)
    change = marker.change(eight)
    largest = (1 << depth) - 1
    planes[0] = np.clip(planes[0].astype(np.int32) + (change.astype(np.int32) << (depth - 8)), 0, largest)
    return _frame(planes, frame.format.name)


def _arrays(frame: VideoFrame) -> list[NDArray[Any]]:
    """The planes of a planar frame."""
    wide = 2 if frame.format.components[0].bits > 8 else 1
    kind = np.uint16 if wide == 2 else np.uint8
    return [
        np.frombuffer(memoryview(cast(Any, plane)), kind).reshape(plane.height, -1)[:, : plane.width]
        for plane in frame.planes
    ]


def _frame(planes: list[NDArray[Any]], name: str) -> VideoFrame:
    """A planar frame of planes."""
    height, width = planes[0].shape
    frame = VideoFrame(width, height, name)
    wide = 2 if frame.format.components[0].bits > 8 else 1
    for plane, values in zip(frame.planes, planes, strict=True):
        lines = np.zeros((plane.height, plane.line_size // wide), np.uint16 if wide == 2 else np.uint8)
        lines[:, : plane.width] = values
        plane.update(lines.tobytes())
    return frame
