"""Marking and reading pictures from a program: the three functions that the package offers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .detection import Detector
from .embedding import FrameMarker
from .key import WELL_KNOWN, Key
from .payload import Statement, parse
from .reading import ClipReader, MarkRead
from .sight import FRAMES


def mark_frames(
    frames: Iterable[NDArray[np.uint8]], *, payload: str, ai: bool = False, key: Key = WELL_KNOWN
) -> Iterator[NDArray[np.uint8]]:
    """Mark pictures one by one.

    Args:
        frames: `(H, W, 3) uint8, RGB` each, all of one size.
        payload: eight hex digits.
        ai: declare that AI made them.
        key: whose mark it is.

    Raises:
        payload.BadPayload: the payload is none.
        ValueError: the pictures differ in size.
    """
    number, marker = parse(payload), None
    for frame in frames:
        if marker is None:
            height, width = frame.shape[:2]
            marker = FrameMarker(number, key, width, height, statement=_statement(ai))
        yield marker.mark_rgb(frame)


def mark_file(
    source: Path,
    target: Path,
    *,
    payload: str,
    ai: bool = False,
    key: Key = WELL_KNOWN,
    replace: bool = False,
) -> None:
    """Write a marked copy of a video; see files.embed, which also tells how far it is.

    Raises:
        payload.BadPayload: the payload is none.
        files.CannotMark: the source is no video, or the target cannot be written.
    """
    from .files import embed  # only here: it brings FFmpeg

    embed(source, target, parse(payload), key, statement=_statement(ai), replace=replace)


def read_frames(
    frames: Iterable[NDArray[np.uint8]], *, keys: Sequence[Key] = (WELL_KNOWN,), fps: float = 25.0
) -> list[MarkRead]:
    """The marks in consecutive pictures, read without the network, which files and scans are read with.

    Args:
        frames: `(H, W, 3) uint8, RGB` each, all of one size.
        keys: whose marks.
        fps: pictures a second, for the times in the answer.
    """
    reader = ClipReader([Detector(key) for key in keys])
    run: list[NDArray[np.uint8]] = []
    count = 0
    for frame in frames:
        run.append(np.asarray((frame.astype(np.uint16) @ _LUMA) >> 8).astype(np.uint8))
        count += 1
        if len(run) == FRAMES:
            reader.add(run, (count - FRAMES) / fps, count / fps)
            run = []
    if run:
        reader.add(run, (count - len(run)) / fps, count / fps)
    return reader.readings() if count else []


_LUMA = np.array([54, 183, 19], dtype=np.uint16)  # ITU-R BT.709, of 256


def _statement(ai: bool) -> Statement:
    return Statement.AI_GENERATED if ai else Statement.MARKED
