"""From decoded planes to RGB, by the formulas of ITU-T H.273, in whole-number arithmetic.

The result is the same on every machine, which a library's vector code does not promise.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .frames import Frame, Plane

# Kr, Kb of ITU-T H.273 (07/2024), table 4, equations 38 ff.
_WEIGHTS: Mapping[str, tuple[float, float]] = {
    "bt709": (0.2126, 0.0722),
    "fcc": (0.30, 0.11),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "smpte240m": (0.212, 0.087),
    "bt2020nc": (0.2627, 0.0593),
    "bt2020c": (0.2627, 0.0593),
}
_HD_LINES = 720
_BITS = 14  # of the fixed point


def to_rgb(frame: Frame) -> NDArray[np.uint8]:
    """See `Frame.rgb`."""
    if frame.model == "rgb":
        return np.stack([_to_8_bits(plane, frame.depth) for plane in frame.planes], axis=-1)
    if frame.model == "grey":
        luma = _luma(frame)
        return np.repeat(_clip(luma)[..., None], 3, axis=-1)
    return _from_ycbcr(frame)


def _from_ycbcr(frame: Frame) -> NDArray[np.uint8]:
    kr, kb = _WEIGHTS[matrix_of(frame)]
    kg = 1 - kr - kb
    luma = _luma(frame)
    blue, red = (_chroma(plane, frame) for plane in frame.planes[1:3])
    # Parts of the chroma signals in R, G and B: H.273 equations 44 to 46 solved for R, G, B.
    parts = (
        (0.0, 2 * (1 - kr)),
        (-2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg),
        (2 * (1 - kb), 0.0),
    )
    picture = np.empty((*luma.shape, 3), np.uint8)
    for channel, (of_blue, of_red) in enumerate(parts):
        value = luma.copy()
        if of_blue:
            value += _spread(blue * _fixed(of_blue) >> _BITS, frame)
        if of_red:
            value += _spread(red * _fixed(of_red) >> _BITS, frame)
        picture[..., channel] = _clip(value)
    return picture


def matrix_of(frame: Frame) -> str:
    """The matrix to use for a frame: the one it names, else what players take for its size."""
    if frame.colour.matrix in _WEIGHTS:
        return str(frame.colour.matrix)
    return (
        "bt709" if max(frame.width, frame.height) > _HD_LINES and frame.height >= _HD_LINES else "smpte170m"
    )


# Luma and chroma are kept as 8-bit values times 2^6, which leaves room for the products in 32 bits.
_SCALE = 6


def _luma(frame: Frame) -> NDArray[np.int32]:
    value = frame.planes[0].astype(np.int32)
    top = (1 << frame.depth) - 1
    if frame.colour.full_range:
        return value * round((255 << (_SCALE + 8)) / top) >> 8
    step = 1 << (frame.depth - 8)
    return (value - 16 * step) * round((255 << (_SCALE + 8)) / (219 * step)) >> 8


def _chroma(plane: Plane, frame: Frame) -> NDArray[np.int32]:
    value = plane.astype(np.int32) - (1 << (frame.depth - 1))
    if frame.colour.full_range:
        return value * round((255 << (_SCALE + 8)) / ((1 << frame.depth) - 1)) >> 8
    return value * round((255 << (_SCALE + 8)) / (224 << (frame.depth - 8))) >> 8


def _spread(plane: NDArray[np.int32], frame: Frame) -> NDArray[np.int32]:
    """A chroma plane repeated to the size of the luma plane."""
    across, down = frame.subsampling
    if down > 1:
        plane = np.repeat(plane, down, axis=0)
    if across > 1:
        plane = np.repeat(plane, across, axis=1)
    return plane[: frame.height, : frame.width]


def _clip(value: NDArray[np.int32]) -> NDArray[np.uint8]:
    rounded: NDArray[np.int32] = (value + (1 << (_SCALE - 1))) >> _SCALE
    bounded: NDArray[np.int32] = np.clip(rounded, 0, 255)
    return bounded.astype(np.uint8)


def _fixed(weight: float) -> int:
    return round(weight * (1 << _BITS))


def _to_8_bits(plane: Plane, depth: int) -> NDArray[np.uint8]:
    if depth == 8:
        return plane.astype(np.uint8)
    top = (1 << depth) - 1
    scaled: NDArray[np.uint32] = (plane.astype(np.uint32) * 255 + top // 2) // top
    return scaled.astype(np.uint8)
