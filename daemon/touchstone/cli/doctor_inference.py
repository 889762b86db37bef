"""What `touchstone doctor` says of where models run, and why not on the graphics card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..inference import PROCESSOR
from ..inference.bundled_choice import Chosen
from ..inference.choice import Choice
from ..inference.placement import Placed
from ..messages import say


def sentences(placed: Iterable[Placed]) -> Iterator[str]:
    """One for each model: which file runs where, and what that rests on."""
    for found in placed:
        yield _sentence(found.model.name, found.variant.name, found.choice, "not_measured", apart=found.apart)


def of_bundled(chosen: Iterable[Chosen]) -> Iterator[str]:
    """The same of models that come with the program and have several files."""
    for found in chosen:
        if found.choice is not None:
            name, variant = found.file.model.name, found.file.variant.name
            yield _sentence(name, variant, found.choice, "not_measured_own", apart=False)


def _sentence(name: str, variant: str, choice: Choice, otherwise: str, *, apart: bool) -> str:
    return say(
        f"doctor.inference.{'measured' if choice.row_ms is not None else otherwise}",
        name=name,
        variant=variant,
        provider=choice.provider.removesuffix("ExecutionProvider"),
        ms=choice.row_ms,
        where=say(f"doctor.inference.{'apart' if apart else 'here'}"),
    )


def fallbacks(results: Mapping[str, Sequence[Mapping[str, Any]]], devices: Sequence[str]) -> Iterator[str]:
    """Providers that onnxruntime offers, that this machine has a use for, and that do not run a model.

    Args:
        results: of `Measurements.results`, by the model's name.
        devices: graphics cards. Without one a provider that finds none is no news.
    """
    for name, rows in results.items():
        for row in rows:
            provider = str(row["provider"])
            if row["problem"] and provider != PROCESSOR and devices:
                yield say(
                    "doctor.inference.falls_back",
                    name=name,
                    variant=row["variant"],
                    provider=provider.removesuffix("ExecutionProvider"),
                    problem=row["problem"],
                )
