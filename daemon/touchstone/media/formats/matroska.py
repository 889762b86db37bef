"""Matroska and WebM (RFC 9559): the video track, tags, writing programs, the first frame's SEIs."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...messages import say
from ..container import NotMedia
from .bounded import MAX_VALUE, Malformed, Reading, frame_rate, ratio, seconds
from .ebml import Element, elements, float_in, number_in, sized, text_in
from .fourcc import codec_of
from .nal import CODECS, length_field, tag_length_prefixed, tag_private

SIGNATURE = b"\x1a\x45\xdf\xa3"

EBML, DOC_TYPE, SEGMENT = 0x1A45DFA3, 0x4282, 0x18538067
INFO, TRACKS, TAGS, CLUSTER, SEEK_HEAD = 0x1549A966, 0x1654AE6B, 0x1254C367, 0x1F43B675, 0x114D9B74
TIMESTAMP_SCALE, DURATION, TITLE, MUXING_APP, WRITING_APP = 0x2AD7B1, 0x4489, 0x7BA9, 0x4D80, 0x5741
PROGRAMS = {TITLE: "Title", MUXING_APP: "MuxingApp", WRITING_APP: "WritingApp"}
TRACK_ENTRY, TRACK_NUMBER, TRACK_TYPE, CODEC_ID, CODEC_PRIVATE = 0xAE, 0xD7, 0x83, 0x86, 0x63A2
DEFAULT_DURATION, VIDEO, PIXEL_WIDTH, PIXEL_HEIGHT = 0x23E383, 0xE0, 0xB0, 0xBA
TAG, SIMPLE_TAG, TAG_NAME, TAG_STRING, TAG_BINARY = 0x7373, 0x67C8, 0x45A3, 0x4487, 0x4485
TIMESTAMP, SIMPLE_BLOCK, BLOCK_GROUP, BLOCK = 0xE7, 0xA3, 0xA0, 0xA1

VIDEO_TRACK, AUDIO_TRACK = 1, 2
MAX_TAG_DEPTH = 8
MAX_TIMED_BLOCKS = 240  # from whose times a frame rate is made where the file gives none

CODEC_OF = {
    "V_VP8": "vp8", "V_VP9": "vp9", "V_AV1": "av1", "V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc",
    "V_MPEGI/ISO/VVC": "vvc", "V_MPEG4/ISO/SP": "mpeg4", "V_MPEG4/ISO/ASP": "mpeg4",
    "V_MPEG4/ISO/AP": "mpeg4",
    "V_MPEG4/MS/V3": "msmpeg4v3", "V_MPEG1": "mpeg1video", "V_MPEG2": "mpeg2video", "V_THEORA": "theora",
    "V_MJPEG": "mjpeg", "V_FFV1": "ffv1", "V_PRORES": "prores", "V_UNCOMPRESSED": "rawvideo",
}  # fmt: skip


@dataclass
class _Track:
    number: int = 0
    kind: int = 0
    codec: str = ""
    private: bytes = b""
    frame_ns: int = 0
    width: int = 0
    height: int = 0


@dataclass
class _Segment:
    scale_ns: int = 1_000_000
    duration: float = 0.0
    tracks: list[_Track] = field(default_factory=list)
    cluster_time: int = 0
    clusters: int = 0
    times: list[int] = field(default_factory=list)
    first_frame: tuple[int, int] | None = None
    last_time: int = 0

    @property
    def video(self) -> _Track | None:
        return next((t for t in self.tracks if t.kind == VIDEO_TRACK), None)


def read_matroska(reading: Reading) -> None:
    """Read a file that begins with an EBML header.

    Raises:
        NotMedia: it ends before its tracks, or holds sound only.
    """
    container = reading.container
    container.format, container.mime = "mkv", "video/x-matroska"
    segment = _Segment()
    try:
        for element in elements(reading, 0, reading.size):
            if element.id == EBML:
                for child in elements(reading, element.start, element.end):
                    if child.id == DOC_TYPE and text_in(reading, child) == "webm":
                        container.format, container.mime = "webm", "video/webm"
            elif element.id == SEGMENT:
                _read_segment(reading, element.start, element.end, segment)
                break
    except Malformed as problem:
        reading.note(str(problem))
    if not segment.tracks and not segment.clusters:
        raise NotMedia(say("container.not_media.headers_missing", format="Matroska or WebM"))
    _fill(reading, segment)


def _read_segment(reading: Reading, start: int, end: int, segment: _Segment) -> None:
    """Walk a segment. A cluster is gone into while times are wanted, or when it does not say its size."""
    at = start
    while at < end:
        inside: Element | None = None
        for element in elements(reading, at, end):
            if element.id == INFO:
                _read_info(reading, element, segment)
            elif element.id == TRACKS:
                for entry in elements(reading, element.start, element.end):
                    if entry.id == TRACK_ENTRY:
                        segment.tracks.append(_read_track(reading, entry))
            elif element.id == TAGS:
                _read_tags(reading, element, 0)
            elif element.id == CLUSTER:
                segment.clusters += 1
                if element.open:
                    inside = element
                else:
                    _read_cluster(reading, element, segment)
            else:
                _read_cluster_child(reading, element, segment)
        if inside is None:
            return
        at = inside.start


def _read_cluster(reading: Reading, cluster: Element, segment: _Segment) -> None:
    """A cluster that says its size: its time, and its blocks as long as they are wanted."""
    for child in elements(reading, cluster.start, cluster.end):
        _read_cluster_child(reading, child, segment)
        if child.id == TIMESTAMP and segment.first_frame and len(segment.times) >= MAX_TIMED_BLOCKS:
            return


def _read_cluster_child(reading: Reading, child: Element, segment: _Segment) -> None:
    if child.id == TIMESTAMP:
        segment.cluster_time = number_in(reading, child)
        segment.last_time = max(segment.last_time, segment.cluster_time)
    elif child.id == SIMPLE_BLOCK:
        _read_block(reading, child, segment)
    elif child.id == BLOCK_GROUP:
        for inner in elements(reading, child.start, child.end):
            if inner.id == BLOCK:
                _read_block(reading, inner, segment)


def _read_block(reading: Reading, block: Element, segment: _Segment) -> None:
    """A block begins with the track's number, a signed time within the cluster, and flags."""
    track = segment.video
    if track is None:
        return
    head = reading.bytes_at(block.start, 12)
    number, width = sized(head, 0)
    if number != track.number or len(head) < width + 3:
        return
    time = segment.cluster_time + int.from_bytes(head[width : width + 2], "big", signed=True)
    segment.last_time = max(segment.last_time, time)
    if len(segment.times) < MAX_TIMED_BLOCKS:
        segment.times.append(time)
    if segment.first_frame is None:
        segment.first_frame = (block.start + width + 3, block.size - width - 3)


