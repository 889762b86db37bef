"""Examiners: one module for each kind of evidence, all of one small interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from ..media.container import CannotDecode, Container
from ..messages import say
from ..verdict import Evidence, ModelUse

if TYPE_CHECKING:
    from ..inference import InferenceClient
    from ..media.frames import Frames


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
        present: the byte ranges `(start, end)` of `file` that were; empty means all of it.
        sample: how decoded frames are had; None where nothing decodes.
        inference: runs models by name; None where there are none.
        threads: how many its examiners may keep busy; 1 in a rehearsal, before a worker is confined.
        share: how many one of several that run at once may, now; None where it has all of them.
    """

    file: BinaryIO
    size: int
    container: Container
    fragments: Sequence[BinaryIO] = field(default_factory=tuple)
    complete: bool = True
    present: Sequence[tuple[int, int]] = ()
    sample: Callable[[Clip], Frames] | None = field(default=None, repr=False)
    inference: InferenceClient | None = field(default=None, repr=False)
    threads: int = 1
    share: Callable[[], int] | None = field(default=None, repr=False)

    @cached_property
    def frames(self) -> Frames:
        """Short runs of consecutive decoded frames, spread over the clip.

        Decoding starts when they are first read, and one decoding serves all examiners. Reading them raises
        `CannotDecode` where no frame can be had; an examiner that lets it pass is skipped for that reason.
        """
        if self.sample is None:
            raise CannotDecode(say("sampler.nothing_decodes"))
        return self.sample(self)

    @property
    def threads_now(self) -> int:
        """How many threads the examiner may keep busy: more, once others that ran beside it have ended."""
        return self.threads if self.share is None else self.share()

    def shared(self, share: Callable[[], int]) -> Clip:
        """The same clip with the same frames, for several examiners that run at once."""
        clip = replace(self, share=share)
        clip.frames = self.frames
        return clip


class Examiner(Protocol):
    """One kind of evidence. `examine` yields evidence as it is found and raises `Skip` with the reason."""

    name: str
    needs: Needs

    def examine(self, clip: Clip) -> Iterator[Evidence]: ...


@runtime_checkable
class UsesModels(Protocol):
    """An examiner that has loaded models of its own."""

    def take_uses(self) -> Mapping[str, ModelUse]:
        """What ran since this was last asked, by the model's name."""
