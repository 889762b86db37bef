"""Models that come with the program: `[[bundled]]` in zoo.toml, their files beside it.

Nothing is fetched for them. Their input and output are fixed by the code that uses them, not by the entry.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .entry import BadEntry, Task, Text, Variant
from .registry import model_zoo


class Golden(BaseModel):
    """What the variants of a model are compared and timed on (inference/golden.py makes the inputs).

    Attributes:
        shape: of one input, batch of one included.
        range: what its numbers lie between.
        reference: the variant whose answers on the processor the others have to give.
        threshold: a number of the output is a yes above it.
    """

    shape: tuple[int, ...] = Field(min_length=2, max_length=6)
    range: tuple[float, float]
    reference: str
    threshold: float = 0.0

    model_config = ConfigDict(extra="forbid", frozen=True)


class BundledModel(BaseModel):
    """One entry.

    Attributes:
        name, version, task, title, licence, card: as of any model (entry.Model).
        variants: its files, the one that the processor runs first. `file` and `calibration` are relative to
            zoo.toml.
        golden: how one of several variants is chosen by measurement; without it the first is used.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,47}$")
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$")
    task: Task
    title: Text
    licence: Text
    card: Text | None = None
    variants: tuple[Variant, ...] = Field(alias="variant", min_length=1)
    golden: Golden | None = None

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _reference_is_there(self) -> Self:
        if self.golden and self.golden.reference not in [variant.name for variant in self.variants]:
            raise ValueError(f"golden.reference: {self.golden.reference!r} is none of its variants")
        return self


@dataclass(frozen=True)
class BundledFile:
    """A file of a bundled model; `calibration` is None where the entry names none."""

    model: BundledModel
    variant: Variant
    path: Path
    calibration: Path | None


def bundled(task: Task, folder: Path | None = None) -> tuple[BundledFile, ...]:
    """Every file of bundled models for a task, in the order of zoo.toml.

    Args:
        folder: where zoo.toml is; that of this installation by default.

    Raises:
        BadEntry: zoo.toml is damaged.
    """
    place = Path(str(model_zoo())) if folder is None else folder
    try:
        tree = tomllib.loads((place / "zoo.toml").read_text(encoding="utf-8"))
        models = [BundledModel.model_validate(values) for values in tree.get("bundled", [])]
    except OSError as problem:
        raise BadEntry(f"zoo.toml: {problem.strerror}; install Touchstone again") from problem
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, error["loc"]))
        raise BadEntry(f"zoo.toml: bundled: {where}: {error['msg']}") from problem
    except tomllib.TOMLDecodeError as problem:
        raise BadEntry(f"zoo.toml: is not TOML ({problem})") from problem
    return tuple(
        BundledFile(
            model,
            variant,
            place / variant.file,
            place / variant.calibration if variant.calibration else None,
        )
        for model in models
        if model.task is task
        for variant in model.variants
    )