def _read_info(reading: Reading, info: Element, segment: _Segment) -> None:
    for child in elements(reading, info.start, info.end):
        if child.id == TIMESTAMP_SCALE:
            segment.scale_ns = number_in(reading, child) or segment.scale_ns
        elif child.id == DURATION:
            segment.duration = float_in(reading, child)
        elif child.id in PROGRAMS:
            reading.tag("mkv:Info", PROGRAMS[child.id], text_in(reading, child))


def _read_track(reading: Reading, entry: Element) -> _Track:
    track = _Track()
    for child in elements(reading, entry.start, entry.end):
        if child.id == TRACK_NUMBER:
            track.number = number_in(reading, child)
        elif child.id == TRACK_TYPE:
            track.kind = number_in(reading, child)
        elif child.id == CODEC_ID:
            track.codec = text_in(reading, child)
        elif child.id == CODEC_PRIVATE:
            track.private = reading.bytes_at(child.start, min(child.size, 64 * 1024))
        elif child.id == DEFAULT_DURATION:
            track.frame_ns = number_in(reading, child)
        elif child.id == VIDEO:
            for inner in elements(reading, child.start, child.end):
                if inner.id == PIXEL_WIDTH:
                    track.width = number_in(reading, inner)
                elif inner.id == PIXEL_HEIGHT:
                    track.height = number_in(reading, inner)
    return track


def _read_tags(reading: Reading, parent: Element, depth: int) -> None:
    if depth > MAX_TAG_DEPTH:
        return
    name, values = "", list[Element]()
    for child in elements(reading, parent.start, parent.end):
        if child.id in (TAG, SIMPLE_TAG):
            _read_tags(reading, child, depth + 1)
        elif child.id == TAG_NAME:
            name = text_in(reading, child)
        elif child.id in (TAG_STRING, TAG_BINARY):
            values.append(child)
    for value in values:
        if value.size > MAX_VALUE:
            reading.problem("tag_too_large", place="mkv:Tag", key=name)
        elif value.id == TAG_STRING:
            reading.tag("mkv:Tag", name, text_in(reading, value, MAX_VALUE))
        else:
            reading.tag("mkv:Tag", name, reading.bytes_at(value.start, value.size))


def _fill(reading: Reading, segment: _Segment) -> None:
    container, track = reading.container, segment.video
    if track is None:
        if segment.tracks and all(t.kind == AUDIO_TRACK for t in segment.tracks):
            raise NotMedia(say("container.not_media.audio", format="Matroska"))
        reading.problem("no_video_track")
        return
    codec = CODEC_OF.get(track.codec)
    if track.codec == "V_MS/VFW/FOURCC" and len(track.private) >= 20:
        codec = codec_of(track.private[16:20])
    container.codec = codec or track.codec.removeprefix("V_").lower() or None
    container.width, container.height = track.width or None, track.height or None
    container.duration_s = seconds(ratio(segment.duration * segment.scale_ns, 1e9))
    if container.duration_s is None:
        container.duration_s = seconds(ratio(segment.last_time * segment.scale_ns, 1e9))
    container.fps = frame_rate(ratio(1e9, track.frame_ns)) or _rate(segment)
    if codec in CODECS and segment.first_frame:
        prefix = length_field(codec, track.private)
        tag_private(reading, codec, track.private)
        if prefix:
            tag_length_prefixed(reading, *segment.first_frame, prefix, codec)


def _rate(segment: _Segment) -> float | None:
    """A frame rate from the times of the first blocks, which the container rounds to its clock."""
    times = segment.times
    if len(times) < 2:
        return None
    return frame_rate(ratio((len(times) - 1) * 1e9, (max(times) - min(times)) * segment.scale_ns))
