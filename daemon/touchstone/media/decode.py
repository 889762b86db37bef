"""FFmpeg, through PyAV, held to what this product needs of it.

This runs in confined workers only. The demuxer is named by our own probe, never guessed from the bytes; a
demuxer may open nothing besides the bytes it is given; decoders are those of the list; and pictures, streams
and bytes are bounded before memory is taken for them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from threading import Lock
from typing import BinaryIO, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from ..messages import say
from .container import CannotDecode, Container

# Our name of a format: FFmpeg's demuxer. None of these opens another file by itself: `mov` has external
# references, which are off by default and would end at `_refuse_to_open`; playlists (hls, dash), concat and
# image sequences (image2) are not here.
DEMUXERS: Mapping[str, str] = {
    "mp4": "mov", "mov": "mov", "m4v": "mov", "3gp": "mov", "3g2": "mov", "m4s": "mov", "avif": "mov",
    "heic": "mov", "mkv": "matroska", "webm": "matroska", "avi": "avi", "flv": "flv", "mpegts": "mpegts",
    "mpeg": "mpeg", "ogg": "ogg", "gif": "gif", "png": "png_pipe", "apng": "apng", "jpeg": "jpeg_pipe",
}  # fmt: skip

# Decoders of what browsers and cameras make. `av1` is FFmpeg's own, which needs hardware; libdav1d is used.
DECODERS = (
    "h264", "hevc", "libdav1d", "vp8", "vp9", "libvpx-vp9", "mpeg4", "mpeg2video", "mpeg1video", "h263",
    "mjpeg", "theora", "prores", "dnxhd", "flv", "msmpeg4v3", "ffv1", "rawvideo",
    "gif", "png", "apng", "webp",
)  # fmt: skip

# A stream made for broadcasting: FFmpeg seeks in it to a time of decoding, and to any frame. A second covers
# the distance from decoding to display (H.264 allows 16 frames).
_SEEKS_LATE = "mpegts"

MAX_PIXELS = 40_000_000
"""Of one picture: 8K UHD (7680 by 4320) is 33 million."""
MAX_STREAMS = 64
MAX_READ = 1 << 30
"""Bytes that one decoder of a scan may have FFmpeg read."""
_BUFFER = 1 << 16
_PROBE_BYTES = 1 << 20
_PROBE_MICROSECONDS = 1_000_000


VideoPacket: TypeAlias = "Packet[VideoStream]"


class BoundedFile(io.RawIOBase):
    """A file, or several one after another, that reads no more than it may.

    Args:
        parts: open files and how many bytes of each count; an init segment and its fragments are several.
        reading: held while one of them is read: others may read the same files.
        limit: bytes that may be read in all.
    """

    name = "clip"  # PyAV shows a file's name to FFmpeg, which must not learn the real one

    def __init__(
        self, parts: Sequence[tuple[BinaryIO, int]], reading: Lock | None = None, *, limit: int = MAX_READ
    ) -> None:
        super().__init__()
        self._parts = parts
        self._reading = reading or Lock()
        self._size = sum(size for _, size in parts)
        self._at = 0
        self._left = limit

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}.get(whence)
        if base is None or base + offset < 0:
            raise ValueError(f"cannot seek by {offset} from {whence}")
        self._at = base + offset
        return self._at

    def read(self, count: int = -1) -> bytes:
        count = min(count if count >= 0 else self._size, max(self._size - self._at, 0), _BUFFER)
        if count > self._left:
            raise CannotDecode(say("sampler.read_too_much"))
        data = self._read_at(self._at, count)
        self._at += len(data)
        self._left -= len(data)
        return data

    def _read_at(self, at: int, count: int) -> bytes:
        for file, size in self._parts:
            if at < size:
                with self._reading:
                    file.seek(at)
                    return file.read(min(count, size - at))
            at -= size
        return b""


def _refuse_to_open(url: str, flags: int, options: object) -> BinaryIO:
    """What FFmpeg gets when a file asks it to open another one."""
    raise PermissionError("a clip may not open anything else")


@dataclass(frozen=True)
class Source:
    """An open clip and the video stream in it that is decoded."""

    container: InputContainer
    stream: VideoStream

    @property
    def context(self) -> VideoCodecContext:
        return self.stream.codec_context

    @property
    def base(self) -> Fraction:
        """Seconds of one tick of the stream's clock."""
        return self.stream.time_base or Fraction(1, 1000)

    def use_threads(self, count: int) -> None:
        """Say how many threads the decoder may start; before anything is decoded."""
        self.context.thread_count = count
        self.context.thread_type = "FRAME" if count > 1 else "NONE"

    def seek(self, tick: int) -> None:
        """Go to the keyframe at or before `tick`, or somewhere before that, and forget what was decoded."""
        if self.container.format.name == _SEEKS_LATE:
            tick -= int(1 / self.base)
        try:
            self.container.seek(tick, stream=self.stream)
        except av.error.PermissionError as error:
            # -1, which FFmpeg's seeking returns where it finds nothing to go to, happens to be EPERM.
            raise CannotDecode(say("sampler.nowhere_to_seek")) from error
        self.context.flush_buffers()

    def packets(self) -> Iterator[VideoPacket]:
        """The stream's packets from here on."""
        for packet in self.container.demux(self.stream):
            if packet.size:
                yield packet
            elif packet.dts is None:
                return  # the demuxer's sign that the file has ended


