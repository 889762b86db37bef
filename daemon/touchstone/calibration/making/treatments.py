"""What is done to a clip's pictures before they are encoded and examined, inside the confined worker.

A treatment makes a clip of another kind out of one whose kind is known: marked with our watermark, or passed
through a generator's autoencoder. Its counterpart `cropped` changes nothing but the size, so that a clip and
its reconstruction are the same content, cut alike and encoded alike (an aligned pair).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from ...watermark.embedding import FrameMarker
from ...watermark.key import WELL_KNOWN
from ...watermark.payload import Statement

Picture = NDArray[np.uint8]
"""`(H, W, 3) uint8, RGB`."""

Treatment = Callable[[Iterator[VideoFrame]], Iterator[VideoFrame]]

WIDEST = (480, 288)
"""Pixels of the longer and the shorter side that reconstructions are cut to: 24 frames through an autoencoder
on one core stay within seconds."""

_MULTIPLE = 16  # sides that every autoencoder takes without padding, which would leave traces of its own

CROPPED, MARKED, DECODER = "cropped", "marked", "decoder"

PAYLOAD = 0x70C57A5E
"""What marked copies say; any 32 bits would do."""


class Autoencoder(Protocol):
    """A video autoencoder; see generator.networks."""

    def encode(self, frames: Iterable[Picture]) -> Iterator[NDArray[np.float32]]: ...

    def decode(self, latents: Iterable[NDArray[np.float32]]) -> Iterator[Picture]: ...


Load = Callable[[Path], Autoencoder]


def marked(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """The frames with our watermark in them, which declares them AI-made."""
    marker: FrameMarker | None = None
    for frame in frames:
        picture = rgb(frame)
        if marker is None:
            height, width = picture.shape[:2]
            marker = FrameMarker(PAYLOAD, WELL_KNOWN, width, height, statement=Statement.AI_GENERATED)
        yield VideoFrame.from_ndarray(marker.mark_rgb(picture), "rgb24")


def cropped(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    """The middle of the frames, as reconstructions show it."""
    for frame in frames:
        yield VideoFrame.from_ndarray(middle(rgb(frame)), "rgb24")


def reconstructed(autoencoder: Autoencoder) -> Treatment:
    """The treatment that passes the middle of the frames through an autoencoder."""

    def treat(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
        latents = autoencoder.encode(middle(rgb(frame)) for frame in frames)
        for picture in autoencoder.decode(latents):
            yield VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")

    return treat


def rgb(frame: VideoFrame) -> Picture:
    """A frame's pixels, even sides."""
    picture = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    return np.ascontiguousarray(picture[:height, :width])


def middle(picture: Picture) -> Picture:
    """The middle of a picture: at most WIDEST, sides whole multiples of 16; smaller ones lose an edge."""
    height, width = picture.shape[:2]
    longer, shorter = WIDEST
    most_down, most_across = (shorter, longer) if width >= height else (longer, shorter)
    down = max(min(height, most_down) // _MULTIPLE * _MULTIPLE, min(height, _MULTIPLE))
    across = max(min(width, most_across) // _MULTIPLE * _MULTIPLE, min(width, _MULTIPLE))
    top, left = (height - down) // 2, (width - across) // 2
    return np.ascontiguousarray(picture[top : top + down, left : left + across])


def treatment_of(name: str, settings: dict[str, Any], load: Callable[[str], Load]) -> Treatment:
    """A treatment by name: CROPPED, MARKED, or DECODER and the name of an autoencoder, `decoder:NAME`.

    Args:
        settings: `{"autoencoders": {name: {"path": file, "loader": "module:function"}}}`.
        load: finds a loader by that name.

    Raises:
        KeyError: there is no such treatment or autoencoder.
    """
    kind, _, which = name.partition(":")
    if kind == DECODER:
        entry = settings["autoencoders"][which]
        return reconstructed(load(entry["loader"])(Path(entry["path"])))
    return {CROPPED: cropped, MARKED: marked}[name]
