"""FLV (Adobe, "Flash Video File Format Specification" 10.1, and Enhanced RTMP's codec codes)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from ...messages import say
from ..container import NotMedia
from .bounded import Malformed, Reading, frame_rate, ratio, seconds, take, text_of, unsigned
from .nal import CODECS, length_field, tag_length_prefixed, tag_private
from .xmp import tag_xmp

SIGNATURE = b"FLV\x01"
SCRIPT, VIDEO = 18, 9
MAX_TAGS = 600  # that are looked into: script data stands at the beginning
MAX_SCRIPT = 4 * 2**20
MAX_AMF_DEPTH = 8

CODEC_OF = {2: "flv1", 3: "flashsv", 4: "vp6f", 5: "vp6a", 6: "flashsv2", 7: "h264", 12: "hevc"}
CODEC_OF_FOURCC = {b"avc1": "h264", b"hvc1": "hevc", b"av01": "av1", b"vp09": "vp9", b"vp08": "vp8"}


@dataclass
class _Video:
    codec: str | None = None
    private: bytes = b""
    times: list[int] = field(default_factory=list)
    searched: bool = False


def read_flv(reading: Reading) -> None:
    """Read script data and the first video frame.

    Raises:
        NotMedia: there is no tag in it.
    """
    container = reading.container
    container.format, container.mime = "flv", "video/x-flv"
    video = _Video()
    at, seen = unsigned(take(reading.bytes_at(0, 9), 0, 9), 5, 4) + 4, 0
    while at + 11 <= reading.size and seen < MAX_TAGS:
        reading.step()
        head = reading.bytes_at(at, 11)
        kind, size = head[0] & 0x1F, unsigned(head, 1, 3)
        seen += 1
        if at + 11 + size > reading.size:
            reading.problem("chunk_cut", chunk=str(kind))
        if kind == SCRIPT:
            _read_script(reading, reading.bytes_at(at + 11, min(size, MAX_SCRIPT)))
        elif kind == VIDEO:
            video.times.append(unsigned(head, 4, 3) | head[7] << 24)
            _read_video(reading, at + 11, size, video)
        at += 11 + size + 4
    if seen == 0:
        raise NotMedia(say("container.not_media.headers_missing", format="FLV"))
    if not video.times:
        reading.problem("no_video_track")
    container.codec = video.codec
    if container.fps is None and len(video.times) > 1:
        container.fps = frame_rate(ratio((len(video.times) - 1) * 1000, max(video.times) - min(video.times)))
    if container.duration_s is None:
        container.duration_s = seconds(ratio(_last_time(reading), 1000))


def _last_time(reading: Reading) -> int:
    """The time of the last tag, in milliseconds: its length stands behind it."""
    size = int.from_bytes(reading.bytes_at(reading.size - 4, 4), "big")
    head = reading.bytes_at(reading.size - 4 - size, 11)
    return unsigned(head, 4, 3) | head[7] << 24 if len(head) == 11 and size >= 11 else 0


def _read_video(reading: Reading, at: int, size: int, video: _Video) -> None:
    head = reading.bytes_at(at, min(size, 8))
    if len(head) < 5 or video.searched:
        return
    if head[0] & 0x80:
        video.codec, packet = CODEC_OF_FOURCC.get(head[1:5]), head[0] & 0x0F
        body = 5 + (3 if packet == 1 and video.codec in CODECS else 0)
        packet = 1 if packet == 3 else packet
    else:
        video.codec, packet, body = CODEC_OF.get(head[0] & 0x0F), head[1], 5
    if video.codec not in CODECS:
        video.searched = True
    elif packet == 0:
        video.private = reading.bytes_at(at + body, min(size - body, 64 * 1024))
        tag_private(reading, video.codec, video.private)
    elif packet == 1:
        video.searched = True
        prefix = length_field(video.codec, video.private)
        if prefix:
            tag_length_prefixed(reading, at + body, size - body, prefix, video.codec)


# --- AMF0 (Adobe, "Action Message Format -- AMF 0") ------------------------------------------------


def _read_script(reading: Reading, data: bytes) -> None:
    try:
        name, at = _value(reading, data, 0, 0)
        value, _ = _value(reading, data, at, 0)
    except Malformed:
        reading.problem("script_broken")
        return
    if not isinstance(value, dict):
        return
    if name == "onXMPData":
        for packet in value.values():
            if isinstance(packet, str):
                tag_xmp(reading, packet.encode())
    elif name == "onMetaData":
        _keep(reading, value, "")
        _describe(reading, value)


def _describe(reading: Reading, value: dict[str, object]) -> None:
    container = reading.container
    numbers = {k: v for k, v in value.items() if isinstance(v, float) and v == v and abs(v) < 1e9}
    container.width = int(numbers.get("width", 0)) or container.width
    container.height = int(numbers.get("height", 0)) or container.height
    container.fps = frame_rate(numbers.get("framerate")) or container.fps
    container.duration_s = seconds(numbers.get("duration")) or container.duration_s


def _keep(reading: Reading, value: dict[str, object], path: str) -> None:
    for key, inner in value.items():
        if isinstance(inner, str):
            reading.tag("flv:onMetaData", path + key, inner)
        elif isinstance(inner, dict):
            _keep(reading, inner, f"{path}{key}.")


def _value(reading: Reading, data: bytes, at: int, depth: int) -> tuple[object, int]:
    """One value and the offset behind it: text, float, bool, a dict for objects and arrays, or None."""
    reading.step()
    if depth > MAX_AMF_DEPTH:
        raise Malformed
    kind, at = unsigned(data, at, 1), at + 1
    match kind:
        case 0:
            return float(struct.unpack(">d", take(data, at, 8))[0]), at + 8
        case 1:
            return unsigned(data, at, 1) != 0, at + 1
        case 2 | 12 | 15:  # text, long text, XML
            width = 2 if kind == 2 else 4
            size = unsigned(data, at, width)
            return text_of(take(data, at + width, size)), at + width + size
        case 3 | 8 | 16:  # object, associative array, typed object
            at += 4 if kind == 8 else 2 + unsigned(data, at, 2) if kind == 16 else 0
            return _members(reading, data, at, depth)
        case 5 | 6:
            return None, at
        case 7:
            return None, at + 2
        case 10:
            count, at = unsigned(data, at, 4), at + 4
            items: dict[str, object] = {}
            for index in range(count):
                items[str(index)], at = _value(reading, data, at, depth + 1)
            return items, at
        case 11:
            return None, at + 10
        case _:
            raise Malformed


def _members(reading: Reading, data: bytes, at: int, depth: int) -> tuple[dict[str, object], int]:
    members: dict[str, object] = {}
    while at < len(data):  # some writers leave the end marker out
        size = unsigned(data, at, 2)
        key, at = text_of(take(data, at + 2, size)), at + 2 + size
        if size == 0 and data[at : at + 1] == b"\x09":
            return members, at + 1
        members[key], at = _value(reading, data, at, depth + 1)
    return members, at
