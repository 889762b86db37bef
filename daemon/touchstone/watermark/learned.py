"""The learned estimate: a small network that knows no key, in an ONNX file.

model_zoo/cards/touchstone-watermark.md says how it was made and measured.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..inference.sessions import Session
from .sight import FRAMES

_CELL = 4  # canonical pixels; sides have to be whole numbers of them


class LearnedEstimate:
    """See `sight.Estimate`.

    Args:
        model: an ONNX file, or the bytes of one: `(1, 3, H, W) float32` grey levels in, `(1, 1, H, W)` out.
        threads: of one run.

    Attributes:
        session: the network, which counts its time.
    """

    def __init__(self, model: Path | bytes, *, threads: int = 1) -> None:
        self.session = Session(model, threads=threads)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        _, height, width = frames.shape
        run = np.concatenate([frames, frames[-1:].repeat(max(0, FRAMES - len(frames)), axis=0)])[:FRAMES]
        full = np.pad(run, ((0, 0), (0, -height % _CELL), (0, -width % _CELL)), mode="edge")
        return self.session(full[None].astype(np.float32))[0, 0, :height, :width]
