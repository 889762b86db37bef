"""AVI (Microsoft, "AVI RIFF File Reference"; OpenDML 1.02): video stream, INFO entries, XMP, first frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...messages import say
from ..container import NotMedia
from .bounded import MAX_VALUE, Malformed, Reading, frame_rate, ratio, seconds, text_of, unsigned_le
from .fourcc import codec_of
from .nal import CODECS, length_field, tag_length_prefixed, tag_private, tag_start_codes
from .riff import Chunk, chunks
from .xmp import tag_xmp

MAX_FRAME = 256 * 1024  # bytes of the first frame that are searched for SEIs
MAX_EARLY_CHUNKS = 64  # of the movie list that are looked at for the first video frame


@dataclass
class _Video:
    index: int
    handler: bytes
    scale: int
    rate: int
    length: int
    private: bytes = b""


def read_avi(reading: Reading) -> None:
    """Read the header list, the INFO entries and the first video frame.

    Raises:
        NotMedia: the file ends before it says what is in it, or holds no video.
    """
    container = reading.container
    container.format, container.mime = "avi", "video/x-msvideo"
    video: _Video | None = None
    headers = False
    try:
        for riff in chunks(reading, 0, reading.size):
            if riff.id != b"RIFF" or riff.kind not in (b"AVI ", b"AVIX"):
                continue
            for chunk in chunks(reading, riff.start, riff.end):
                if chunk.kind == b"hdrl":
                    headers = True
                    video = _read_headers(reading, chunk) or video
                elif chunk.kind == b"INFO":
                    _read_info(reading, chunk)
                elif chunk.kind == b"movi" and video:
                    _read_first_frame(reading, chunk, video)
                elif chunk.id == b"_PMX" and chunk.size <= MAX_VALUE:
                    tag_xmp(reading, reading.bytes_at(chunk.start, chunk.size))
    except Malformed as problem:
        reading.note(str(problem))
    if not headers:
        raise NotMedia(say("container.not_media.headers_missing", format="AVI"))
    if video is None:
        raise NotMedia(say("container.not_media.no_video", format="AVI"))
    container.fps = frame_rate(ratio(video.rate, video.scale))
    container.duration_s = seconds(ratio(video.length * video.scale, video.rate))


def _read_headers(reading: Reading, header: Chunk) -> _Video | None:
    video: _Video | None = None
    index = 0
    for chunk in chunks(reading, header.start, header.end):
        if chunk.id == b"avih":
            payload = reading.bytes_at(chunk.start, 56)
            container = reading.container
            container.width, container.height = (
                unsigned_le(payload, 32, 4) or None,
                unsigned_le(payload, 36, 4) or None,
            )
        elif chunk.kind == b"strl":
            found = _read_stream(reading, chunk, index)
            video = video or found
            index += 1
        elif chunk.kind == b"INFO":
            _read_info(reading, chunk)
        elif chunk.kind == b"odml" and video:
            _read_extended(reading, chunk, video)
    return video


def _read_stream(reading: Reading, stream: Chunk, index: int) -> _Video | None:
    video: _Video | None = None
    for chunk in chunks(reading, stream.start, stream.end):
        if chunk.id == b"strh":
            payload = reading.bytes_at(chunk.start, 56)
            if payload[:4] != b"vids":
                return None
            video = _Video(
                index,
                payload[4:8],
                unsigned_le(payload, 20, 4),
                unsigned_le(payload, 24, 4),
                unsigned_le(payload, 32, 4),
            )
        elif chunk.id == b"strf" and video:
            payload = reading.bytes_at(chunk.start, min(chunk.size, 64 * 1024))
            container = reading.container
            container.width = unsigned_le(payload, 4, 4) or container.width
            height = int.from_bytes(payload[8:12], "little", signed=True)  # negative: top-down
            container.height = abs(height) or container.height
            video.private = payload[40:]
            fourcc = payload[16:20]
            container.codec = (
                codec_of(fourcc) or codec_of(video.handler) or (text_of(fourcc).strip().lower() or None)
            )
        elif chunk.id == b"strn":
            reading.text_tag("riff:strn", "name", reading.bytes_at(chunk.start, min(chunk.size, 1024)))
    return video


def _read_extended(reading: Reading, header: Chunk, video: _Video) -> None:
    """OpenDML: the whole file's frame count, where a file of several RIFF parts says only the first's."""
    for chunk in chunks(reading, header.start, header.end):
        if chunk.id == b"dmlh":
            video.length = max(video.length, unsigned_le(reading.bytes_at(chunk.start, 4), 0, 4))


def _read_info(reading: Reading, info: Chunk) -> None:
    for chunk in chunks(reading, info.start, info.end):
        if chunk.size > MAX_VALUE:
            reading.problem("tag_too_large", place="riff:INFO", key=text_of(chunk.id))
            continue
        reading.text_tag("riff:INFO", text_of(chunk.id), reading.bytes_at(chunk.start, chunk.size))


def _read_first_frame(reading: Reading, movie: Chunk, video: _Video) -> None:
    codec = reading.container.codec or ""
    if codec not in CODECS:
        return
    tag_private(reading, codec, video.private)
    wanted = (f"{video.index:02d}dc".encode(), f"{video.index:02d}db".encode())
    for number, chunk in enumerate(_frames(reading, movie)):
        if number >= MAX_EARLY_CHUNKS:
            return
        if chunk.id in wanted and chunk.size:
            prefix = length_field(codec, video.private)
            if prefix:
                tag_length_prefixed(reading, chunk.start, chunk.size, prefix, codec)
            else:
                tag_start_codes(reading, reading.bytes_at(chunk.start, min(chunk.size, MAX_FRAME)), codec)
            return


def _frames(reading: Reading, movie: Chunk) -> Iterator[Chunk]:
    for chunk in chunks(reading, movie.start, movie.end):
        if chunk.kind == b"rec ":
            yield from chunks(reading, chunk.start, chunk.end)
        else:
            yield chunk
