"""Examiners: one module for each kind of evidence, all of one small interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol

from ..media.container import Container
from ..verdict import Evidence


class Needs(StrEnum):
    """What an examiner has to be given."""

    BYTES = "bytes"  # the whole file as it came, since hashes cover all of it
    CONTAINER = "container"  # header boxes and tags
    FRAMES = "frames"  # decoded pictures


class Skip(Exception):
    """Raised by an examiner that cannot say anything about this clip; the text is the reason, in words."""


@dataclass
class Clip:
    """What is being scanned, as examiners see it.

    Attributes:
        file: the bytes as they came, seekable, at any position.
        size: number of bytes in `file`.
        container: what the container says.
        fragments: media segments of a fragmented MP4 whose init segment is `file`.
        complete: false when only parts of a long remote file were fetched.
    """

    file: BinaryIO
    size: int
    container: Container
    fragments: Sequence[BinaryIO] = field(default_factory=tuple)
    complete: bool = True


class Examiner(Protocol):
    """One kind of evidence. `examine` yields evidence as it is found and raises `Skip` with the reason."""

    name: str
    needs: Needs

    def examine(self, clip: Clip) -> Iterator[Evidence]: ...
