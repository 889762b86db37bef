"""The movie box: tracks, their codec, size, frame rate and duration, and the first access unit's SEIs."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...messages import say
from ..container import NotMedia
from .bounded import Malformed, Reading, frame_rate, ratio, seconds, text_of, unsigned
from .isobmff_boxes import Box, boxes, full, leaf
from .isobmff_fragments import Defaults, Fragments
from .isobmff_tags import read_meta, read_user_data, read_uuid
from .nal import CODECS, length_field, tag_length_prefixed, tag_private

MAX_TRACKS = 64
MAX_TABLE = 64 * 1024  # bytes of a sample table that are read: enough for the mean frame rate and sample one

# Sample entry types by codec (mp4ra.org; QuickTime File Format, "Video sample description").
CODEC_OF = {
    b"avc1": "h264", b"avc2": "h264", b"avc3": "h264", b"avc4": "h264",
    b"hvc1": "hevc", b"hev1": "hevc", b"dvh1": "hevc", b"dvhe": "hevc",
    b"vvc1": "vvc", b"vvi1": "vvc", b"av01": "av1", b"vp08": "vp8", b"vp09": "vp9",
    b"s263": "h263", b"h263": "h263", b"H263": "h263",
    b"jpeg": "mjpeg", b"mjpa": "mjpeg", b"mjpb": "mjpeg", b"mjp2": "jpeg2000", b"png ": "png",
    b"apch": "prores", b"apcn": "prores", b"apcs": "prores", b"apco": "prores",
    b"ap4h": "prores", b"ap4x": "prores",
    b"SVQ1": "svq1", b"SVQ3": "svq3", b"cvid": "cinepak", b"rle ": "qtrle",
    b"XVID": "mpeg4", b"xvid": "mpeg4", b"DIVX": "mpeg4", b"DX50": "mpeg4", b"m2v1": "mpeg2video",
}  # fmt: skip
# objectTypeIndication of an `mp4v` entry (mp4ra.org).
OBJECT_TYPES = {0x20: "mpeg4", 0x6A: "mpeg1video", 0x6C: "mjpeg", 0x61: "mpeg2video", 0x60: "mpeg2video"}


@dataclass
class Track:
    """What one `trak` says."""

    id: int = 0
    handler: bytes = b""
    timescale: int = 0
    duration: int = 0
    width: int = 0
    height: int = 0
    codec: str | None = None
    private: bytes = b""
    samples: int = 0
    timed_samples: int = 0
    timed_span: int = 0
    first_size: int = 0
    first_offset: int | None = None


@dataclass
class Movie:
    """What a `moov` box says."""

    timescale: int = 0
    duration: int = 0
    tracks: list[Track] = field(default_factory=list)
    defaults: dict[int, Defaults] = field(default_factory=dict)

    def read(self, reading: Reading, box: Box) -> None:
        """Read what there is; what is broken is noted."""
        for child in boxes(reading, box.start, box.end):
            try:
                self._read_child(reading, child)
            except Malformed as problem:
                reading.note(str(problem))

    def _read_child(self, reading: Reading, child: Box) -> None:
        match child.kind:
            case b"mvhd":
                self.timescale, self.duration = _clock(leaf(reading, child, 64))
            case b"trak" if len(self.tracks) < MAX_TRACKS:
                track = Track()
                self.tracks.append(track)
                _read_track(reading, child, track)
            case b"udta":
                read_user_data(reading, child)
            case b"meta":
                read_meta(reading, child)
            case b"uuid":
                read_uuid(reading, child)
            case b"mvex":
                self._read_extends(reading, child)
            case b"cmov":
                reading.problem("compressed_movie")
            case _:
                pass

    def _read_extends(self, reading: Reading, box: Box) -> None:
        for child in boxes(reading, box.start, box.end):
            payload = leaf(reading, child, 64)
            if child.kind == b"trex":
                self.defaults[unsigned(payload, 4, 4)] = Defaults(
                    unsigned(payload, 12, 4), unsigned(payload, 16, 4)
                )
            elif child.kind == b"mehd" and not self.duration:
                self.duration = unsigned(payload, 4, 8 if full(payload)[0] else 4)

    @property
    def video(self) -> Track | None:
        """The first video track with a size, else the first one."""
        videos = [t for t in self.tracks if t.handler in (b"vide", b"pict")]
        return next((t for t in videos if t.width and t.height), videos[0] if videos else None)

    def fill(self, reading: Reading, fragments: Fragments) -> None:
        """Put what is known about the video into the container, and tag the first access unit's SEIs.

        Raises:
            NotMedia: there are only sound tracks.
        """
        container, track = reading.container, self.video
        if track is None:
            if self.tracks and all(t.handler == b"soun" for t in self.tracks):
                raise NotMedia(say("container.not_media.audio", format="MPEG-4"))
            if container.width is None:
                reading.problem("no_video_track")
            return
        container.codec = track.codec
        container.width, container.height = track.width or None, track.height or None
        spans = [
            ratio(track.duration, track.timescale) if not fragments.count else None,
            ratio(*fragments.span(track.id, track.timescale)),
            ratio(self.duration, self.timescale),
        ]
        container.duration_s = next((s for s in map(seconds, spans) if s), None)
        container.fps = _fps(track, fragments)
        if track.codec in CODECS:
            try:
                _tag_first_access_unit(reading, track, fragments)
            except Malformed as problem:
                reading.note(str(problem))


def _fps(track: Track, fragments: Fragments) -> float | None:
    timed, span = track.timed_samples, track.timed_span
    if not timed:
        timed, span = fragments.timed(track.id)
    if timed < 2:
        return None
    return frame_rate(ratio(timed * track.timescale, span))


def _tag_first_access_unit(reading: Reading, track: Track, fragments: Fragments) -> None:
    codec = track.codec or ""
    tag_private(reading, codec, track.private)
    prefix = length_field(codec, track.private)
    offset, size = track.first_offset, track.first_size
    if offset is None or not size:
        offset, size = fragments.first_sample(track.id)
    if prefix and offset is not None and size:
        tag_length_prefixed(reading, offset, size, prefix, codec)


def _clock(payload: bytes) -> tuple[int, int]:
    """Timescale and duration of an `mvhd` or `mdhd` box; all ones means unknown."""
    if full(payload)[0] == 1:
        timescale, duration, unknown = unsigned(payload, 20, 4), unsigned(payload, 24, 8), 2**64 - 1
    else:
        timescale, duration, unknown = unsigned(payload, 12, 4), unsigned(payload, 16, 4), 2**32 - 1
    return timescale, 0 if duration == unknown else duration


def _read_track(reading: Reading, box: Box, track: Track) -> None:
    """Read a `trak` and the boxes on the way to its sample table."""
    for child in boxes(reading, box.start, box.end):
        match child.kind:
            case b"tkhd":
                payload = leaf(reading, child, 128)
                version = full(payload)[0]
                track.id = unsigned(payload, 20 if version == 1 else 12, 4)
                at = 88 if version == 1 else 76
                track.width, track.height = unsigned(payload, at, 4) >> 16, unsigned(payload, at + 4, 4) >> 16
            case b"mdia":
                _read_media(reading, child, track)
            case b"udta":
                read_user_data(reading, child)
            case b"meta":
                read_meta(reading, child)
            case _:
                pass


def _read_media(reading: Reading, box: Box, track: Track) -> None:
    for child in boxes(reading, box.start, box.end):
        if child.kind == b"mdhd":
            track.timescale, track.duration = _clock(leaf(reading, child, 64))
        elif child.kind == b"hdlr":
            _read_handler(reading, child, track)
        elif child.kind == b"minf":
            for inner in boxes(reading, child.start, child.end):
                if inner.kind == b"stbl":
                    _read_sample_table(reading, inner, track)


def _read_handler(reading: Reading, box: Box, track: Track) -> None:
    payload = leaf(reading, box, 1024)
    track.handler = payload[8:12]
    name = payload[24:]
    # QuickTime writes a Pascal string, ISO a C string.
    if name and name[0] == len(name) - 1:
        name = name[1:]
    reading.tag("hdlr", track.handler.decode("latin-1"), text_of(name.split(b"\0", 1)[0]))


def _read_sample_table(reading: Reading, box: Box, track: Track) -> None:
    video = track.handler in (b"vide", b"pict")
    if not video:
        return
    for child in boxes(reading, box.start, box.end):
        match child.kind:
            case b"stsd":
                first = next(boxes(reading, child.start + 8, child.end), None)
                if first:
                    _read_sample_entry(reading, first, track)
            case b"stts":
                _read_times(leaf(reading, child, MAX_TABLE), track)
            case b"stsz":
                payload = leaf(reading, child, 24)
                common, track.samples = unsigned(payload, 4, 4), unsigned(payload, 8, 4)
                track.first_size = common or (unsigned(payload, 12, 4) if track.samples else 0)
            case b"stco" | b"co64":
                payload = leaf(reading, child, 24)
                if unsigned(payload, 4, 4):
                    track.first_offset = unsigned(payload, 8, 8 if child.kind == b"co64" else 4)
            case _:
                pass


def _read_times(table: bytes, track: Track) -> None:
    """Samples and their span from as much of `stts` as was read; the last sample's length may be a filler."""
    entries = min(unsigned(table, 4, 4), (len(table) - 8) // 8)
    for index in range(entries):
        count, delta = unsigned(table, 8 + 8 * index, 4), unsigned(table, 12 + 8 * index, 4)
        track.timed_samples += count
        track.timed_span += count * delta


def _read_sample_entry(reading: Reading, entry: Box, track: Track) -> None:
    """A VisualSampleEntry (ISO/IEC 14496-12 clause 12.1.3) and its codec configuration."""
    head = reading.bytes_at(entry.start, 78)
    track.width = unsigned(head, 24, 2) or track.width
    track.height = unsigned(head, 26, 2) or track.height
    kind = entry.kind
    compressor = head[43 : 43 + min(head[42], 31)] if len(head) > 43 else b""
    reading.tag("stsd", "compressorname", text_of(compressor))
    for child in boxes(reading, entry.start + 78, entry.end):
        if child.kind in (b"avcC", b"hvcC"):
            track.private = leaf(reading, child, MAX_TABLE)
        elif child.kind == b"esds" and kind == b"mp4v":
            track.codec = _object_type(leaf(reading, child, 64))
        elif child.kind == b"sinf":
            reading.problem("encrypted")
            for inner in boxes(reading, child.start, child.end):
                if inner.kind == b"frma":
                    kind = leaf(reading, inner, 4)
    fallback = "mpeg4" if kind == b"mp4v" else (kind.strip(b" \0").decode("latin-1").lower() or None)
    track.codec = track.codec or CODEC_OF.get(kind) or fallback


def _object_type(payload: bytes) -> str | None:
    """Codec of an `esds` box: descriptor 3 (ES), in it descriptor 4 with objectTypeIndication."""
    at = payload.find(b"\x04", 5 + 4)  # behind the ES descriptor's own tag, length and ES_ID
    while 0 <= at < len(payload) - 2:
        following = at + 1
        while following < len(payload) and payload[following] & 0x80:
            following += 1
        if following + 1 < len(payload) and payload[following + 1] in OBJECT_TYPES:
            return OBJECT_TYPES[payload[following + 1]]
        at = payload.find(b"\x04", at + 1)
    return None
