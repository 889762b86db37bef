"""Reads the open "DWT-DCT" watermark that Stable Diffusion's pipelines put into each frame.

The embedder (invisible-watermark's `dwtDct`, used by SD 1 and 2, SDXL, Stable Video Diffusion and FLUX
scripts) takes the U plane, one level of the Haar transform, cuts the low band into 4x4 blocks and moves the
largest coefficient of each (the first one aside) into the lower or upper half of a step of 36. Block n
carries bit n mod L. Despite the scheme's name no DCT takes part.

Everything here is exact: on the same RGB pixels the bits equal those of the reference decoder, including
its fixed-point colour conversion and the rounding of its two-pass Haar transform. tests hold them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

STEP = 36  # invisible-watermark: EmbedMaxDct(scales=[0, 36, 36]); of the two only the U plane is ever used
BLOCK = 4
MIN_AREA = 256 * 256  # pixels; the embedder refuses smaller pictures

# OpenCV's 8-bit BGR->YUV: 14 fractional bits, these integer weights, rounding by adding a half. Every
# intermediate value stays below 2**24, so float32 holds it exactly and the BLAS can do the work.
_Y_OF_RGB = np.array([4899, 9617, 1868], dtype=np.float32) / np.float32(1 << 14)
_U_OF_B = np.float32(8061 / (1 << 14))

_BAND_PIXELS = 1 << 15  # worked on at a time, so that the temporary arrays stay in the cache

# One tap of the Haar filter, as float64 has it. Multiplied in twice, a sum that is a whole multiple of the
# step can land just below it; the reference decoder's bit then flips, so ours has to flip too.
_TAP = np.float64(0.7071067811865476)


Low = TypeVar("Low", np.uint16, np.float32)


@dataclass(frozen=True)
class BlockVotes:
    """What the blocks of one frame say.

    Attributes:
        votes: `(N,) uint8`, 0 or 1 for each block in row order.
    """

    votes: NDArray[np.uint8]

    def ones(self, length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For a message of `length` bits: how many blocks say 1, and how many there are, for each bit."""
        whole = self.votes.size // length
        rounds, rest = self.votes[: whole * length].reshape(whole, length), self.votes[whole * length :]
        ones = rounds.sum(axis=0, dtype=np.int64)
        ones[: rest.size] += rest
        blocks = np.full(length, whole, np.int64)
        blocks[: rest.size] += 1
        return ones, blocks


def u_plane(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The U plane of `(H, W, 3) uint8` RGB by OpenCV's fixed-point arithmetic, `(H, W) uint8`."""
    height, width = rgb.shape[:2]
    plane = np.empty((height, width), dtype=np.uint8)
    band = max(1, _BAND_PIXELS // width)
    for top in range(0, height, band):
        pixels = rgb[top : top + band].reshape(-1, 3).astype(np.float32)
        luma = pixels @ _Y_OF_RGB
        luma += np.float32(0.5)
        np.floor(luma, out=luma)
        u = pixels[:, 2] - luma
        u *= _U_OF_B
        u += np.float32(128.5)
        # The values are positive here, so the cast's cut towards zero is the shift's rounding down.
        plane[top : top + band] = np.minimum(u, 255, out=u).reshape(-1, width)
    return plane


def largest_in_blocks(low: NDArray[Low]) -> NDArray[Low]:
    """Largest value but the first of each 4x4 block of a plane of whole blocks; overwrites the first ones."""
    low[0::BLOCK, 0::BLOCK] = 0
    tall = np.maximum.reduce([low[i::BLOCK] for i in range(BLOCK)])
    return np.asarray(np.maximum.reduce([tall[:, i::BLOCK] for i in range(BLOCK)]))


def _largest_as_float(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Largest low-band coefficient but the first of `(N, 8, 8)` U pixels, rounded like a two-pass Haar."""
    x = pixels.astype(np.float64) * _TAP
    rows = (x[:, 0::2] + x[:, 1::2]) * _TAP
    low = rows[:, :, 0::2] + rows[:, :, 1::2]
    largest: NDArray[np.float64] = low.reshape(-1, BLOCK * BLOCK)[:, 1:].max(axis=1)
    return largest


def read_blocks(rgb: NDArray[np.uint8]) -> BlockVotes:
    """The vote of every block of one frame.

    Args:
        rgb: `(H, W, 3) uint8`, RGB, at the size at which the mark was embedded.

    Raises:
        ValueError: the frame is smaller than the scheme allows.
    """
    height, width = rgb.shape[:2]
    if height * width < MIN_AREA:
        raise ValueError(f"{width}x{height} is below the scheme's smallest size of 256x256 pixels")
    rows, columns = height // 4 * 4 // (2 * BLOCK), width // 4 * 4 // (2 * BLOCK)
    u = np.ascontiguousarray(u_plane(rgb)[: rows * 2 * BLOCK, : columns * 2 * BLOCK])

    # Twice the low band, in whole numbers: the sum of four pixels.
    pairs = u[0::2].astype(np.uint16)
    pairs += u[1::2]
    low = pairs[:, 0::2] + pairs[:, 1::2]
    phase = largest_in_blocks(low) % (2 * STEP)
    votes = (phase > STEP).astype(np.uint8)

    # On the edges of the two halves the reference decoder's rounding decides: redo those blocks its way.
    edge_rows, edge_columns = np.nonzero((phase == 0) | (phase == STEP))
    blocks = u.reshape(rows, 2 * BLOCK, columns, 2 * BLOCK).swapaxes(1, 2)[edge_rows, edge_columns]
    votes[edge_rows, edge_columns] = np.mod(_largest_as_float(blocks), STEP) > STEP / 2
    return BlockVotes(votes.ravel())


def decode(rgb: NDArray[np.uint8], length: int) -> NDArray[np.bool_]:
    """A message of `length` bits from one frame, exactly as the reference decoder reads it."""
    ones, blocks = read_blocks(rgb).ones(length)
    return np.asarray(ones / blocks * 255 > 127)
