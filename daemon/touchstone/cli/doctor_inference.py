"""What `touchstone doctor` says of where models run, and why not on the graphics card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..inference import PROCESSOR
from ..inference.placement import Placed
from ..messages import say


def sentences(placed: Iterable[Placed]) -> Iterator[str]:
    """One for each model: which file runs where, and what that rests on."""
    for found in placed:
        key = "measured" if found.choice.row_ms is not None else "not_measured"
        yield say(
            f"doctor.inference.{key}",
            name=found.model.name,
            variant=found.variant.name,
            provider=found.choice.provider.removesuffix("ExecutionProvider"),
            ms=found.choice.row_ms,
            where=say(f"doctor.inference.{'apart' if found.apart else 'here'}"),
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
