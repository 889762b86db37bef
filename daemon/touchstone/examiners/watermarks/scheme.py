"""The one interface of all watermark decoders.

A scheme says what it is and makes a reader for one clip; the reader is shown frames, run by run, and then
asked what it read. Whether a reading counts is decided in one place, by its false-positive bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...media.frames import Run
from ...verdict import Supports


@dataclass(frozen=True)
class Stretch:
    """Where in time a mark was read: seconds, and how well it agreed there (scheme's own measure)."""

    start_s: float
    end_s: float
    score: float


@dataclass(frozen=True)
class Reading:
    """A message that was read.

    Attributes:
        scheme: which decoder read it.
        message: hex digits, most significant bit first.
        bits: how many bits it has.
        name: of the message, where it is a known one.
        generator: for people, where the message says so.
        p_value: bound of the chance that a clip without the mark gives such a reading, over everything that
            this scheme tried on this clip.
        stretches: where in time.
        details: what else the scheme has to say, for the panel; JSON values.
        supports: what the message speaks for, whoever reads it.
        told: reported whatever its p-value, since it is not about a known message.
        finding: key of the sentence about it; the scheme's own by default.
        read_rate: lower bound of the share of marked clips that are read, where measured.toml does not say.
    """

    scheme: str
    message: str
    bits: int
    p_value: float
    name: str | None = None
    generator: str | None = None
    stretches: tuple[Stretch, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    supports: Supports = Supports.AI
    told: bool = False
    finding: str | None = None
    read_rate: float | None = None


class Reader(Protocol):
    """Reads one clip."""

    def add(self, run: Run) -> None:
        """Look at consecutive frames; all frames of a clip have the same size."""

    def readings(self) -> Iterator[Reading]:
        """What was read so far, whatever its p-value; nothing if no frame could be used."""


class Scheme(Protocol):
    """A way of marking.

    Attributes:
        name: short, as in evidence and tables.
        false_positives: how its p-values come about, in words.
    """

    name: str
    false_positives: str

    def reader(self) -> Reader: ...
