"""What single frames show, read by a small network: background, light, and every thing with its place.

model_zoo/cards/captioner.md says how the network was made and measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from . import layout

Frame: TypeAlias = NDArray[np.uint8]
Network: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]

SURE = 0.3
"""Least probability that a cell is the middle of a thing."""
_BATCH = 8


@dataclass(frozen=True)
class Found:
    """A thing in a frame.

    Attributes:
        x: of its middle, in half the picture's shorter side from the picture's middle; `y` points down.
        radius: in the same unit.
        chance: that it is one.
        colours: a probability for each of `layout.COLOURS`, `shapes` for each of `layout.SHAPES`.
    """

    x: float
    y: float
    radius: float
    chance: float
    colours: NDArray[np.float32]
    shapes: NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """What a frame shows: log probabilities of `layout.BACKGROUNDS` and `layout.LIGHTS`, and the things."""

    backgrounds: NDArray[np.float32]
    lights: NDArray[np.float32]
    found: tuple[Found, ...]


def small(frame: Frame) -> Frame:
    """A frame scaled down (or up) so that its shorter side has `layout.SIDE` pixels; sides of whole cells."""
    height, width = frame.shape[:2]
    scale = layout.SIDE / min(height, width)
    size = [max(layout.SIDE, round(n * scale / layout.MULTIPLE) * layout.MULTIPLE) for n in (width, height)]
    if size == [width, height]:
        return frame
    source = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    scaled = source.to_ndarray(width=size[0], height=size[1], format="rgb24", interpolation="AREA")
    return scaled.astype(np.uint8, copy=False)


class Sight:
    """Looks at frames.

    Args:
        network: `(N, 3, H, W) float32` from 0 to 255 in, `(N, layout.PLANES, H/4, W/4)` out.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def planes(self, frames: Sequence[Frame]) -> NDArray[np.float32]:
        """What the network says of frames of one size that `small` made, `(N, layout.PLANES, H/4, W/4)`."""
        return self._network(np.stack(frames).transpose(0, 3, 1, 2).astype(np.float32))

    @classmethod
    def load(cls, model: Path | bytes, *, threads: int = 1) -> Sight:
        """With the network of an ONNX file, or of the bytes of one."""
        from ...inference.sessions import Session  # only here: it brings onnxruntime

        return cls(Session(model, threads=threads))

    def __call__(self, frames: Sequence[Frame]) -> list[Look]:
        """Look at frames of one size, as `small` gives them."""
        looks: list[Look] = []
        for at in range(0, len(frames), _BATCH):
            batch = np.stack(frames[at : at + _BATCH]).transpose(0, 3, 1, 2).astype(np.float32)
            looks += [_look(planes) for planes in self._network(batch)]
        return looks


def _look(planes: NDArray[np.float32]) -> Look:
    return Look(
        _log_softmax(planes[layout.BACKGROUND, 0, 0]),
        _log_softmax(planes[layout.LIGHT, 0, 0]),
        tuple(_found(planes)),
    )


def _found(planes: NDArray[np.float32]) -> list[Found]:
    """The peaks of the plane of middles, surest first; one near the core of a surer one is the same thing."""
    rows, columns = planes.shape[1:]
    unit = min(rows, columns) / 2  # cells in half the shorter side
    chance = 1 / (1 + np.exp(-planes[layout.MIDDLE]))
    padded = np.pad(chance, 1, mode="edge")
    around = np.max(
        [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3)],
        axis=0,
    )
    at = np.argwhere((chance >= SURE) & (chance >= around))
    found: list[Found] = []
    for row, column in sorted(at.tolist(), key=lambda p: -chance[p[0], p[1]]):
        cell = planes[:, row, column]
        thing = Found(
            x=float((column + 0.5 + cell[layout.ACROSS] - columns / 2) / unit),
            y=float((row + 0.5 + cell[layout.DOWN] - rows / 2) / unit),
            radius=float(np.exp(np.clip(cell[layout.RADIUS], -3, 1))),
            chance=float(chance[row, column]),
            colours=np.exp(_log_softmax(cell[layout.COLOUR])),
            shapes=np.exp(_log_softmax(cell[layout.SHAPE])),
        )
        if all(np.hypot(thing.x - o.x, thing.y - o.y) > 0.45 * min(thing.radius, o.radius) for o in found):
            found.append(thing)
    return found


def _log_softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = values - values.max()
    logs: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum())
    return logs
