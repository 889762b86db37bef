"""Schemes that read side by side are told in the same order, and each sees every run in its order."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest

from touchstone.examiners import Clip
from touchstone.examiners.watermarks import Watermarks
from touchstone.examiners.watermarks.scheme import Reading
from touchstone.media.container import Container
from touchstone.media.frames import Frame, Run, Seen


class Counting:
    """A scheme whose message is the starts of the runs that it saw."""

    false_positives = "none"

    def __init__(self, name: str) -> None:
        self.name = name

    def reader(self) -> CountingReader:
        return CountingReader(self.name)


class CountingReader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._starts: list[float] = []

    def add(self, run: Run) -> None:
        self._starts.append(run.start_s)

    def readings(self) -> Iterator[Reading]:
        message = f"{self._name}:{self._starts}"
        yield Reading(self._name, message, 32, 1.0, told=True, finding="watermarks.free_message")


class Runs:
    """Three runs of one frame."""

    seen = Seen(3)

    def __iter__(self) -> Iterator[Run]:
        picture = np.zeros((16, 16), np.uint8)
        for second in range(3):
            yield Run((Frame((picture, picture, picture), "rgb", 8, float(second), duration_s=0.1),))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_what_is_read_does_not_depend_on_threads(threads: int) -> None:
    names = ["one", "two", "three"]
    clip = Clip(io.BytesIO(), 0, Container("mp4", "video/mp4"), sample=lambda _: Runs(), threads=threads)
    found = list(Watermarks([Counting(name) for name in names]).examine(clip))
    assert [evidence.details["message"] for evidence in found] == [f"{n}:[0.0, 1.0, 2.0]" for n in names]
