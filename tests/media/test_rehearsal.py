"""Rehearsal reaches every examiner: what is not loaded then is out of reach for good."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest

from touchstone.examiners import Clip, Needs
from touchstone.media.probe import read_container
from touchstone.media.rehearsal import rehearse, smallest_gif, smallest_mp4
from touchstone.verdict import Evidence


class Watching:
    """Notes what it was shown."""

    name = "watching"

    def __init__(self, needs: Needs) -> None:
        self.needs = needs
        self.formats: list[str] = []
        self.frames = 0

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        self.formats.append(clip.container.format)
        if self.needs is Needs.FRAMES:
            self.frames += sum(len(run.frames) for run in clip.frames)
        return iter(())


@pytest.mark.parametrize(("clip", "form"), [(smallest_mp4(), "mp4"), (smallest_gif(), "gif")])
def test_the_clips_are_sound(clip: bytes, form: str) -> None:
    container = read_container(BytesIO(clip), len(clip))
    assert container.format == form
    assert container.problems == []
    assert container.width in (1, 16)


def test_an_examiner_of_bytes_is_shown_an_mp4() -> None:
    examiner = Watching(Needs.CONTAINER)
    rehearse([examiner])
    assert examiner.formats == ["mp4"]


def test_an_examiner_of_frames_is_shown_a_decoded_one() -> None:
    examiner = Watching(Needs.FRAMES)
    rehearse([examiner])
    assert examiner.formats == ["mp4", "frames", "gif"]
    assert examiner.frames == 2
