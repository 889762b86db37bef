"""Reads candidates and decides which of them are marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .looks import Content, Look
from .ocr import Grey, Reading, TextDetector, TextReader
from .rules import Place, Rule
from .search import Candidate, find_jumping, find_static

_MOST_READ = 24  # candidates of one clip that are read, the surest first: a page of text has more
_SURE = 0.6  # mean probability of letters below which a reading says nothing
_PAD = 0.12  # of a line's height, around it, for the reader
_STAYS_AT_MOST_S = 6.0  # seconds that a jumping mark stays in one place; measured: three to four


@dataclass(frozen=True)
class Sighting:
    """A mark in one look: where, and what was read."""

    look: int
    box: Place
    text: str


@dataclass(frozen=True)
class Mark:
    """A mark that was found: its rule, and every look that shows it.

    `single` is true where there was only one picture, so that nothing is known about whether it stays.
    """

    rule: Rule
    sightings: Sequence[Sighting] = field(default_factory=tuple)
    single: bool = False


def read_marks(
    detector: TextDetector,
    reader: TextReader,
    looks: Sequence[Look],
    within: Content,
    rules: Sequence[Rule],
) -> list[Mark]:
    """The marks of a clip, in the order of the rules."""
    static = [rule for rule in rules if rule.motion == "static"]
    jumping = [rule for rule in rules if rule.motion == "jumps"]
    found = _read(reader, looks, within, find_static(detector, looks, within, static), static)
    found += _read(reader, looks, within, find_jumping(detector, looks, within, jumping), jumping)
    marks = []
    for rule in rules:
        sightings = _one_a_look([sighting for of, sighting in found if of is rule])
        if sightings and counts(rule, sightings, looks):
            marks.append(Mark(rule, sightings, single=len(looks) == 1))
    return marks


def counts(rule: Rule, sightings: Sequence[Sighting], looks: Sequence[Look]) -> bool:
    """Whether what was sighted stays, or moves, as the mark does."""
    if len(looks) == 1:
        return rule.single
    if len(sightings) < min(rule.frames, len(looks)):
        return False
    if rule.motion == "static":
        return True
    times: dict[int | None, list[float]] = {}
    for sighting in sightings:
        left, top, right, bottom = sighting.box
        place = rule.place_of(((left + right) / 2, (top + bottom) / 2))
        times.setdefault(place, []).append(looks[sighting.look].time_s)
    return len(times) > 1 or max(times[next(iter(times))]) - min(times[next(iter(times))]) <= _STAYS_AT_MOST_S


def _read(
    reader: TextReader,
    looks: Sequence[Look],
    within: Content,
    candidates: Sequence[Candidate],
    rules: Sequence[Rule],
) -> list[tuple[Rule, Sighting]]:
    """What the candidates that fit a rule's place and height say, where it is what the rule's mark says."""
    fitting = [c for c in candidates if any(rule.fits(c.middle, c.height) for rule in rules)]
    fitting = sorted(fitting, key=lambda c: -c.score)[:_MOST_READ]
    wanted = [(candidate, number) for candidate in fitting for number in candidate.looks]
    readings = reader.read([_line(looks[number].picture, within, c.box) for c, number in wanted])
    found = []
    for (candidate, number), reading in zip(wanted, readings, strict=True):
        for rule in rules:
            if rule.fits(candidate.middle, candidate.height) and _says(rule, reading):
                found.append((rule, Sighting(number, candidate.box, reading.text)))
    return found


def _says(rule: Rule, reading: Reading) -> bool:
    return reading.score >= _SURE and rule.says(reading.text)


def _line(picture: Grey, within: Content, box: Place) -> Grey:
    """A line cut out of a look, with a little around it."""
    width, height = within.right - within.left, within.bottom - within.top
    left, top, right, bottom = box
    pad = (bottom - top) * height * _PAD
    x, y = within.left + left * width - pad, within.top + top * height - pad
    x_end, y_end = within.left + right * width + pad, within.top + bottom * height + pad
    return picture[max(round(y), 0) : max(round(y_end), 1), max(round(x), 0) : max(round(x_end), 1)]


def _one_a_look(sightings: Sequence[Sighting]) -> list[Sighting]:
    first: dict[int, Sighting] = {}
    for sighting in sightings:
        first.setdefault(sighting.look, sighting)
    return [first[look] for look in sorted(first)]
