"""What has to be known of a model to measure it, as JSON values that cross to the process that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..zoo.bundled import BundledFile
from ..zoo.entry import Variant
from ..zoo.registry import Installed


@dataclass(frozen=True)
class Measurable:
    """A model with files that are there.

    Attributes:
        name, version: what tells it from others.
        paths: variant to its file; the first is used until anything was measured.
        checksums: SHA-256 of each.
        flips: share of decisions that may differ, of variants that may differ in more than others.
        reference: the variant whose answers, on the processor, are what others have to give.
        shape: of one golden input, batch of one included.
        range: what golden inputs that are made lie between.
        threshold: a decision is yes above it.
        processor_only: whether it is never run anywhere else.
    """

    name: str
    version: str
    paths: Mapping[str, str]
    checksums: Mapping[str, str]
    flips: Mapping[str, float]
    reference: str
    shape: tuple[int, ...]
    range: tuple[float, float]
    threshold: float = 0.0
    processor_only: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Measurable:
        """The inverse of `as_json`.

        Raises:
            TypeError: fields are missing, or unknown.
        """
        low, high = values["range"]
        return cls(**{**values, "shape": tuple(values["shape"]), "range": (low, high)})


def measurable(installed: Sequence[Installed]) -> list[Measurable]:
    """Installed models with all their variants, by name."""
    files: dict[str, dict[str, Installed]] = {}
    for found in installed:
        files.setdefault(found.model.name, {})[found.variant.name] = found
    models = []
    for name, variants in sorted(files.items()):
        model = next(iter(variants.values())).model
        models.append(
            Measurable(
                name=name,
                version=model.version,
                paths={variant: str(found.path) for variant, found in variants.items()},
                **_of_variants([found.variant for found in variants.values()]),
                reference=next(iter(variants)),
                shape=model.input.shape(),
                range=model.input.range,
                threshold=model.output.threshold,
            )
        )
    return models


def measurable_bundled(files: Sequence[BundledFile]) -> list[Measurable]:
    """Models that come with the program, of which there is more than one file to choose from."""
    there: dict[str, list[BundledFile]] = {}
    for file in files:
        if file.path.is_file():
            there.setdefault(file.model.name, []).append(file)
    models = []
    for name, variants in sorted(there.items()):
        model = variants[0].model
        names = [file.variant.name for file in variants]
        if model.golden is None or len(variants) < 2 or model.golden.reference not in names:
            continue
        models.append(
            Measurable(
                name=name,
                version=model.version,
                paths={file.variant.name: str(file.path) for file in variants},
                **_of_variants([file.variant for file in variants]),
                reference=model.golden.reference,
                shape=model.golden.shape,
                range=model.golden.range,
                threshold=model.golden.threshold,
                processor_only=True,
            )
        )
    return models


def _of_variants(variants: Sequence[Variant]) -> dict[str, Any]:
    return {
        "checksums": {variant.name: variant.sha256 for variant in variants},
        "flips": {variant.name: variant.flips for variant in variants if variant.flips is not None},
    }
