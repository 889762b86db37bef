"""What is wanted: a page of TOML beside the model, and the inputs that were recorded for it."""

from __future__ import annotations

import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

Array = NDArray[np.float32]

KINDS = ("int8", "int8-reduced", "int8-signed", "fp16")
METHODS = ("minmax", "percentile", "entropy")


class BadRecipe(ValueError):
    """A recipe or recorded inputs cannot be used. The text names the file and what would be right."""


@dataclass(frozen=True)
class Recorded:
    """Inputs that a model was given, `(N, ...) float32`, the first axis one for each item.

    Attributes:
        inputs: without the axis of the batch.
        groups: `(N,)`: which clip each item is of. Each item is a group of its own where the file has none.
    """

    inputs: Array
    groups: NDArray[np.int64]

    @classmethod
    def read(cls, path: Path) -> Recorded:
        """From an .npz file with `inputs` and, if items are pooled, `groups`.

        Raises:
            BadRecipe: it is none, or its arrays do not fit each other.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                inputs = arrays["inputs"]
                groups = arrays["groups"] if "groups" in arrays else np.arange(len(inputs))
        except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as problem:
            raise BadRecipe(f"{path}: is no .npz file with an array `inputs` ({problem})") from problem
        if inputs.dtype != np.float32 or inputs.ndim < 2 or not len(inputs):
            raise BadRecipe(
                f"{path}: inputs are {inputs.dtype} {inputs.shape}; float32 with items first is wanted"
            )
        if groups.shape != (len(inputs),) or groups.dtype.kind not in "iu":
            raise BadRecipe(f"{path}: groups are not a whole number for each of {len(inputs)} inputs")
        if not np.isfinite(inputs).all():
            raise BadRecipe(f"{path}: inputs hold values that are no numbers")
        return cls(inputs, groups.astype(np.int64))

    def batches(self, *, whole: bool) -> list[Array]:
        """What a model is given, run by run.

        Args:
            whole: a group at a time, in rising order of their numbers; else an item at a time.
        """
        if not whole:
            return [item[None] for item in self.inputs]
        return [self.inputs[self.groups == group] for group in np.unique(self.groups)]

    def some(self, count: int, seed: int, *, whole: bool) -> list[Array]:
        """At most `count` of the `batches`, drawn by a seed, in their order."""
        batches = self.batches(whole=whole)
        if len(batches) <= count:
            return batches
        drawn = np.random.default_rng(seed).choice(len(batches), count, replace=False)
        return [batches[number] for number in np.sort(drawn)]


@dataclass(frozen=True)
class Recipe:
    """What to make of which model, and what a variant has to hold to ship.

    Attributes:
        name, version: of the model, as in the zoo.
        model: the fp32 file, which stays the reference.
        calibration: inputs that activations are measured on, and calibration is fitted on.
        golden: inputs that variants are judged on; none of them may be among those of `calibration`.
        kinds: what to make, of `KINDS`.
        keep: names of operators that stay fp32 in int8 variants, as patterns; several lists are tried in
            turn, and the first that passes ships.
        keep_fp16: the same for fp16.
        operators: kinds of operators that are made int8.
        method, percentile: how the range of an activation is taken from what was seen.
        items: how many runs of the model activations are measured on.
        output: name of the output that is judged; the first by default.
        pools: the model takes a whole group at once and gives one row for it; else it is run item by item,
            and what it gives is averaged over each group.
        max_flips: share of verdicts that may differ from the reference's.
        max_difference: of any output, in the output's own unit (a logit).
        threshold: an output above it says yes, where no calibration is fitted.
        seed: for what is drawn.
    """

    name: str
    version: str
    model: Path
    calibration: Path
    golden: Path
    kinds: tuple[str, ...] = KINDS
    keep: tuple[tuple[str, ...], ...] = ((),)
    keep_fp16: tuple[str, ...] = ()
    operators: tuple[str, ...] = ("Conv", "Gemm", "MatMul", "Add")
    method: str = "percentile"
    percentile: float = 99.99
    items: int = 300
    output: str | None = None
    pools: bool = False
    max_flips: float = 0.005
    max_difference: float = 0.5
    threshold: float = 0.0
    seed: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further options of onnxruntime's quantize_static, for what has no field here."""

    def __post_init__(self) -> None:
        if strange := set(self.kinds) - set(KINDS):
            raise BadRecipe(f"kinds: {', '.join(sorted(strange))}; there are {', '.join(KINDS)}")
        if self.method not in METHODS:
            raise BadRecipe(f"method: {self.method!r}; there are {', '.join(METHODS)}")
        if not self.keep:
            raise BadRecipe("keep: holds no list; [[]] keeps nothing")


def read_recipe(path: Path) -> Recipe:
    """The recipe at `path`; files that it names are looked for beside it.

    Raises:
        BadRecipe: it cannot be read, or a field is missing, unknown or of the wrong kind.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise BadRecipe(f"{path}: {problem}") from problem
    known = {item.name for item in fields(Recipe)}
    if strange := set(values) - known:
        raise BadRecipe(f"{path}: {', '.join(sorted(strange))}: no such field; there are {sorted(known)}")
    for name in ("model", "calibration", "golden"):
        if isinstance(values.get(name), str):
            values[name] = path.parent / values[name]
    for name in ("kinds", "keep_fp16", "operators"):
        if name in values:
            values[name] = tuple(values[name])
    if "keep" in values:
        lists = values["keep"] if any(isinstance(item, list) for item in values["keep"]) else [values["keep"]]
        values["keep"] = tuple(tuple(item) for item in lists)
    try:
        return Recipe(**values)
    except (TypeError, BadRecipe) as problem:
        raise BadRecipe(f"{path}: {problem}") from problem


def matching(model: onnx.ModelProto, patterns: tuple[str, ...]) -> list[str]:
    """Names of the operators of `model` that any pattern matches.

    Raises:
        BadRecipe: a pattern matches none: a kept layer that does not exist is kept from nothing.
    """
    names = [node.name for node in model.graph.node]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise BadRecipe(
                f"keep: no operator is called {pattern!r}; there are {', '.join(filter(None, names))}"
            )
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
