"""Blocks of shared memory: made, measured and handed on, without NumPy, which the daemon does without.

A block has a fixed size and no name. A worker can write into it and can neither shrink it under the reader
nor find another one.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Sequence

if sys.platform == "linux":
    import fcntl

BYTES = {"float32": 4, "uint8": 1}
"""What tensors may consist of, and how many bytes each number takes."""

ALIGNMENT = 64
"""Bytes that tensors begin at a multiple of: a line of the processor's cache."""

MAX_AXES = 6

BLOCK_BYTES = 64 << 20
"""Size of a worker's block: room for the batches of one scan. Pages that are never written to are free."""


class OutOfBounds(ValueError):
    """A tensor would not lie inside the block, or is none."""


def make_block(size: int) -> int:
    """A block of shared memory; returns its descriptor. Pages are taken when they are first written to.

    Raises:
        OSError: there is no memory.
    """
    if sys.platform != "linux":  # a file that has no name any more
        with tempfile.TemporaryFile(buffering=0) as file:
            file.truncate(size)
            return os.dup(file.fileno())
    descriptor = os.memfd_create("touchstone-tensors", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    # A reader of a file that got shorter is ended by the system (SIGBUS).
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return descriptor


def check_bounds(offset: int, shape: Sequence[int], dtype: str, size: int) -> None:
    """Whether a tensor lies inside a block of `size` bytes. Numbers may come from a worker that lies.

    Raises:
        OutOfBounds: it does not, or is no tensor.
    """
    if dtype not in BYTES:
        raise OutOfBounds(f"tensors of {dtype!r}")
    if not 0 < len(shape) <= MAX_AXES or not all(0 < length <= size for length in shape):
        raise OutOfBounds(f"a tensor of shape {list(shape)[:MAX_AXES]}")
    if offset < 0 or offset % ALIGNMENT or offset + math.prod(shape) * BYTES[dtype] > size:
        raise OutOfBounds(f"a tensor at {offset} of {size} bytes")


def room_for(shape: Sequence[int], dtype: str) -> int:
    """Bytes that a tensor takes up in a block."""
    return -(-math.prod(shape) * BYTES[dtype] // ALIGNMENT) * ALIGNMENT
