"""Reads the marks of some keys from a clip that is shown run by run, in memory that does not grow with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .detection import Detector, Found, statistic
from .geometry import Geometry, around, candidates, straightened
from .payload import Message
from .sight import Estimate, canonical, content_box, fold, plain_estimate

MAX_PARTS = 64
"""Parts of the clip that are kept apart, to tell where in time a mark is. A longer clip has longer parts."""

CANDIDATES = 6
REFINEMENTS = ((0.002, 0.12), (0.001, 0.06))
"""Steps of scale and of degrees in which a promising geometry is made better."""
GEOMETRIES = 1 + CANDIDATES + 2 * 8 * len(REFINEMENTS)
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

    def _read(self, detector: Detector) -> MarkRead | None:
        tried = float(len(self._detectors) * len(self._views))
        for view in self._views:
            if (read := self._as_it_lies(detector, view, 2 * tried)) is not None:
                return read
        if self._thorough:
            for view in self._views:
                if (read := self._otherwise(detector, view, 2 * tried)) is not None:
                    return read
        return None

    def _as_it_lies(self, detector: Detector, view: _View, tried: float) -> MarkRead | None:
        """Look at the whole clip, its halves, their halves and so on."""
        spans = _halves(0, len(view.parts))
        best: Found | None = None
        for first, last in spans:
            folded = np.sum([part.folded for part in view.parts[first:last]], axis=0)
            found = detector.look(folded, tried * len(spans))
            if best is None or found.log10_p < best.log10_p:
                best = found
            if best.present and best.message is not None:
                break  # from the whole to its parts: nothing smaller tells more
        if best is None or not best.present:
            return None
        return _mark(detector, best, _stretches(detector, best, view.parts), Geometry(1.0, 0.0), view)

    def _otherwise(self, detector: Detector, view: _View, tried: float) -> MarkRead | None:
        """Look for other sizes and angles, in the whole clip at once."""
        if view.total is None:
            return None
        total, tried = view.total, tried * GEOMETRIES
        best: tuple[Found, Geometry] | None = None

        def hold(geometry: Geometry) -> None:
            nonlocal best
            found = detector.look(fold(straightened(total, geometry)), tried)
            if best is None or found.t > best[0].t:
                best = found, geometry

        for geometry in candidates(total, CANDIDATES):
            hold(geometry)
        if best is None or best[0].t < PROMISING_T:
            return None
        for scale_step, angle_step in REFINEMENTS:
            for _ in range(2):
                before = best[1]
                for neighbour in around(before, scale_step, angle_step):
                    hold(neighbour)
                if best[1] == before:
                    break
        found, geometry = best
        if not found.present:
            return None
        whole = Stretch(view.parts[0].start_s, view.parts[-1].end_s, 1.0)
        return _mark(detector, found, [whole], geometry, view)


def _mark(
    detector: Detector, found: Found, stretches: Sequence[Stretch], geometry: Geometry, view: _View
) -> MarkRead:
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


def _halves(first: int, last: int) -> list[tuple[int, int]]:
    """A range, its halves, their halves and so on, the longest first."""
    found, level = [], [(first, last)]
    while level:
        found += level
        level = [half for a, b in level if b - a > 1 for half in ((a, (a + b) // 2), ((a + b) // 2, b))]
    return found
