"""The captioner: what a clip shows, read off its pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..language import Request, Wanted, sentence
from ..world import RADIUS, Background, Camera, Colour, Motion, Shape, Size
from ..world.motion import ZOOM_RANGE
from . import camera, layout, paths
from .sight import Found, Frame, Look, Sight, small

MOST_FRAMES = 24
"""Frames that things are looked for in; spread evenly."""
MOST_SECONDS = 6.0
"""What is read of a longer clip: its beginning."""
RATE = 16.0
"""Frames a second that are enough for the camera; a faster clip is thinned out."""

_NEAR = 0.4
"""How far a thing goes between two looks at most, in half shorter sides."""
_CUT = 0.1
"""How much of a thing may be beyond the edge, in half shorter sides."""
_ENOUGH = 4
_LEAST_SHARE = 0.2
"""Of the looks that a thing has to be seen in."""


@dataclass(frozen=True)
class Description:
    """What a clip shows.

    Attributes:
        request: everything that was seen, as a request; `motion` is None where it could not be told.
        seconds: of the clip that were looked at.
    """

    request: Request
    seconds: float

    @property
    def words(self) -> str:
        """The description as a sentence."""
        return sentence(self.request)


@dataclass
class _Track:
    """A thing through the looks: which look, and what was seen in it."""

    seen: list[tuple[int, Found]]

    @property
    def last(self) -> tuple[int, Found]:
        return self.seen[-1]

    def label(self) -> tuple[Colour, Shape]:
        colours = sum(f.chance * f.colours for _, f in self.seen)
        shapes = sum(f.chance * f.shapes for _, f in self.seen)
        return layout.COLOURS[int(np.argmax(colours))], layout.SHAPES[int(np.argmax(shapes))]


def describe(frames: Iterable[Frame], fps: float, sight: Sight) -> Description:
    """What a clip shows: things, how they move, what lies behind, the light and the camera.

    Args:
        frames: `(H, W, 3) uint8, RGB`, all of one size; only the first `MOST_SECONDS` are taken.
        fps: frames a second.

    Raises:
        ValueError: no frames, or a rate that is not above zero.
    """
    if fps <= 0:
        raise ValueError(f"a clip cannot have {fps} frames a second")
    every = max(1, round(fps / RATE))
    kept = []
    for number, frame in enumerate(frames):
        if number > MOST_SECONDS * fps:
            break
        if number % every == 0:
            kept.append(small(frame))
    if not kept:
        raise ValueError("a clip without frames shows nothing")
    seconds = every / fps
    looked = np.unique(np.linspace(0, len(kept) - 1, min(MOST_FRAMES, len(kept))).round().astype(int))
    looks = sight([kept[n] for n in looked])
    nearest = np.abs(np.arange(len(kept))[:, None] - looked).argmin(axis=1)
    background = layout.BACKGROUNDS[int(np.argmax(sum(look.backgrounds for look in looks)))]
    water = background is Background.HARBOUR
    way = camera.steps(kept, [looks[n].found for n in nearest], seconds, water=water)
    moves = camera.kind(way)
    stands = camera.standpoints(way, moves)
    # A camera that zooms out begins near: see world.motion.
    start = 1 + ZOOM_RANGE if moves is Camera.ZOOM_OUT else 1.0
    tracks = _tracks(looks)
    height, width = kept[0].shape[:2]
    half = width / min(width, height), height / min(width, height)
    things = _things(tracks, looks, [stands[n] for n in looked], looked * seconds, start, half)
    light = layout.LIGHTS[int(np.argmax(sum(look.lights for look in looks)))]
    return Description(Request(tuple(things), background, light, moves), len(kept) * seconds)


def _tracks(looks: Sequence[Look]) -> list[_Track]:
    """Things followed through the looks: each joins the nearest track that looks like it, or begins one."""
    tracks: list[_Track] = []
    for number, look in enumerate(looks):
        pairs = sorted(
            (cost, i, j)
            for i, track in enumerate(tracks)
            for j, found in enumerate(look.found)
            if (cost := _cost(track, number, found)) < 1
        )
        old, new = set[int](), set[int]()
        for _, i, j in pairs:
            if i not in old and j not in new:
                tracks[i].seen.append((number, look.found[j]))
                old.add(i)
                new.add(j)
        tracks += [_Track([(number, found)]) for j, found in enumerate(look.found) if j not in new]
    return tracks


def _cost(track: _Track, number: int, found: Found) -> float:
    """How unlike a thing is to go on a track; from 1 on it does not."""
    look, last = track.last
    if number - look > 3:
        return 1.0
    far = float(np.hypot(found.x - last.x, found.y - last.y)) / _NEAR
    alike = float(np.minimum(found.colours, last.colours).sum() + np.minimum(found.shapes, last.shapes).sum())
    return far + 0.5 * (2 - alike)


def _things(
    tracks: Sequence[_Track],
    looks: Sequence[Look],
    stands: Sequence[camera.Standpoint],
    seconds: NDArray[np.float64],
    start: float,
    half: tuple[float, float],
) -> list[Wanted]:
    """Things of a colour and shape together, the most seen first."""
    kinds: dict[tuple[Colour, Shape], list[_Track]] = {}
    for track in tracks:
        kinds.setdefault(track.label(), []).append(track)
    things: list[tuple[int, Wanted]] = []
    for (colour, shape), alike in kinds.items():
        times = Counter(number for track in alike for number, _ in track.seen)
        if len(times) < max(1, _LEAST_SHARE * len(looks)):
            continue
        radii = [f.radius / stands[n].zoom / start for track in alike for n, f in track.seen]
        motions: Counter[Motion] = Counter()
        for track in alike:
            whole = _uncut(track.seen, half)
            if way := paths.motion([_place(n, f, stands[n], seconds, start) for n, f in whole]):
                motions[way] += len(track.seen)
        things.append(
            (
                len(times),
                Wanted(
                    shape,
                    colour,
                    _size(radii),
                    motions.most_common(1)[0][0] if motions else None,
                    # Some may be beyond the edge or hidden for a while: what is seen often, not always.
                    int(np.quantile(list(times.values()), 0.8, method="nearest")),
                ),
            )
        )
    return [thing for _, thing in sorted(things, key=lambda pair: -pair[0])]


def _uncut(seen: Sequence[tuple[int, Found]], half: tuple[float, float]) -> Sequence[tuple[int, Found]]:
    """Where a thing was seen whole: of one that the edge cuts, the middle is only guessed.

    Args:
        half: of the picture's width and height, in half shorter sides.
    """
    whole = [
        (n, f)
        for n, f in seen
        if abs(f.x) + f.radius < half[0] + _CUT and abs(f.y) + f.radius < half[1] + _CUT
    ]
    return whole if len(whole) >= _ENOUGH else seen


def _place(
    number: int, found: Found, stand: camera.Standpoint, seconds: NDArray[np.float64], start: float
) -> paths.Seen:
    zoom = stand.zoom * start
    return paths.Seen(float(seconds[number]), found.x / zoom + stand.x, found.y / zoom + stand.y)


def _size(radii: Sequence[float]) -> Size:
    radius = float(np.median(radii))
    return min(Size, key=lambda size: abs(np.log(RADIUS[size] / radius)))
