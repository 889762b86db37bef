"""Pictures as a model takes them, and what it gives as scores: an entry's `input` and `output` in numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .entry import Input, Output

SUREST = 1e-6
"""Probabilities are kept this far from 0 and 1, so that a score is a number; float32 has no finer ones."""


def prepared(frames: Sequence[NDArray[np.uint8]], wanted: Input) -> NDArray[np.float32]:
    """One stretch of frames as the model takes it, a batch of one.

    Args:
        frames: `wanted.frames` of them, consecutive, each `(H, W, 3) uint8`, RGB, at least as large as the
            input where `fit` is `crop`.

    Raises:
        ValueError: another number of frames, or pictures that are smaller than the piece.
    """
    if len(frames) != wanted.frames:
        raise ValueError(f"{len(frames)} frames where the model takes {wanted.frames}")
    low, high = wanted.range
    pictures = np.stack([_fitted(frame, wanted) for frame in frames])
    values: NDArray[np.float32] = pictures.astype(np.float32) * np.float32((high - low) / 255)
    values += np.float32(low)
    if wanted.colour == "BGR":
        values = values[..., ::-1]
    if wanted.mean is not None:
        values -= np.array(wanted.mean, np.float32)
    if wanted.std is not None:
        values /= np.array(wanted.std, np.float32)
    # (T, H, W, 3) to the order of the layout; BCHW with several frames is BTCHW with two axes joined.
    axes = {"BHWC": (0, 1, 2, 3), "BCTHW": (3, 0, 1, 2)}.get(wanted.layout, (0, 3, 1, 2))
    return np.ascontiguousarray(values.transpose(axes)).reshape(wanted.shape())


def _fitted(frame: NDArray[np.uint8], wanted: Input) -> NDArray[np.uint8]:
    """A picture of the input's size."""
    if wanted.fit != "crop":
        frame = _scaled(frame, wanted)
    height, width = frame.shape[:2]
    if height < wanted.height or width < wanted.width:
        raise ValueError(
            f"a picture of {width} by {height} pixels where the model takes {wanted.width} by {wanted.height}"
        )
    top, left = (height - wanted.height) // 2, (width - wanted.width) // 2
    return frame[top : top + wanted.height, left : left + wanted.width]


def _scaled(frame: NDArray[np.uint8], wanted: Input) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    size = (wanted.width, wanted.height)
    if wanted.fit == "cover":
        factor = max(wanted.width / width, wanted.height / height)
        size = (max(round(width * factor), wanted.width), max(round(height * factor), wanted.height))
    if size == (width, height):
        return frame
    # Pillow's filter widens with the factor, as the antialiased resizing of training code does.
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))


def scores(rows: NDArray[np.float32], output: Output) -> NDArray[np.float64]:
    """A detector's answers as logits, higher for AI.

    Args:
        rows: `(B, N)`, what the model gives.

    Returns:
        `(B,)`.

    Raises:
        ValueError: fewer numbers than the entry says.
    """
    if rows.ndim != 2 or rows.shape[1] < output.numbers:
        raise ValueError(f"answers of shape {rows.shape} where rows have at least {output.numbers} numbers")
    values = rows.astype(np.float64)
    score = values[:, output.skip]
    match output.scale:
        case "logit":
            return score
        case "probability":
            sure = score.clip(SUREST, 1 - SUREST)
            return np.asarray(np.log(sure / (1 - sure)))
        case "classes":
            others = np.delete(values, output.skip, axis=1)
            return np.asarray(score - np.logaddexp.reduce(others, axis=1))
