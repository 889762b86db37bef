"""MPEG transport and program streams and bare video streams: recognised, with what their first headers say.

Sources: ISO/IEC 13818-1 (packets, program tables, PES), ISO/IEC 11172-2 and 13818-2 (sequence header),
ITU-T H.264 and H.265 annex B.
"""

from __future__ import annotations

from ...messages import say
from .bounded import Malformed, Reading, frame_rate, unsigned
from .nal import CODECS, tag_start_codes

SYNC, PACKET = 0x47, 188
PACK_START, SEQUENCE_START = b"\0\0\1\xba", b"\0\0\1\xb3"
START = 2 * 2**20  # bytes from the beginning that are read
MAX_FRAME = 256 * 1024

# stream_type of the program map (ISO/IEC 13818-1 table 2-34) for video.
STREAM_TYPES = {
    0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc", 0x33: "vvc",
}  # fmt: skip
# frame_rate_code (ISO/IEC 13818-2 table 6-4).
RATES = (None, 24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60000 / 1001, 60.0)


def packet_size(head: bytes) -> tuple[int, int] | None:
    """(offset of the first sync byte, packet length) of a transport stream; None for anything else."""
    for offset, size in ((0, PACKET), (4, 192), (0, 204)):
        positions = range(offset, min(len(head), offset + 5 * size), size)
        if len(positions) >= 3 and all(head[at] == SYNC for at in positions):
            return offset, size
    return None


def bare_codec(head: bytes) -> str | None:
    """`h264` or `hevc` for a bare byte stream that begins with a parameter set or a delimiter."""
    for start_code in (b"\0\0\0\1", b"\0\0\1"):
        if head.startswith(start_code) and len(head) > len(start_code) + 1:
            first, second = head[len(start_code)], head[len(start_code) + 1]
            if first in (0x67, 0x27, 0x47) or (first == 0x09 and second & 0x1F == 0x10):
                return "h264"
            if first in (0x40, 0x42, 0x46) and second == 0x01:
                return "hevc"
    return None


def read_transport(reading: Reading) -> None:
    """Find the first video stream by its program map, and tag the SEIs of its first access units."""
    container = reading.container
    container.format, container.mime = "mpegts", "video/mp2t"
    data = reading.bytes_at(0, START)
    layout = packet_size(data)
    if layout is None:
        raise Malformed(say("container.problem.cut"))
    maps, video, codec, stream = set[int](), -1, "", bytearray()
    for at in range(layout[0], len(data) - PACKET + 1, layout[1]):
        reading.step()
        packet = data[at : at + PACKET]
        number, begins, payload = _packet(packet)
        if payload is None:
            continue
        try:
            if number == 0 and begins:
                maps |= _program_maps(payload)
            elif number in maps and begins and video < 0:
                video, codec = _video_stream(payload)
        except Malformed:
            continue
        if number == video and codec in CODECS:
            if begins and len(stream) > 0:
                break
            if begins or stream:
                stream += payload
            if len(stream) > MAX_FRAME:
                break
    container.codec = codec or None
    if codec in CODECS:
        tag_start_codes(reading, bytes(stream), codec)
    elif codec:
        _read_sequence(reading, data)
    if video < 0:
        reading.problem("no_video_track")


def _packet(packet: bytes) -> tuple[int, bool, bytes | None]:
    """Number of the stream, whether a unit begins, and the payload of one packet."""
    begins, number = bool(packet[1] & 0x40), unsigned(packet, 1, 2) & 0x1FFF
    control, start = packet[3] >> 4 & 3, 4
    if packet[0] != SYNC or not control & 1:
        return number, begins, None
    if control & 2:
        start += 1 + packet[4]
    return number, begins, packet[start:] or None


def _section(payload: bytes) -> bytes:
    section = payload[1 + payload[0] :]
    return section[: 3 + (unsigned(section, 1, 2) & 0x0FFF) - 4]  # without the checksum


def _program_maps(payload: bytes) -> set[int]:
    section = _section(payload)
    return {
        unsigned(section, at + 2, 2) & 0x1FFF
        for at in range(8, len(section) - 3, 4)
        if unsigned(section, at, 2) != 0  # program 0 names the network table
    }


def _video_stream(payload: bytes) -> tuple[int, str]:
    section = _section(payload)
    at = 12 + (unsigned(section, 10, 2) & 0x0FFF)
    while at + 5 <= len(section):
        kind, number = section[at], unsigned(section, at + 1, 2) & 0x1FFF
        if kind in STREAM_TYPES:
            return number, STREAM_TYPES[kind]
        at += 5 + (unsigned(section, at + 3, 2) & 0x0FFF)
    return -1, ""


def read_program(reading: Reading) -> None:
    """A program stream or a bare MPEG-1 or MPEG-2 video stream."""
    container = reading.container
    data = reading.bytes_at(0, START)
    bare = data.startswith(SEQUENCE_START)
    container.format, container.mime = ("mpegvideo" if bare else "mpeg"), "video/mpeg"
    if not _read_sequence(reading, data):
        reading.problem("nothing_shown")


def _read_sequence(reading: Reading, data: bytes) -> bool:
    """The first sequence header; an extension behind it makes the stream MPEG-2."""
    at = data.find(SEQUENCE_START)
    if at < 0 or at + 12 > len(data):
        return False
    container = reading.container
    sizes = unsigned(data, at + 4, 3)
    container.width, container.height = sizes >> 12 or None, sizes & 0xFFF or None
    code = data[at + 7] & 15
    container.fps = frame_rate(RATES[code]) if code < len(RATES) else None
    following = data.find(b"\0\0\1", at + 12)
    second = following >= 0 and data[following + 3 : following + 4] == b"\xb5"
    container.codec = "mpeg2video" if second else "mpeg1video"
    return True


def read_bare(reading: Reading) -> None:
    """A bare H.264 or HEVC byte stream."""
    container = reading.container
    data = reading.bytes_at(0, MAX_FRAME)
    codec = bare_codec(data) or "h264"
    container.format, container.codec = codec, codec
    container.mime = "video/h264" if codec == "h264" else "video/h265"
    tag_start_codes(reading, data, codec)
