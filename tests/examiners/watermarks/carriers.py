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
    "black 256x256": (lambda _, h, w: np.zeros((h, w, 3), dtype=np.uint8), 0, 256, 256),
}


def carrier(name: str) -> NDArray[np.uint8]:
    """One picture, `(H, W, 3) uint8`, RGB; the same on every machine."""
    make, seed, height, width = CARRIERS[name]
    return make(seed, height, width)


def embed_dwt_dct(rgb: NDArray[np.uint8], message: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Put a message into a frame the way the DWT-DCT scheme does, `(H, W, 3) uint8`, RGB.

    Moves the largest of each block's low-band coefficients (the first one aside) to a quarter or three
    quarters of its step of 36, by shifting blue in the four pixels under it: of the three colours blue
    moves U most and luma least.
    """
    import math

    out = rgb.astype(np.int32)
    height, width = (side // 4 * 4 for side in rgb.shape[:2])
    block = 0
    for top in range(0, height // 8 * 8, 8):
        for left in range(0, width // 8 * 8, 8):
            u = _u(out[top : top + 8, left : left + 8])
            low = (u[0::2, 0::2] + u[0::2, 1::2] + u[1::2, 0::2] + u[1::2, 1::2]) / 2
            flat = np.abs(low.ravel())
            flat[0] = -1
            at = int(flat.argmax())
            want = (math.floor(flat[at] / 36) + (0.75 if message[block % len(message)] else 0.25)) * 36
            y, x = top + at // 4 * 2, left + at % 4 * 2
            # Each of four pixels adds half its U to the coefficient, and U moves 0.436 for each step of blue.
            shift = (want - flat[at]) / 2 / 0.436
            out[y : y + 2, x : x + 2, 2] += round(shift)
            block += 1
    return np.clip(out, 0, 255).astype(np.uint8)


def _u(rgb: NDArray[np.int32]) -> NDArray[np.float64]:
    r, g, b = (rgb[..., c].astype(np.float64) for c in range(3))
    return 0.492 * (b - (0.299 * r + 0.587 * g + 0.114 * b)) + 128
