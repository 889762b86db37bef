"""DASH manifests (ISO/IEC 23009-1): which segments to fetch. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mpegdash.nodes import MPEGDASH, AdaptationSet, Period, Representation

from .mpd import read_manifest, seconds
from .playlists import Elsewhere, Piece, Plan, Segments, best_within, broken, spread_over, spread_places
from .ranges import Range
from .urls import WebUrl

_RANGE = re.compile(r"(?P<first>[0-9]{1,18})-(?P<last>[0-9]{1,18})")
_PLACE = re.compile(r"\$(?P<name>RepresentationID|Number|Bandwidth|Time)?(?:%0(?P<width>[0-9]{1,2})d)?\$")
_TRICK_MODE = "http://dashif.org/guidelines/trickmode"  # DASH-IF IOP 4.3, section 3.2.9
_SAFETY = 3
"""Segments behind the live edge that are left alone: a server may not have them yet."""


@dataclass(frozen=True)
class _Rendition:
    """One representation with what it inherits: outermost first, so that later ones override."""

    period: Period
    levels: tuple[Any, ...]
    representation: Representation

    @property
    def protected(self) -> bool:
        return any(getattr(level, "content_protections", None) for level in self.levels)

    @property
    def rate(self) -> tuple[int, int]:
        heights = (getattr(level, "height", None) for level in reversed(self.levels))
        return next((height for height in heights if height), 0), self.representation.bandwidth or 0


def read_dash(data: bytes, url: WebUrl, count: int, now: float) -> Plan:
    """What a manifest found at `url` leads to: one file, or `count` segments of a rendition.

    Args:
        now: seconds since the epoch; tells the newest segment of a live one.

    Raises:
        IntakeError: `protected`, `unsupported`, `too_large` or, for what it points to, `bad_url`.
    """
    manifest = read_manifest(data, url)
    periods = [period for period in manifest.periods or () if _video_sets(period)]
    if not periods:
        raise broken(url, "only_sound" if manifest.periods else "no_segments")
    # Periods may be advertisements around the film. The longest counts, and of a live one the last.
    live = manifest.type == "dynamic"
    period = periods[-1] if live else max(periods, key=lambda each: seconds(each.duration) or 0.0)
    renditions = [
        _Rendition(period, (manifest, period, group, each), each)
        for group in _video_sets(period)
        for each in group.representations or ()
        if not each.dependency_id
    ]
    clear = [rendition for rendition in renditions if not rendition.protected]
    if not clear:
        raise broken(url, "protected" if renditions else "no_segments")
    chosen = clear[best_within([rendition.rate for rendition in clear])]
    return _Addressing(manifest, chosen, url, count, now if live else None).plan()


def _video_sets(period: Period) -> list[AdaptationSet]:
    return [group for group in period.adaptation_sets or () if _is_video(group) and not _is_trick_mode(group)]


def _is_video(group: AdaptationSet) -> bool:
    kinds = [group.content_type, *(part.content_type for part in group.content_components or ())]
    if any(kinds):
        return "video" in kinds
    everything: Iterable[Any] = (group, *(group.representations or ()))
    kinds = [each.mime_type for each in everything if each.mime_type]
    if kinds:
        return any(kind.startswith("video/") for kind in kinds)
    return any(each.width for each in everything)


def _is_trick_mode(group: AdaptationSet) -> bool:
    return any(each.scheme_id_uri == _TRICK_MODE for each in group.essential_properties or ())


@dataclass(frozen=True)
class _Addressing:
    """How a rendition's segments are named (ISO/IEC 23009-1 section 5.3.9).

    Attributes:
        now: for a live manifest, seconds since the epoch.
    """

    manifest: MPEGDASH
    rendition: _Rendition
    url: WebUrl
    count: int
    now: float | None

    def plan(self) -> Plan:
        base = self._base()
        if templates := self._inherited("segment_templates"):
            return self._by_template(base, templates)
        if lists := self._inherited("segment_lists"):
            return self._by_list(base, lists)
        return Elsewhere(base)  # one file with an index of its own, or none

    def _base(self) -> WebUrl:
        base = self.url
        for level in self.rendition.levels:
            for each in (getattr(level, "base_urls", None) or ())[:1]:
                base = base.join((each.base_url_value or "").strip())
        return base

    def _inherited(self, kind: str) -> list[Any]:
        """The addressing nodes of the innermost level last."""
        return [node for level in self.rendition.levels for node in (getattr(level, kind, None) or ())[:1]]

    def _by_list(self, base: WebUrl, nodes: Sequence[Any]) -> Segments:
        listed = _last(nodes, "segment_urls")
        if not listed:
            raise broken(self.url, "no_segments")
        pieces = [
            Piece(base.join(each.media or ""), self._range(each.media_range))
            for each in spread_over(listed, self.count)
        ]
        init = None
        if initializations := _last(nodes, "initializations"):
            node = initializations[0]
            init = Piece(base.join(node.source_url or ""), self._range(node.range))
        return Segments(init, tuple(pieces), len(listed))

    def _by_template(self, base: WebUrl, nodes: Sequence[Any]) -> Segments:
        media = _last(nodes, "media")
        if not media:
            raise broken(self.url, "unreadable")
        total, places = self._places(nodes)
        pieces = tuple(
            Piece(base.join(self._fill(media, number=number, time=time))) for number, time in places
        )
        if not pieces:
            raise broken(self.url, "no_segments")
        initialization = _last(nodes, "initialization")
        init = Piece(base.join(self._fill(initialization))) if initialization else None
        if init is None and (initializations := _last(nodes, "initializations")):
            node = initializations[0]
            init = Piece(base.join(node.source_url or ""), self._range(node.range))
        return Segments(init, pieces, total)

    def _places(self, nodes: Sequence[Any]) -> tuple[int, list[tuple[int, int]]]:
        """How many segments there are, and `(number, time)` of those to fetch."""
        first = _last(nodes, "start_number")
        first = 1 if first is None else first
        timescale = max(1, _last(nodes, "timescale") or 1)
        offset = _last(nodes, "presentation_time_offset") or 0
        if timelines := _last(nodes, "segment_timelines"):
            runs = self._timeline(timelines[0].Ss or (), timescale, offset)
            total = sum(repeats for _, _, repeats in runs)
            return total, [(first + place, _time(runs, place)) for place in spread_places(total, self.count)]
        length = _last(nodes, "duration") or 0
        if length <= 0:
            raise broken(self.url, "no_segments")
        if self.now is not None:
            newest = self._live_edge(length / timescale) - _SAFETY
            wanted = range(max(0, newest - self.count + 1), max(0, newest) + 1)
            return len(wanted), [(first + place, offset + place * length) for place in wanted]
        lasts = self._period_s()
        total = math.ceil(lasts * timescale / length) if lasts else 1
        if (end := _last(nodes, "end_number")) is not None:
            total = min(total, end - first + 1) if lasts else end - first + 1
        wanted_places = spread_places(max(0, total), self.count)
        return total, [(first + place, offset + place * length) for place in wanted_places]

    def _timeline(self, entries: Sequence[Any], timescale: int, offset: int) -> list[tuple[int, int, int]]:
        """Runs of `(time of the first, duration, how many)`, in the template's units."""
        runs: list[tuple[int, int, int]] = []
        time = 0
        lasts = self._period_s()
        for place, entry in enumerate(entries):
            time = entry.t if entry.t is not None else time
            length, repeats = entry.d or 0, entry.r or 0
            if length <= 0:
                raise broken(self.url, "unreadable")
            if repeats < 0:  # until the next entry or the end of the period
                following = entries[place + 1].t if place + 1 < len(entries) else None
                end = offset + int((lasts or 0) * timescale) if following is None else following
                repeats = max(0, math.ceil((end - time) / length) - 1)
            runs.append((time, length, repeats + 1))
            time += length * (repeats + 1)
        return runs

    def _period_s(self) -> float | None:
        return seconds(self.rendition.period.duration) or (
            seconds(self.manifest.media_presentation_duration) if len(self.manifest.periods) == 1 else None
        )

    def _live_edge(self, segment_s: float) -> int:
        """How many segments of the period a live server has made by now."""
        text = self.manifest.availability_start_time or ""
        try:
            began = datetime.fromisoformat(text)
            started = (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError) as problem:
            raise broken(self.url, "unreadable") from problem
        elapsed = (self.now or 0.0) - started - (seconds(self.rendition.period.start) or 0.0)
        return int(elapsed / segment_s)

    def _fill(self, template: str, number: int = 0, time: int = 0) -> str:
        """Section 5.3.9.4.4, with `$$` for a dollar sign."""
        representation = self.rendition.representation
        values = {
            "RepresentationID": representation.id or "",
            "Number": number,
            "Bandwidth": representation.bandwidth or 0,
            "Time": time,
        }

        def value(found: re.Match[str]) -> str:
            if found["name"] is None:
                return "$"
            return str(values[found["name"]]).rjust(int(found["width"] or 0), "0")

        return _PLACE.sub(value, template)

    def _range(self, text: str | None) -> Range | None:
        if not text:
            return None
        found = _RANGE.fullmatch(text.strip())
        if found is None or int(found["last"]) < int(found["first"]):
            raise broken(self.url, "unreadable")
        return int(found["first"]), int(found["last"]) + 1


def _last(nodes: Sequence[Any], name: str) -> Any:
    """What the innermost level says, of those that say anything."""
    return next((value for node in reversed(nodes) if (value := getattr(node, name)) is not None), None)


def _time(runs: Sequence[tuple[int, int, int]], place: int) -> int:
    for time, length, repeats in runs:
        if place < repeats:
            return time + place * length
        place -= repeats
    return 0
