"""Reads candidates and decides which of them are marks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...inference.side_by_side import both
from .looks import Content, Look
from .ocr import Grey, Reading, TextDetector, TextReader
from .rules import Place, Rule
from .search import Candidate, find_jumping, find_static

_MOST_READ = 12  # candidates of one search that are read, the surest first: a page of text has more
_SURE = 0.6  # mean probability of letters below which a reading says nothing
_CLEAR = 0.98  # from which on a line is taken to be read the right way round; "Sora" mirrored is a sure 6102
_PAD = 0.12  # of a line's height, around it, for the reader
_DRIFT = (
    0.03  # of the picture; the columns and rows that a mark jumps among are the same all through the clip
)
_STAYS_AT_MOST_S = 6.0  # seconds that a jumping mark stays in one place; measured: three to four


@dataclass(frozen=True)
class Sighting:
    """A mark in one look: where, and what was read."""

    look: int
    candidate: Candidate
    text: str

    @property
    def box(self) -> Place:
        """Left, top, right, bottom as fractions of the picture without bars."""
        return self.candidate.box


@dataclass(frozen=True)
class Mark:
    """A mark that was found.

    Attributes:
        rule: whose it is.
        sightings: every look that shows it, in order.
        searched: numbers of the looks that it was looked for in, in order: once it is certain that one jumps,
            the others are left alone.
        single: there was only one picture, so that nothing is known about whether it stays.
    """

    rule: Rule
    sightings: Sequence[Sighting]
    searched: Sequence[int]
    single: bool = False

    @property
    def mirrored(self) -> bool:
        """Whether the clip was turned left for right after the mark was put in."""
        return self.sightings[0].candidate.mirrored


Found = list[tuple[Rule, Sighting]]


def read_marks(
    detector: TextDetector,
    reader: TextReader,
    looks: Sequence[Look],
    within: Content,
    rules: Sequence[Rule],
    *,
    threads: int = 1,
) -> list[Mark]:
    """The marks of a clip, in the order of the rules.

    Args:
        threads: with two, what stays is searched beside the first looks for what jumps.
    """
    lines = _Lines(reader, looks, within)
    static = [rule for rule in rules if rule.motion == "static"]
    jumping = [rule for rule in rules if rule.motion == "jumps"]
    stages = _stages(len(looks))

    def jumping_in(numbers: range) -> list[Candidate]:
        return find_jumping(detector, {number: looks[number] for number in numbers}, within, jumping)

    stays, first = both(
        lambda: find_static(detector, looks, within, static), lambda: jumping_in(stages[0]), threads=threads
    )
    found = _read_static(lines, stays, static)
    jumps: list[Candidate] = []
    searched: list[int] = []
    sighted: Found = []
    # A few looks first: where such a mark is, it is in nearly all of them.
    for stage, numbers in enumerate(stages):
        searched += numbers
        candidates = jumping_in(numbers) if stage else first
        jumps += candidates
        sighted += lines.read(candidates, jumping)
        lines_there = any(rule.fits(c.middle, c.height) for c in jumps for rule in jumping)
        if not lines_there or (stage > 0 and not sighted) or _marks(sighted, looks, jumping, searched):
            break
    found += sighted
    if not found:
        # Some who hide where a clip is from turn it left for right.
        found = _read_static(lines, lines.unclear(stays), static)
        found += lines.read(lines.unclear(jumps), jumping)
    return _marks(found, looks, rules, searched)


def counts(rule: Rule, sightings: Sequence[Sighting], looks: Sequence[Look]) -> bool:
    """Whether what was sighted stays, or moves, as the mark does."""
    if len(looks) == 1:
        return rule.single or rule.kind == "label"
    if len(sightings) < min(rule.frames, len(looks)):
        return False
    return rule.motion == "static" or _jumps(rule, sightings, looks)


def _jumps(rule: Rule, sightings: Sequence[Sighting], looks: Sequence[Look]) -> bool:
    """Whether something jumps among fixed places: it neither drifts nor stays in one for long."""
    across: dict[bool, list[float]] = {}
    down: dict[int, list[float]] = {}
    times: dict[int | None, list[float]] = {}
    for sighting in sightings:
        x, y = sighting.candidate.middle
        across.setdefault(x < 1 / 2, []).append(x)
        down.setdefault(int(y * 3), []).append(y)
        times.setdefault(rule.place_of((x, y)), []).append(looks[sighting.look].time_s)
    fixed = all(max(of) - min(of) <= _DRIFT for of in (*across.values(), *down.values()))
    return fixed and (len(times) > 1 or all(max(of) - min(of) <= _STAYS_AT_MOST_S for of in times.values()))


def _marks(found: Found, looks: Sequence[Look], rules: Sequence[Rule], searched: Sequence[int]) -> list[Mark]:
    """The marks among what was read. `searched` are the looks that were gone through for marks that jump."""
    marks: list[Mark] = []
    taken: set[tuple[int, Candidate]] = set()
    for rule in rules:  # brands come before labels, and a line that is a brand is no label beside it
        sightings = _one_a_look(
            sighting
            for of, sighting in found
            if of is rule and (rule.kind == "brand" or (sighting.look, sighting.candidate) not in taken)
        )
        if sightings and counts(rule, sightings, looks):
            within = sorted(searched) if rule.motion == "jumps" else range(len(looks))
            marks.append(Mark(rule, sightings, within, single=len(looks) == 1))
            taken |= {(sighting.look, sighting.candidate) for sighting in sightings}
    return marks


def _one_a_look(sightings: Iterable[Sighting]) -> list[Sighting]:
    first: dict[int, Sighting] = {}
    for sighting in sightings:
        first.setdefault(sighting.look, sighting)
    return [first[look] for look in sorted(first)]


def _stages(count: int) -> list[range]:
    """The numbers below `count` in the order in which they are gone through: some at a time, well spread."""
    if count < 4:
        return [range(count)]
    if count < 6:
        return [range(1, count, 2), range(0, count, 2)]
    return [range(1, count, 4), range(3, count, 4), range(0, count, 2)]


def _read_static(lines: _Lines, candidates: Sequence[Candidate], rules: Sequence[Rule]) -> Found:
    """What candidates that stay say; all looks are read only where one of a few shows a mark."""
    count = len(lines.looks)
    few = tuple(sorted({count // 6, count // 2, count * 5 // 6}))
    first = lines.read([replace(candidate, looks=few) for candidate in candidates], rules)
    boxes = {sighting.box for _, sighting in first}
    rest = tuple(number for number in range(count) if number not in few)
    return first + lines.read(
        [replace(candidate, looks=rest) for candidate in candidates if candidate.box in boxes], rules
    )


class _Lines:
    """Reads lines of looks and remembers how clear they were."""

    def __init__(self, reader: TextReader, looks: Sequence[Look], within: Content) -> None:
        self.looks = looks
        self._reader = reader
        self._within = within
        self._clarity: dict[Place, float] = {}

    def read(self, candidates: Sequence[Candidate], rules: Sequence[Rule]) -> Found:
        """What the candidates that fit a rule's place and height say, where a rule's mark says that."""
        fitting = [c for c in candidates if any(rule.fits(c.middle, c.height) for rule in rules)]
        fitting = sorted(fitting, key=lambda c: -c.score)[:_MOST_READ]
        wanted = [(candidate, number) for candidate in fitting for number in candidate.looks]
        readings = self._reader.read([self._line(candidate, number) for candidate, number in wanted])
        found: Found = []
        for (candidate, number), reading in zip(wanted, readings, strict=True):
            self._clarity[candidate.box] = max(self._clarity.get(candidate.box, 0), reading.score)
            found += [
                (rule, Sighting(number, candidate, reading.text))
                for rule in rules
                if rule.fits(candidate.middle, candidate.height) and _says(rule, reading)
            ]
        return found

    def unclear(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those that could not be read clearly, or were not where a mark is, mirrored."""
        return [
            replace(candidate, mirrored=True)
            for candidate in candidates
            if self._clarity.get(candidate.box, 0) < _CLEAR
        ]

    def _line(self, candidate: Candidate, number: int) -> Grey:
        """A line cut out of a look, with a little around it."""
        within, picture = self._within, self.looks[number].picture
        width, height = within.right - within.left, within.bottom - within.top
        left, top, right, bottom = candidate.box
        pad = (bottom - top) * height * _PAD
        x, y = within.left + left * width - pad, within.top + top * height - pad
        x_end, y_end = within.left + right * width + pad, within.top + bottom * height + pad
        line = picture[max(round(y), 0) : max(round(y_end), 1), max(round(x), 0) : max(round(x_end), 1)]
        return np.fliplr(line) if candidate.mirrored else line


def _says(rule: Rule, reading: Reading) -> bool:
    return reading.score >= _SURE and rule.says(reading.text)
