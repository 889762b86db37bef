"""What a scan says of our own mark."""

from __future__ import annotations

import numpy as np
import pytest

from touchstone.examiners.watermarks import CAP_LOG10_LR, _evidence
from touchstone.examiners.watermarks.touchstone_mark import ALG, TouchstoneMark, luma_of, read_rate
from touchstone.media.frames import Frame, Run
from touchstone.verdict import Evidence, Supports
from touchstone.watermark.embedding import FrameMarker
from touchstone.watermark.key import WELL_KNOWN, Key
from touchstone.watermark.payload import Statement
from touchstone.zoo.soft_bindings import table
from watermark.pictures import PAYLOAD, textured

WIDTH, HEIGHT, DEPTH_10 = 320, 240, 4
OWN = Key("own", bytes(range(32)))


def evidence(key: Key | None, statement: Statement, *, depth: int = 8) -> Evidence | None:
    """What is told of a clip that was marked with a key, or not at all."""
    lumas = textured(WIDTH, HEIGHT, 6)
    if key is not None:
        marker = FrameMarker(PAYLOAD, key, WIDTH, HEIGHT, statement=statement)
        lumas = [marker.mark(luma) for luma in lumas]
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    frames = [
        Frame(
            planes=(luma if depth == 8 else luma.astype(np.uint16) * DEPTH_10, grey, grey),
            model="ycbcr",
            depth=depth,
            time_s=number / 25,
            duration_s=1 / 25,
            subsampling=(2, 2),
        )
        for number, luma in enumerate(lumas)
    ]
    scheme = TouchstoneMark([WELL_KNOWN, OWN])
    reader = scheme.reader()
    for start in (0, 3):
        reader.add(Run(tuple(frames[start : start + 3])))
    (reading,) = reader.readings()
    return _evidence(scheme, reading) if reading.p_value < 1 else None


@pytest.mark.parametrize(
    ("key", "statement", "supports", "says"),
    [
        (WELL_KNOWN, Statement.AI_GENERATED, Supports.AI, "declares that this was made by AI"),
        (WELL_KNOWN, Statement.MARKED, Supports.NEITHER, "someone marked the clip"),
        (OWN, Statement.MARKED, Supports.NEITHER, "your key"),
    ],
)
def test_what_a_mark_says(key: Key, statement: Statement, supports: Supports, says: str) -> None:
    told = evidence(key, statement)
    assert told is not None
    assert told.supports is supports and says in told.finding
    assert told.details["message"] == "00c0ffee" and told.details["key"] == key.name
    assert told.details["p_value"] < 1e-9
    assert [(s.start_s, s.end_s) for s in told.spans] == [(0.0, pytest.approx(6 / 25))]
    assert (told.log10_lr == CAP_LOG10_LR) if supports is Supports.AI else told.log10_lr is None


def test_nothing_is_told_without_a_mark() -> None:
    assert evidence(None, Statement.MARKED) is None


def test_ten_bits_are_read_as_eight() -> None:
    told = evidence(WELL_KNOWN, Statement.MARKED, depth=10)
    assert told is not None and told.details["message"] == "00c0ffee"


def test_a_picture_of_three_colours_has_luma() -> None:
    planes = tuple(np.full((4, 4), value, np.uint8) for value in (255, 0, 0))
    assert luma_of(Frame(planes=planes, model="rgb", depth=8, time_s=0.0)).tolist() == [[53] * 4] * 4


def test_frames_that_hold_nothing_give_no_reading() -> None:
    assert list(TouchstoneMark().reader().readings()) == []


def test_the_read_rate_was_measured_and_the_name_is_known() -> None:
    assert 0 < read_rate() <= 1
    assert ALG in table()
