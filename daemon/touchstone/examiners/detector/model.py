"""The detector's network: patches of one clip in, the clip's score and each patch's part of it out.

model_zoo/training/detector/CONTRACT.md fixes what goes in and comes out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...inference.named import NamedOutputs
from ...inference.uses import ModelFile, taken
from ...verdict import ModelUse
from .patches import FRAMES, ROWS, SIDE, Batch

OUTPUTS = ("score", "logit", "embedding")


class UnusableModel(Exception):
    """A model file cannot be used. The text names it and the remedy."""


@dataclass(frozen=True)
class Judgement:
    """What the network says of N patches of one clip.

    Attributes:
        score: of the clip, a logit, higher for AI.
        logits: `(N,) float32`, each patch's own; not the summands of `score`.
        embedding: `(N, D) float32`, what was measured in each, standardised on the clips it was trained on.
    """

    score: float
    logits: NDArray[np.float32]
    embedding: NDArray[np.float32]

    @property
    def unusual(self) -> float:
        """Distance of the clip from what the network was trained on: root mean square of the mean row.

        0 is an average training clip; a clip of independent measures is at about 1.
        """
        return float(np.sqrt(np.mean(np.square(self.embedding.mean(axis=0)))))


class DetectorModel:
    """A loaded network. It is tried once when it is made, and loads nothing later.

    Args:
        file: which file it has to be.
        path: where that is.

    Raises:
        UnusableModel: it cannot be read, is another file, or is no detector of ours.
    """

    def __init__(self, file: ModelFile, path: Path) -> None:
        self.file = file
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise UnusableModel(f"{path}: {problem.strerror}; install Touchstone again") from problem
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise UnusableModel(f"{path}: is not the file that the zoo names; install Touchstone again")
        try:
            self._session = NamedOutputs(content)
            # Networks are set up by their first run; in a confined process that would be too late.
            self.judge(np.full((2, FRAMES, ROWS, SIDE), 128, np.float32))
        except Exception as problem:
            # onnxruntime raises kinds of its own for every way in which a file can be no model.
            raise UnusableModel(f"{path}: is no detector that this program can run ({problem})") from problem
        self._session.take_ms()

    def judge(self, batch: Batch) -> Judgement:
        """What the network says of the patches of one clip.

        Args:
            batch: `(N, 3, 192, 128) float32` as `patches.cut` gives it, N at least 1.

        Raises:
            ValueError: its answer is not of the shape that the contract says.
        """
        answers = self._session.all(batch)
        if missing := [name for name in OUTPUTS if name not in answers]:
            raise ValueError(f"it gives no {', '.join(missing)}")
        score, logits, embedding = (answers[name] for name in OUTPUTS)
        if score.size != 1 or logits.shape != (len(batch),) or embedding.shape[:1] != (len(batch),):
            raise ValueError(
                f"it gives {score.shape}, {logits.shape}, {embedding.shape} for {len(batch)} patches"
            )
        return Judgement(float(score.reshape(-1)[0]), logits, embedding.reshape(len(batch), -1))

    def take_uses(self) -> Mapping[str, ModelUse]:
        """How long it ran since this was last asked; for `Scan.models`."""
        return taken([(self.file, self._session)])
