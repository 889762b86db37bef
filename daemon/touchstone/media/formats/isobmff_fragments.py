"""Movie fragments (ISO/IEC 14496-12 clause 8.8): how long they are and where the first sample lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .bounded import Reading, unsigned
from .isobmff_boxes import Box, boxes, full, leaf
from .nal import tag_length_prefixed

if TYPE_CHECKING:
    from .isobmff_movie import Movie

MAX_RUN = 64 * 1024  # bytes of one run that are read
MAX_FRAGMENTS = 2000  # that are looked into; a longer file's duration then comes from its movie header


@dataclass(frozen=True)
class Defaults:
    """What `trex` or `tfhd` says where a run does not."""

    duration: int = 0
    size: int = 0


@dataclass
class _Track:
    samples: int = 0
    span: int = 0
    first: tuple[int, int] | None = None  # offset and size of the first sample


@dataclass
class Fragments:
    """What all `moof` boxes together say."""

    count: int = 0
    tracks: dict[int, _Track] = field(default_factory=dict)

    def read(self, reading: Reading, box: Box, movie: Movie | None) -> None:
        """Read one `moof`."""
        self.count += 1
        if self.count > MAX_FRAGMENTS:
            return
        for child in boxes(reading, box.start, box.end):
            if child.kind == b"traf":
                self._read_track(reading, child, box.offset, movie)

    def _read_track(self, reading: Reading, box: Box, fragment: int, movie: Movie | None) -> None:
        defaults, base, track = Defaults(), fragment, _Track()
        for child in boxes(reading, box.start, box.end):
            if child.kind == b"tfhd":
                payload = leaf(reading, child, 64)
                number = unsigned(payload, 4, 4)
                track = self.tracks.setdefault(number, track)
                defaults = (movie.defaults.get(number) if movie else None) or defaults
                defaults, base = _header(payload, defaults, fragment)
            elif child.kind == b"trun":
                _read_run(leaf(reading, child, MAX_RUN), track, defaults, base)

    def tag_first_access_units(self, reading: Reading, codec: str) -> None:
        """Tag the SEIs of each track's first sample, for a segment without its initialisation segment.

        Length fields are then taken to have four bytes, which they have in all streams met so far.
        """
        for track in self.tracks.values():
            if track.first:
                tag_length_prefixed(reading, *track.first, 4, codec)

    def span(self, track: int, timescale: int) -> tuple[int, int]:
        """Duration of a track's samples in its clock, and the clock: (0, timescale) where unknown."""
        found = self.tracks.get(track)
        return (found.span if found and self.count <= MAX_FRAGMENTS else 0), timescale

    def timed(self, track: int) -> tuple[int, int]:
        """Number of a track's samples and their span in its clock."""
        found = self.tracks.get(track)
        return (found.samples, found.span) if found else (0, 0)

    def first_sample(self, track: int) -> tuple[int | None, int]:
        """Offset and size of a track's first sample; (None, 0) where unknown."""
        found = self.tracks.get(track)
        return found.first if found and found.first else (None, 0)


def _header(payload: bytes, defaults: Defaults, fragment: int) -> tuple[Defaults, int]:
    """`tfhd`: the track's defaults in this fragment, and what data offsets count from."""
    flags, at, base = full(payload)[1], 8, fragment
    if flags & 0x000001:
        base, at = unsigned(payload, at, 8), at + 8
    if flags & 0x000002:
        at += 4
    duration, size = defaults.duration, defaults.size
    if flags & 0x000008:
        duration, at = unsigned(payload, at, 4), at + 4
    if flags & 0x000010:
        size, at = unsigned(payload, at, 4), at + 4
    return Defaults(duration, size), base


def _read_run(payload: bytes, track: _Track, defaults: Defaults, base: int) -> None:
    """`trun`: count and durations of samples, and where the first one lies."""
    flags, count, at = full(payload)[1], unsigned(payload, 4, 4), 8
    offset = None
    if flags & 0x000001:
        offset, at = base + int.from_bytes(payload[at : at + 4], "big", signed=True), at + 4
    if flags & 0x000004:
        at += 4
    has_duration, has_size = bool(flags & 0x000100), bool(flags & 0x000200)
    step = 4 * (has_duration + has_size + bool(flags & 0x000400) + bool(flags & 0x000800))
    size = unsigned(payload, at + 4 * has_duration, 4) if has_size and count else defaults.size
    if track.first is None and offset is not None and count:
        track.first = (offset, size)
    read = min(count, (len(payload) - at) // step) if step else count
    track.samples += count
    if has_duration:
        # A run longer than what was read goes on at the same pace.
        known = sum(unsigned(payload, at + step * index, 4) for index in range(read))
        track.span += known * count // read if read else 0
    else:
        track.span += count * defaults.duration
