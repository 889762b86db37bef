"""Which models there are: those of zoo.toml, and those that the user imported; and which are installed.

The models folder holds `NAME/VERSION/FILE` for each file, `model.json` beside the file of an import, and
`evaluation.json` beside that of a detector which was evaluated here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from .entry import BadEntry, Model, Task, Variant, read_zoo
from .evaluation import FILE as EVALUATION
from .evaluation import BadEvaluation, Evaluation, Vote, vote_of
from .evaluation import read as read_evaluation

IMPORTED = "model.json"


class State(StrEnum):
    """What is known of one file of a model."""

    ABSENT = "absent"
    INSTALLED = "installed"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Installed:
    """A model with a file that is there; whether that is the right file is for `verify` to say."""

    model: Model
    variant: Variant
    path: Path
    imported: bool


def model_zoo() -> Traversable:
    """The folder with zoo.toml and the cards: inside the installed package, or at the root of a checkout."""
    packaged = resources.files("touchstone") / "model_zoo"
    if packaged.is_dir():
        return packaged
    return Path(__file__).resolve().parents[3] / "model_zoo"


def shipped_models() -> tuple[Model, ...]:
    """The entries of the zoo.toml that comes with the program.

    Raises:
        BadEntry: it is damaged.
    """
    try:
        text = (model_zoo() / "zoo.toml").read_text(encoding="utf-8")
    except OSError as problem:
        raise BadEntry(f"zoo.toml: {problem.strerror}; install Touchstone again") from problem
    return read_zoo(text, "zoo.toml")


class Zoo:
    """The zoo of one installation.

    Args:
        folder: where model files are kept; need not exist.
        shipped: what can be fetched; what zoo.toml says by default.
    """

    def __init__(self, folder: Path, shipped: Sequence[Model] | None = None) -> None:
        self.folder = folder
        self.shipped = tuple(shipped_models() if shipped is None else shipped)
        self.problems: list[str] = []
        self.imported = tuple(self._imports())

    @property
    def models(self) -> tuple[Model, ...]:
        """All models, those that can be fetched first."""
        return (*self.shipped, *self.imported)

    def find(self, name: str) -> Model | None:
        """The model called `name`."""
        return next((model for model in self.models if model.name == name), None)

    def path(self, model: Model, variant: Variant) -> Path:
        """Where a file of a model is, or would be."""
        return self.folder / model.name / model.version / variant.file

    def is_imported(self, model: Model) -> bool:
        return model in self.imported

    def installed(self, task: Task | None = None) -> list[Installed]:
        """Every file that is there, by name of its model; nothing is read but the folder."""
        return [
            Installed(model, variant, path, self.is_imported(model))
            for model in self.models
            if task is None or model.task is task
            for variant in model.variants
            if (path := self.path(model, variant)).is_file()
        ]

    def state(self, model: Model, variant: Variant) -> State:
        """Reads the file if it is there and holds it against its checksum."""
        return state_of(self.path(model, variant), variant)

    def evaluation(self, model: Model, variant: Variant) -> Evaluation | None:
        """How a detector did on a corpus, as `touchstone evaluate` left it beside its file.

        Raises:
            BadEvaluation: there is something else.
        """
        return read_evaluation(self.path(model, variant).with_name(EVALUATION))

    def vote(self, model: Model, variant: Variant, *, cap: float) -> Vote:
        """What an imported detector may say of a clip; a file that is no evaluation is none, with its reason.

        Args:
            cap: see evaluation.vote_of.
        """
        try:
            return vote_of(self.evaluation(model, variant), variant, cap=cap)
        except BadEvaluation as problem:
            return Vote(reason=str(problem))

    def _imports(self) -> Iterator[Model]:
        names = {model.name for model in self.shipped}
        for card in sorted(self.folder.glob(f"*/*/{IMPORTED}")):
            try:
                model = Model.from_json(json.loads(card.read_bytes()))
            except (OSError, ValueError) as problem:
                self.problems.append(f"{card}: {problem}")
                continue
            if model.name in names or (model.name, model.version) != (card.parts[-3], card.parts[-2]):
                self.problems.append(f"{card}: is about {model.name} {model.version}, which is not its place")
                continue
            names.add(model.name)
            yield model


def state_of(path: Path, variant: Variant) -> State:
    """Reads the file at `path` if it is there and holds it against what it should be."""
    if not path.is_file():
        return State.ABSENT
    right = path.stat().st_size == variant.size and sha256_of(path) == variant.sha256
    return State.INSTALLED if right else State.DAMAGED


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
