"""Decides which file of a model runs where in scans, after what was measured on this machine.

A model runs in the confined worker that made its input, on the processor, unless another execution provider
was measured to be faster: then it runs in the inference process, which may reach a graphics card.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..zoo.entry import Model, Variant
from ..zoo.registry import Installed
from . import PROCESSOR, ServedModel
from .choice import Choice, Measurements, cache_key, decide
from .machine import Machine

THREADS = 1
"""Of the processor, as in a worker; what models are measured with."""

BATCH = 8
"""Rows of a run: as many as there are short runs of frames in a scan (media/plan.py)."""

Where = Literal["auto", "always", "never"]


@dataclass(frozen=True)
class Placed:
    """Where a model runs.

    Attributes:
        model, variant, path: which file.
        choice: what it rests on.
        apart: whether the inference process runs it.
        measured: whether everything was measured that can be.
        here_only: whether it could not run apart.
        variants: all its installed files, by name, the reference first.
    """

    model: Model
    variant: Variant
    path: Path
    choice: Choice
    apart: bool
    measured: bool
    here_only: bool
    variants: Mapping[str, Installed]

    def served(self) -> ServedModel:
        """As workers and the inference process take it."""
        return ServedModel(
            name=self.model.name,
            version=self.model.version,
            variant=self.variant.name,
            sha256=self.variant.sha256,
            path=str(self.path),
            output=self.model.output.name,
            batch=BATCH,
            provider=self.choice.provider,
            apart=self.apart,
        )


@dataclass(frozen=True)
class Wishes:
    """What the user wants.

    Attributes:
        provider: onnxruntime's name of the provider to use; None for the fastest.
        process: whether models run in the inference process: `auto` where that is faster.
    """

    provider: str | None = None
    process: Where = "auto"


def place(
    installed: Sequence[Installed],
    kept: Measurements,
    machine: Machine,
    wishes: Wishes = Wishes(),
    *,
    here_only: bool = False,
) -> dict[str, Placed]:
    """Decide for every installed model, by its name.

    Args:
        installed: files that are there, each model's reference first.
        here_only: these models cannot run apart; their fastest variant on the processor is taken.
    """
    files: dict[str, dict[str, Installed]] = {}
    for found in installed:
        files.setdefault(found.model.name, {})[found.variant.name] = found
    placed = {}
    for name, variants in files.items():
        key = key_of(variants, machine)
        provider = PROCESSOR if here_only or wishes.process == "never" else wishes.provider
        choice = decide(kept.results(key), list(variants), wanted=provider)
        file = variants.get(choice.variant) or next(iter(variants.values()))
        apart = not here_only and wishes.process != "never"
        placed[name] = Placed(
            model=file.model,
            variant=file.variant,
            path=file.path,
            choice=choice,
            apart=apart and (wishes.process == "always" or choice.provider != PROCESSOR),
            measured=kept.complete(key),
            here_only=here_only,
            variants=variants,
        )
    return placed


def key_of(variants: Mapping[str, Installed], machine: Machine) -> str:
    """Under which the measurements of a model are kept."""
    return cache_key({name: found.variant.sha256 for name, found in variants.items()}, machine, THREADS)