@contextmanager
def opened(
    container: Container, parts: Sequence[tuple[BinaryIO, int]], reading: Lock | None = None
) -> Iterator[Source]:
    """A clip's video stream, ready to be demuxed and decoded; closed at the end.

    Args:
        container: what our probe found the clip to be.
        parts, reading: see `BoundedFile`.

    Raises:
        CannotDecode: it has no video stream that may be decoded.
    """
    demuxer = DEMUXERS.get(container.format)
    if demuxer is None:
        raise CannotDecode(say("sampler.no_demuxer", format=container.format))
    check_size(container.width or 0, container.height or 0)
    with failures_in_words():
        source = av.open(
            BoundedFile(parts, reading),
            "r",
            format=demuxer,
            # For the decoders that opening runs to learn what headers leave out, which nothing here asks for.
            options={"max_pixels": str(MAX_PIXELS), "threads": "1", "skip_frame": "all"},
            container_options={
                "codec_whitelist": ",".join(DECODERS),
                "format_whitelist": av.ContainerFormat(demuxer, "r").name,
                "protocol_whitelist": "none",
                "probesize": str(_PROBE_BYTES),
                "analyzeduration": str(_PROBE_MICROSECONDS),
                "max_streams": str(MAX_STREAMS),
            },
            metadata_errors="replace",
            buffer_size=_BUFFER,
            io_open=_refuse_to_open,
        )
    with source:
        yield Source(source, _video_stream(source))


def check_size(width: int, height: int) -> None:
    """Refuse pictures that are larger than any of today's, before memory is taken for them."""
    if width * height > MAX_PIXELS:
        raise CannotDecode(say("sampler.too_large", width=width, height=height))


@contextmanager
def failures_in_words() -> Iterator[None]:
    """Turn what PyAV raises into `CannotDecode`."""
    try:
        yield
    except MemoryError as error:  # FFmpeg's too
        raise CannotDecode(say("sampler.out_of_memory")) from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CannotDecode(say("sampler.ffmpeg", error=text)) from error


def _video_stream(source: InputContainer) -> VideoStream:
    attached = av.stream.Disposition.attached_pic
    streams = [s for s in source.streams.video if not s.disposition & attached]
    if not streams:
        raise CannotDecode(say("sampler.no_video"))
    decodable = [s for s in streams if s.codec_context is not None and s.codec_context.codec.name in DECODERS]
    if not decodable:
        codec = streams[0].codec_context
        raise CannotDecode(say("sampler.no_decoder", codec=codec.name if codec else say("sampler.unknown")))
    # The largest, as players do; of several, the one with most frames, since an AVIF sequence has its first
    # picture as a stream of its own; then the first.
    stream = max(
        decodable, key=lambda s: (s.codec_context.width * s.codec_context.height, s.frames, -s.index)
    )
    context = stream.codec_context
    check_size(context.width, context.height)
    context.options = {"max_pixels": str(MAX_PIXELS)}
    for other in source.streams:
        if other is not stream:
            other.discard = av.stream.Discard.all
    return stream
