"""Visible marks: what generators and platforms write into the picture, read by OCR.

Many AI videos carry a mark that survives the re-upload which takes their metadata away. A mark counts by
what it says, where it is, how large it is and how it stays or moves (rules.toml), so that the same word in a
scene, a caption or a title does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...inference.uses import taken
from ...messages import say
from ...verdict import Evidence, ModelUse
from .. import Clip, Needs, Skip
from .looks import Look, content, looks, scaled
from .measured import measured
from .ocr import TextDetector, TextReader, models_folder
from .reading import read_marks
from .report import evidence
from .rules import rules

_SMALLEST = 96  # pixels of the shorter side; below, no mark's letters can be told apart


class VisibleMarks:
    """Looks for the marks of rules.toml. Models are loaded, and run once, when it is made and never later.

    Raises:
        FileNotFoundError: the OCR models are not installed.
    """

    name = "visible_marks"
    needs = Needs.FRAMES

    def __init__(self) -> None:
        folder = models_folder()
        self._detector = TextDetector(folder)
        self._reader = TextReader(folder)
        self._rules = rules()
        measured()
        # Networks are set up by their first run, and libraries import more at first use; once a worker is
        # confined it is too late for that. Four looks, so that both halves of a clip are gone through.
        blank = np.full((2 * _SMALLEST, 2 * _SMALLEST), 128, np.uint8)
        blanks = [Look(scaled(blank, _SMALLEST), 0.0)] * 4
        read_marks(
            self._detector, self._reader, blanks, content([look.picture for look in blanks]), self._rules
        )
        self._reader.read([blank])
        self.take_uses()

    def take_uses(self) -> dict[str, ModelUse]:
        """See examiners.UsesModels."""
        return taken([self._detector.loaded, self._reader.loaded])

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        seen = looks(clip.frames)
        if min(seen[0].picture.shape) < _SMALLEST:
            raise Skip(say("visible_marks.skip.small", pixels=_SMALLEST))
        yield from self.find(seen, threads=clip.threads_now)

    def find(self, seen: Sequence[Look], *, threads: int = 1) -> Iterator[Evidence]:
        """The marks in looks at one clip, in the order they are shown; one alone is a single picture."""
        within = content([look.picture for look in seen])
        marks = read_marks(self._detector, self._reader, seen, within, self._rules, threads=threads)
        for mark in marks:
            yield evidence(mark, seen, within)
