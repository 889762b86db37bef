"""Runs ONNX models. The only package that imports onnxruntime; see `sessions.py`.

How an examiner uses a network:

    answers = clip.inference.run("detector", batch)     # waits; (N, ...) in, (N, ...) float32 out
    pending = clip.inference.submit("detector", batch)  # returns at once, and the next batch can be made
    answers = pending.result()

`batch` is what the model takes, rows first, C-contiguous, of the type that its graph declares (float32 or
uint8); N is any number, the client cuts it into pieces of the size that the model is run with. Neither call
changes `batch`, and answers belong to the caller. Both raise `NoAnswer`, whose text is for people; an
examiner lets it pass and is skipped for that reason, so that a lost process never becomes a verdict.

Who is behind it is decided by measurement (docs/inference.md) and makes no difference to the examiner:
`in_process.InProcess` runs models on the processor inside the confined worker that made the batch, `remote`
hands batches through shared memory to the inference process, which serves all scans and has the graphics
card. Which models there are is told to a worker by `media.spec.WorkerSpec.models`, as `ServedModel`s.

Nothing here imports onnxruntime: the daemon never loads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..verdict import ModelUse

if TYPE_CHECKING:  # the daemon, which passes batches on, does without NumPy as well
    import numpy as np
    from numpy.typing import NDArray

    Answers: TypeAlias = NDArray[np.float32]

PROCESSOR = "CPUExecutionProvider"


class NoAnswer(Exception):
    """A model gave no answer: it is not here, or what runs it was lost. The text says why, for people."""


@dataclass(frozen=True)
class ServedModel:
    """A model that examiners may ask for, as JSON values that cross to other processes.

    Attributes:
        name: what examiners ask for.
        version, variant, sha256: which file it is; the file is held against the checksum before it is loaded.
        path: where that is.
        output: name of the output to give; None for the first.
        batch: rows of one run; a longer batch is cut up.
        provider: the execution provider that was measured to be the best one for it.
        threads: of one run on the processor.
        apart: whether it is run by the inference process; else where the batch is made.
    """

    name: str
    version: str
    variant: str
    sha256: str
    path: str
    output: str | None = None
    batch: int = 8
    provider: str = PROCESSOR
    threads: int = 1
    apart: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ServedModel:
        return cls(**values)


class Pending(Protocol):
    """A batch that is being worked on."""

    def result(self) -> Answers:
        """Wait for the answers.

        Raises:
            NoAnswer: there are none.
        """


class InferenceClient(Protocol):
    """Runs models by name. See the module."""

    def run(self, model: str, batch: NDArray[Any]) -> Answers:
        """The model's answers for `batch`.

        Raises:
            NoAnswer: there are none.
        """

    def submit(self, model: str, batch: NDArray[Any]) -> Pending:
        """Start on `batch`, which has to stay as it is until the result was had."""

    def take_uses(self) -> Mapping[str, ModelUse]:
        """What ran since this was last asked, by the model's name; for `Scan.models`."""
