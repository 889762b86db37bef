"""Playlists: what HLS and DASH have in common. Pure: nothing is fetched here.

Of a playlist one rendition is taken, the best there is: the signs that examiners look for live in the
finest detail, and lower renditions are re-encoded from it. Of its segments a few are, spread over the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..messages import say
from . import IntakeError
from .ranges import Range
from .urls import WebUrl

MAX_BITS_PER_S = 40_000_000
"""Best rendition that is taken. Three segments of ten seconds at this rate are 150 MB; the renditions beyond
are 8K, of which a browser window shows a quarter."""

MAX_ENTRIES = 50_000
"""Segments, or XML elements, of a playlist that is read: a day of two-second segments."""

T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """A file on the web, or the bytes `span` (end excluded) of it."""

    url: WebUrl
    span: Range | None = None


@dataclass(frozen=True)
class Segments:
    """What to fetch of a rendition.

    Attributes:
        init: the init segment of fragmented MP4; None where every segment stands alone (MPEG-TS).
        media: the segments to fetch, in the order they are shown.
        count: how many there are in all.
    """

    init: Piece | None
    media: tuple[Piece, ...]
    count: int


@dataclass(frozen=True)
class Elsewhere:
    """The rendition is at another URL: a further playlist, or one file that holds all of it."""

    url: WebUrl


Plan = Segments | Elsewhere


def spread_over(items: Sequence[T], count: int) -> tuple[T, ...]:
    """`count` items in order, evenly spread, with the first and the last among them."""
    return tuple(items[place] for place in spread_places(len(items), count))


def spread_places(total: int, count: int) -> tuple[int, ...]:
    """The places of `count` out of `total` things, as `spread_over` takes them."""
    if total <= count:
        return tuple(range(total))
    if count == 1:
        return (0,)
    return tuple(sorted({round(step * (total - 1) / (count - 1)) for step in range(count)}))


def best_within(rates: Sequence[tuple[int, int]]) -> int:
    """Which rendition to take, of `(height in pixels, bits per second)` each; the place in the list.

    The highest resolution within `MAX_BITS_PER_S`, of these the highest rate; where all are beyond, the
    lowest rate.
    """
    places = range(len(rates))
    within = [place for place in places if rates[place][1] <= MAX_BITS_PER_S]
    if within:
        return max(within, key=lambda place: rates[place])
    return min(places, key=lambda place: rates[place][1])


def broken(url: WebUrl, why: str) -> IntakeError:
    """The IntakeError for a playlist that cannot be used; `why` is a key of `intake.playlist`."""
    code = {"protected": "protected", "too_long": "too_large"}.get(why, "unsupported")
    return IntakeError(code, say(f"intake.playlist.{why}", url=url.shown))
