"""The captioner's network that comes with the program."""

from __future__ import annotations

from pathlib import Path

from ...inference import NoAnswer, ServedModel
from ...inference.model_files import content_of
from ...messages import say
from ...zoo.bundled import bundled
from ...zoo.entry import Task
from .sight import Sight


def shipped_sight(folder: Path | None = None, *, threads: int = 1) -> Sight:
    """Sight with the network beside zoo.toml, which is held against its checksum first.

    Args:
        folder: where zoo.toml is; that of this installation by default.
        threads: of one run.

    Raises:
        NoAnswer: there is none, it cannot be read, or it is another file.
    """
    for file in bundled(Task.CAPTIONER, folder):
        served = ServedModel(
            file.model.name, file.model.version, file.variant.name, file.variant.sha256, str(file.path)
        )
        return Sight.load(content_of(served), threads=threads)
    raise NoAnswer(say("inference.no_such_model", name="captioner"))
