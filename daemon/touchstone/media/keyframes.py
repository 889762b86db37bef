"""Where a stream's keyframes are, from the container's index or, for small files, by listing its packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av

from .container import Container
from .decode import Source, failures_in_words
from .plan import KeyframeList, Keyframes, Timeline

_LISTED_BYTES = 64 << 20
_LISTED_PACKETS = 100_000
_DEFAULT_RATE = Fraction(25)
_MAX_RATE = 1000  # frames a second; a header that claims more is mistaken

# Every picture but the first builds on those before, whatever the packets' flags say.
_FIRST_ONLY = frozenset({"gif", "apng", "webp"})

# An MPEG program stream gives a time to some pictures only. FFmpeg makes the others up, from wherever it was
# sought to; only reading on from the start gives the same ones each time.
_WITHOUT_TIMES = "mpeg"

_HELD_BACK = 16  # the most frames by which H.264 and H.265 let display lag behind decoding

# Demuxers whose index lists every keyframe. Others note only those that seeking happened to pass.
_WITH_INDEX = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mov", "matroska"})

Present = Callable[[int], bool]
"""Whether the byte at a position of the file is at hand."""


@dataclass(frozen=True)
class Layout:
    """A stream's extent and keyframes.

    Attributes:
        slack: ticks by which a keyframe may be shown earlier than `keyframes` says.
    """

    timeline: Timeline
    keyframes: Keyframes
    slack: int = 0


class _Index:
    """The container's own index.

    FFmpeg keeps decoding times there. Keyframes are shown later by as much as the first frame is, in all but
    odd streams; for those the runs begin a little off, at whatever keyframe seeking finds.
    """

    known = True

    def __init__(self, source: Source) -> None:
        self._entries = source.stream.index_entries
        self._delay = delay(source)

    def at_or_before(self, tick: int) -> int | None:
        return self._tick(self._entries.search_timestamp(tick - self._delay, backward=True))

    def after(self, tick: int) -> int | None:
        return self._tick(self._entries.search_timestamp(tick - self._delay + 1, backward=False))

    def _tick(self, number: int) -> int | None:
        return int(self._entries[number].timestamp) + self._delay if number >= 0 else None


def delay(source: Source) -> int:
    """Ticks from the indexed time of a keyframe to the time it is shown."""
    stream = source.stream
    return max(0, (stream.start_time or 0) - int(stream.index_entries[0].timestamp))


def layout(source: Source, container: Container, size: int) -> Layout:
    """Find out how long a stream is and where its keyframes are. It is left anywhere; seek before use.

    Args:
        size: bytes of the file; small ones are listed where they bring no index.
    """
    timeline = _timeline(source, container)
    if timeline is not None and _first_only(source):
        return Layout(timeline, KeyframeList([timeline.start]))
    if timeline is not None and _indexed(source, timeline):
        return Layout(timeline, _Index(source), slack=round(_HELD_BACK * timeline.frame))
    if timeline is None or size <= _LISTED_BYTES:
        return _listed(source, timeline)
    return Layout(timeline, KeyframeList([], known=False))


def present_keyframes(source: Source, present: Present) -> list[int]:
    """Ticks of those indexed keyframes that are at hand, in order."""
    entries = source.stream.index_entries[: _LISTED_PACKETS * 4]
    late = delay(source) if len(entries) else 0
    return sorted({int(e.timestamp) + late for e in entries if e.is_keyframe and present(e.pos)})


def _first_only(source: Source) -> bool:
    return source.context.codec.name in _FIRST_ONLY or source.container.format.name == _WITHOUT_TIMES


def _timeline(source: Source, container: Container) -> Timeline | None:
    stream, base = source.stream, source.base
    start = stream.start_time or 0
    length: Fraction | None = None
    if stream.duration:
        length = stream.duration * base
    elif source.container.duration:
        length = Fraction(source.container.duration, av.time_base)
    elif container.duration_s:
        length = Fraction(container.duration_s)
    if not length or length <= 0:
        return None
    return Timeline(start, start + max(1, int(length / base)), float(1 / rate(source) / base))


def rate(source: Source) -> Fraction:
    """Frames a second, as the container says or 25, within reason."""
    said = source.stream.average_rate or source.stream.guessed_rate or _DEFAULT_RATE
    return said if 0 < said <= _MAX_RATE else _DEFAULT_RATE


def _indexed(source: Source, timeline: Timeline) -> bool:
    """Whether the container brings an index that covers the clip. Some is read at the first seek."""
    if source.container.format.name not in _WITH_INDEX:
        return False
    entries = source.stream.index_entries
    if not len(entries):
        with failures_in_words():
            source.seek(timeline.end)
    if not len(entries):
        return False
    # An index that ends early is that of a first fragment.
    return bool(entries[len(entries) - 1].timestamp >= (timeline.start + timeline.end) / 2)


def _listed(source: Source, timeline: Timeline | None) -> Layout:
    """Read all packets, without decoding any, up to a bound."""
    ticks: list[int] = []
    keys: list[int] = []
    with failures_in_words():
        source.seek(source.stream.start_time or 0)
        last, whole = 0, True
        for packet in source.packets():
            tick = packet.pts if packet.pts is not None else packet.dts
            if tick is None:
                continue
            ticks.append(tick)
            last = max(last, tick + (packet.duration or 0))
            if packet.is_keyframe:
                keys.append(tick)
            if len(ticks) >= _LISTED_PACKETS:
                whole = False
                break
    if not ticks or (timeline is not None and not whole):
        return Layout(timeline or Timeline(0, 1, 1.0), KeyframeList([], known=False))
    first = min(ticks)
    end = max(last, max(ticks) + 1)
    frame = max((end - first) / len(ticks), 1e-9)
    if _first_only(source):
        keys = [first]
    return Layout(Timeline(first, end, frame), KeyframeList(sorted(set(keys))))
