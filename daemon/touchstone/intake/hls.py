"""HLS playlists (RFC 8216): which segments to fetch. Pure; parsing is the m3u8 library's."""

from __future__ import annotations

import re
from collections.abc import Sequence

import m3u8

from .playlists import MAX_ENTRIES, Elsewhere, Piece, Plan, Segments, best_within, broken, spread_over
from .ranges import Range
from .urls import WebUrl

_BYTE_RANGE = re.compile(r"(?P<length>[0-9]{1,18})(?:@(?P<start>[0-9]{1,18}))?")
_MAX_LINE = 1 << 16
_SOUND_CODECS = ("mp4a", "ac-3", "ec-3", "ac-4", "opus", "flac", "fLaC", "Opus", "alac", "mp3", "vorbis")

# What the library raises for text that is no playlist: it converts and looks things up as it goes.
_NOT_A_PLAYLIST = (
    m3u8.ParseError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ArithmeticError,
)


def read_hls(data: bytes, url: WebUrl, count: int) -> Plan:
    """What a playlist found at `url` leads to: a media playlist, or `count` segments of one.

    Raises:
        IntakeError: `protected`, `unsupported`, `too_large` or, for what it points to, `bad_url`.
    """
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    if text.count("#EXTINF") > MAX_ENTRIES or text.count("#EXT-X-STREAM-INF") > MAX_ENTRIES:
        raise broken(url, "too_long")
    if max(map(len, text.splitlines()), default=0) > _MAX_LINE:
        raise broken(url, "unreadable")
    try:
        playlist = m3u8.M3U8(text)
    except _NOT_A_PLAYLIST as problem:
        raise broken(url, "unreadable") from problem
    if playlist.playlists:
        return Elsewhere(_variant(playlist.playlists, url))
    return _segments(playlist.segments, url, count)


def _variant(playlists: Sequence[m3u8.Playlist], url: WebUrl) -> WebUrl:
    """The media playlist of the best rendition with pictures (RFC 8216 section 4.3.4.2)."""
    with_pictures = [each for each in playlists if each.uri and not _only_sound(each.stream_info)]
    if not with_pictures:
        raise broken(url, "only_sound")
    rates = [
        ((each.stream_info.resolution or (0, 0))[1], each.stream_info.bandwidth or 0)
        for each in with_pictures
    ]
    return url.join(with_pictures[best_within(rates)].uri)


def _only_sound(info: m3u8.StreamInfo) -> bool:
    codecs = [codec.strip() for codec in (info.codecs or "").split(",") if codec.strip()]
    return bool(codecs) and not info.resolution and all(codec.startswith(_SOUND_CODECS) for codec in codecs)


def _segments(listed: Sequence[m3u8.Segment], url: WebUrl, count: int) -> Segments:
    if any(segment.key and segment.key.method not in (None, "NONE") for segment in listed):
        raise broken(url, "protected")
    runs: list[tuple[Piece | None, float, list[Piece]]] = []
    ends: dict[str, int] = {}
    for segment in listed:
        span = _span(segment.byterange, segment.uri, ends, url)
        if segment.gap_tag or not segment.uri:
            continue
        init = _init(segment, url)
        piece = Piece(url.join(segment.uri), span)
        if not runs or segment.discontinuity or runs[-1][0] != init:
            runs.append((init, 0.0, []))
        last = runs[-1]
        last[2].append(piece)
        runs[-1] = (init, last[1] + max(0.0, segment.duration or 0.0), last[2])
    if not runs:
        raise broken(url, "no_segments")
    # Between discontinuities the encoding may change: an advertisement, then the film. The longest counts.
    init, _, pieces = max(runs, key=lambda run: run[1])
    return Segments(init, spread_over(pieces, count), len(pieces))


def _init(segment: m3u8.Segment, url: WebUrl) -> Piece | None:
    section = segment.init_section
    if section is None or not section.uri:
        return None
    return Piece(url.join(section.uri), _span(section.byterange, section.uri, {}, url))


def _span(byte_range: str | None, uri: str | None, ends: dict[str, int], url: WebUrl) -> Range | None:
    """RFC 8216 section 4.3.2.2: `length@start`; without a start, from where the file's last one ended."""
    if not byte_range:
        return None
    found = _BYTE_RANGE.fullmatch(byte_range.strip().strip('"'))
    if found is None or int(found["length"]) == 0:
        raise broken(url, "unreadable")
    start = int(found["start"]) if found["start"] else ends.get(uri or "", 0)
    end = start + int(found["length"])
    ends[uri or ""] = end
    return start, end
