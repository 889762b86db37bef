"""What the heads of a file of batches say of the pictures in it, without looking at them."""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import BinaryIO

from ..frame_batches import read_heads
from .container import Container

FORMAT = "frames"


def read_batches(file: BinaryIO, size: int) -> Container:
    """What the heads of all batches say, as a container.

    Raises:
        frame_batches.BadBatch: they are none.
    """
    heads = [head for head, _, _ in read_heads(file, size)]
    steps = [later - earlier for head in heads for earlier, later in pairwise(head.times_s)]
    return Container(
        format=FORMAT,
        mime="application/octet-stream",
        width=heads[0].width,
        height=heads[0].height,
        fps=round(1 / median(steps), 3) if steps else None,
    )
