"""Pictures made from seeds, to embed in and to compare decoders on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _noise(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def _natural(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    """Noise on seven scales, coarse ones strongest like in a photograph; whole numbers throughout."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), dtype=np.int64)
    for octave in range(7):
        cell = 1 << octave
        grid = rng.integers(-cell, cell + 1, (-(-height // cell), -(-width // cell), 3))
        total += np.repeat(np.repeat(grid, cell, axis=0), cell, axis=1)[:height, :width]
    return np.clip(128 + total // 2, 0, 255).astype(np.uint8)


def _flat(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    colour = np.random.default_rng(seed).integers(0, 256, 3, dtype=np.uint8)
    return np.full((height, width, 3), colour, dtype=np.uint8)


CARRIERS = {
    "noise 256x256": (_noise, 1, 256, 256),
    "noise 263x519": (_noise, 2, 263, 519),
    "natural 320x576": (_natural, 3, 320, 576),
    "natural 577x1023": (_natural, 4, 577, 1023),
    "natural 720x1280": (_natural, 5, 720, 1280),
    "flat 300x300": (_flat, 6, 300, 300),
    "noise 512x512": (_noise, 7, 512, 512),
    "natural 576x1024": (_natural, 8, 576, 1024),
    "black 256x256": (lambda _, h, w: np.zeros((h, w, 3), dtype=np.uint8), 0, 256, 256),
}


def carrier(name: str) -> NDArray[np.uint8]:
    """One picture, `(H, W, 3) uint8`, RGB; the same on every machine."""
    make, seed, height, width = CARRIERS[name]
    return make(seed, height, width)


def embed_dwt_dct(rgb: NDArray[np.uint8], message: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Put a message into a frame the way the DWT-DCT scheme does, `(H, W, 3) uint8`, RGB.

    Moves the largest of each block's low-band coefficients (the first one aside) to a quarter or three
    quarters of its step of 36. A coefficient is half the sum of U over four pixels, so each of them takes
    half of the move; blue and green follow U while luma and V stay.
    """
    rows, columns = rgb.shape[0] // 8, rgb.shape[1] // 8
    inside = rgb[: rows * 8, : columns * 8].astype(np.float64)
    u = 0.492 * (inside[..., 2] - inside @ [0.299, 0.587, 0.114]) + 128
    low = u.reshape(rows, 4, 2, columns, 4, 2).sum(axis=(2, 5)) / 2  # (rows, 4, columns, 4)
    blocks = low.transpose(0, 2, 1, 3).reshape(-1, 16)
    number = np.arange(len(blocks))
    at = blocks[:, 1:].argmax(axis=1) + 1
    value = blocks[number, at]
    goal = (np.floor(value / 36) + np.where(message[number % len(message)], 0.75, 0.25)) * 36
    moves = np.zeros_like(blocks)
    moves[number, at] = goal - value
    shift = moves.reshape(rows, columns, 4, 4).transpose(0, 2, 1, 3).repeat(2, axis=1).repeat(2, axis=3) / 2
    shift = shift.reshape(rows * 8, columns * 8)
    inside[..., 2] += 2.032 * shift
    inside[..., 1] -= 0.395 * shift
    out = rgb.copy()
    out[: rows * 8, : columns * 8] = np.clip(np.rint(inside), 0, 255)
    return out
