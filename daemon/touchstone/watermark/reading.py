"""Reads the marks of some keys from a clip that is shown run by run, in memory that does not grow with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .carrier import SYNC_CHIPS
from .detection import Detector, Found, statistic
from .geometry import Geometry, around, candidates, straightened
from .payload import Message
from .sight import Estimate, canonical, content_box, fold, plain_estimate

MAX_PARTS = 64
"""Parts of the clip that are kept apart, to tell where in time a mark is. A longer clip has longer parts."""

CANDIDATES = 6
REFINEMENTS = ((0.002, 0.12), (0.001, 0.06))
"""Steps of scale and of degrees in which a promising geometry is made better."""
GEOMETRIES = CANDIDATES + 2 * 8 * len(REFINEMENTS)
"""Geometries that are tried at most, the plain one with it."""

PROMISING_T = 5.5
"""A candidate with this much of a mark is worth refining."""

SPAN_P = 1e-3
"""A part of the clip shows the mark when its own agreement, in the pose that the clip gave, is as rare."""


@dataclass(frozen=True)
class Stretch:
    """Where in time: seconds, and how well chips agreed there at best, from 0 to 1."""

    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class MarkRead:
    """A mark.

    Attributes:
        key: name of the key.
        message: None where a mark is there but too damaged to be read.
        p_value: bound of the chance that a clip without a mark of these keys gives this, over everything
            that was tried.
        t: the statistic over sync chips.
        stretches: where in time.
        mirrored: the clip is shown in a mirror.
        scale, angle: of the chips, compared with an untouched frame; degrees.
        boxed: the frame has black bars that the marked one had not.
        soft: `(RAW_BITS,)`, soft values of the raw bits, positive for 0; for measuring.
    """

    key: str
    message: Message | None
    p_value: float
    t: float
    stretches: tuple[Stretch, ...]
    mirrored: bool
    scale: float
    angle: float
    boxed: bool
    soft: NDArray[np.float64] = field(compare=False, repr=False)


@dataclass
class _Part:
    start_s: float
    end_s: float
    folded: NDArray[np.float32]


class _View:
    """What was seen of all frames, or of the picture inside their black bars."""

    def __init__(self, box: tuple[slice, slice] | None) -> None:
        self.box = box
        self.parts: list[_Part] = []
        self.total: NDArray[np.float32] | None = None
        self._runs = 0
        self._runs_a_part = 1

    def add(self, estimate: NDArray[np.float32], start_s: float, end_s: float) -> None:
        self.total = estimate.copy() if self.total is None else self.total + estimate
        folded = fold(estimate)
        if self._runs % self._runs_a_part:
            last = self.parts[-1]
            last.folded += folded
            last.end_s = end_s
        else:
            self.parts.append(_Part(start_s, end_s, folded))
        self._runs += 1
        if len(self.parts) == MAX_PARTS and self._runs % self._runs_a_part == 0:
            pairs = zip(self.parts[::2], self.parts[1::2], strict=True)
            self.parts = [_Part(a.start_s, b.end_s, a.folded + b.folded) for a, b in pairs]
            self._runs_a_part *= 2


class ClipReader:
    """Reads one clip.

    Args:
        detectors: one for each key.
        estimate: how frames are looked at.
        thorough: also look for frames that were cut, enlarged or turned where nothing else is found.
    """

    def __init__(
        self, detectors: Sequence[Detector], estimate: Estimate = plain_estimate, *, thorough: bool = True
    ) -> None:
        self._detectors = detectors
        self._estimate = estimate
        self._thorough = thorough
        self._views: list[_View] = []

    def add(self, lumas: Sequence[NDArray[np.uint8]], start_s: float, end_s: float) -> None:
        """Look at consecutive frames.

        Args:
            lumas: `(H, W) uint8` each; all frames of a clip have the same size.
            start_s, end_s: when the first begins and the last ends, in seconds.
        """
        if not self._views:
            self._views = [_View(None)]
            if (box := content_box(lumas[0])) is not None:
                self._views.append(_View(box))
        for view in self._views:
            seen = [
                canonical(luma if view.box is None else np.ascontiguousarray(luma[view.box]))
                for luma in lumas
            ]
            view.add(self._estimate(np.stack(seen)), start_s, end_s)

    def readings(self) -> list[MarkRead]:
        """The mark of each key that is there."""
        found = [self._read(detector) for detector in self._detectors]
        return [read for read in found if read is not None]

    def least_log10_p(self, detector: Detector) -> float:
        """log10 of the least bound that a key gets here, as if it were the only one; for measuring."""
        return min((look.found.log10_p for look in self._looks(detector, 1.0)), default=0.0)

    def _read(self, detector: Detector) -> MarkRead | None:
        looks = self._looks(detector, float(len(self._detectors)))
        look = next((look for look in looks if look.found.present), None)
        return None if look is None else _mark(detector, look)

    def _looks(self, detector: Detector, tried: float) -> Iterator[_Look]:
        """The best of each way of looking, cheap to dear; their bounds count all of them as tried."""
        ways = 2.0 if self._thorough else 1.0
        tried *= len(self._views) * ways
        for view in self._views:
            if view.parts:
                yield self._as_it_lies(detector, view, tried)
        if self._thorough:
            for view in self._views:
                if view.total is not None and (look := self._otherwise(detector, view, tried)) is not None:
                    yield look

    def _as_it_lies(self, detector: Detector, view: _View, tried: float) -> _Look:
        """Look at the whole clip, its halves, their halves and so on."""
        spans = _halves(len(view.parts))
        best: Found | None = None
        for first, last in spans:
            folded = np.sum([part.folded for part in view.parts[first:last]], axis=0)
            found = detector.look(folded, tried * len(spans))
            if best is None or found.log10_p < best.log10_p:
                best = found
            if best.present and best.message is not None:
                break  # from the whole to its parts: nothing smaller tells more
        assert best is not None  # noqa: S101 - there is a part
        return _Look(best, Geometry(1.0, 0.0), view, plain=True)

    def _otherwise(self, detector: Detector, view: _View, tried: float) -> _Look | None:
        """Look for other sizes and angles, in the whole clip at once."""
        total = view.total
        assert total is not None  # noqa: S101 - asked before
        best: tuple[Found, Geometry] | None = None

        def hold(geometry: Geometry) -> None:
            nonlocal best
            found = detector.look(fold(straightened(total, geometry)), tried * GEOMETRIES)
            if best is None or found.t > best[0].t:
                best = found, geometry

        for geometry in candidates(total, CANDIDATES):
            hold(geometry)
        if best is None:
            return None
        if best[0].t >= PROMISING_T:
            for scale_step, angle_step in REFINEMENTS:
                for _ in range(2):
                    before = best[1]
                    for neighbour in around(before, scale_step, angle_step):
                        hold(neighbour)
                    if best[1] == before:
                        break
        return _Look(*best, view, plain=False)


@dataclass(frozen=True)
class _Look:
    """The best of one way of looking. `plain`: chips lie as in an untouched frame."""

    found: Found
    geometry: Geometry
    view: _View
    plain: bool


def _mark(detector: Detector, look: _Look) -> MarkRead:
    found, geometry, view = look.found, look.geometry, look.view
    if look.plain:
        stretches = _stretches(detector, found, view.parts)
    else:
        score = round(found.t / math.sqrt(SYNC_CHIPS), 3)
        stretches = [Stretch(round(view.parts[0].start_s, 3), round(view.parts[-1].end_s, 3), score)]
    return MarkRead(
        key=detector.key.name,
        message=found.message,
        p_value=float(10.0 ** max(found.log10_p, -300.0)),
        t=round(found.t, 2),
        stretches=tuple(stretches),
        mirrored=found.pose.mirrored,
        scale=round(geometry.scale, 4),
        angle=round(math.degrees(geometry.angle), 2),
        boxed=view.box is not None,
        soft=found.soft,
    )


def _known(detector: Detector, found: Found) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """The signs that are known of a mark, and of which chips: all of them once the message is."""
    if found.message is not None:
        signs = detector.signs_of(found.message)
        return signs, np.ones(signs.shape, dtype=np.bool_)
    return detector.sync_signs


def _stretches(detector: Detector, found: Found, parts: Sequence[_Part]) -> list[Stretch]:
    """Where the mark that was found shows, neighbouring parts as one; by its own agreement in that pose."""
    signs, known = _known(detector, found)
    stretches: list[Stretch] = []
    before = False
    for part in parts:
        chips = found.pose.chips(part.folded)[known]
        t = statistic(chips, signs[known])
        shows = t > 0 and math.exp(-t * t / 2) <= SPAN_P
        if shows:
            score = round(t / math.sqrt(chips.size), 3)
            start_s, end_s = round(part.start_s, 3), round(part.end_s, 3)
            if before:
                last = stretches.pop()
                start_s, score = last.start_s, max(score, last.score)
            stretches.append(Stretch(start_s, end_s, score))
        before = shows
    return stretches


def _halves(count: int) -> list[tuple[int, int]]:
    """The range of so many parts, its halves, their halves and so on, the longest first."""
    found, level = [], [(0, count)]
    while level:
        found += level
        level = [half for a, b in level if b - a > 1 for half in ((a, (a + b) // 2), ((a + b) // 2, b))]
    return found
