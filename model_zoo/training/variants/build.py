"""Makes every variant of a recipe, measures it, and writes those that may ship."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from touchstone.zoo.bounds import upper_bound

from .convert import convert, quantised
from .judge import Differences, Fitted, Refit, Runner, differences, keep_threshold, milliseconds
from .recipe import BadRecipe, Recipe, Recorded

REPORT = "variants.json"
REFERENCE = "fp32"


@dataclass(frozen=True)
class Attempt:
    """One variant that was made.

    Attributes:
        variant: its kind.
        kept: patterns of operators that stayed fp32.
        layers: of the operators with weights how many are small, of how many.
        size: bytes.
        sha256: of the file.
        ms: one run, one thread of the processor; fp16 is computed in fp32 there, so its time says nothing of
            a graphics card.
        differences: from the reference; None for the reference itself.
        calibration: what was fitted to it.
        problem: why it does not ship, in words; None where it does.
    """

    variant: str
    kept: tuple[str, ...]
    layers: tuple[int, int]
    size: int
    sha256: str
    ms: float
    differences: Differences | None
    calibration: dict[str, Any]
    problem: str | None = None

    @property
    def file(self) -> str:
        """The name of its file, where it ships."""
        return f"{self.variant}.onnx"

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        apart = self.differences
        return {
            "variant": self.variant,
            "ships": self.problem is None,
            "problem": self.problem,
            "kept": list(self.kept),
            "layers": list(self.layers),
            "size": self.size,
            "sha256": self.sha256,
            "ms": round(self.ms, 3),
            "flips": apart and apart.flips,
            "verdicts": apart and apart.verdicts,
            "flips_at_most": apart and round(upper_bound(apart.flips, apart.verdicts, 0.95), 5),
            "largest_difference": apart and apart.largest,
            "median_difference": apart and apart.typical,
            "calibration": self.calibration,
        }


@dataclass(frozen=True)
class Report:
    """All that was tried for one model, the reference first."""

    recipe: Recipe
    attempts: tuple[Attempt, ...]
    golden: int
    recorded: int

    @property
    def shipped(self) -> tuple[Attempt, ...]:
        """What may ship."""
        return tuple(attempt for attempt in self.attempts if attempt.problem is None)

    @property
    def missed(self) -> tuple[str, ...]:
        """Kinds that were asked for and for which nothing ships."""
        have = {attempt.variant for attempt in self.shipped}
        return tuple(kind for kind in self.recipe.kinds if kind not in have)

    def as_json(self) -> dict[str, Any]:
        """The whole, for a file."""
        return {
            "name": self.recipe.name,
            "version": self.recipe.version,
            "golden": self.golden,
            "calibration": self.recorded,
            "max_flips": self.recipe.max_flips,
            "max_difference": self.recipe.max_difference,
            "seed": self.recipe.seed,
            "onnxruntime": onnxruntime.__version__,
            "onnx": onnx.__version__,
            "processor": platform.machine(),
            "attempts": [attempt.as_json() for attempt in self.attempts],
        }


def build(
    recipe: Recipe,
    folder: Path,
    *,
    refit: Refit | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Make what a recipe asks for. Files of variants that miss are not left in `folder`.

    Args:
        folder: for `VARIANT.onnx` and `VARIANT.calibration.json` of each that ships, and `variants.json`.
        refit: fits calibration to each variant's own outputs, the reference's first; without it
            `recipe.threshold` holds for all.
        progress: told what is being done.

    Raises:
        BadRecipe: the model or the recorded inputs cannot be used, or a kept operator does not exist.
    """
    model, content = _model(recipe)
    recorded, golden = Recorded.read(recipe.calibration), Recorded.read(recipe.golden)
    _held_apart(recipe, recorded, golden)
    batches = recorded.some(recipe.items, recipe.seed, whole=recipe.pools)
    fit = refit or keep_threshold(recipe.threshold)
    folder.mkdir(parents=True, exist_ok=True)

    reference = Runner(content, recipe.output)
    their = fit(REFERENCE, reference.outputs(recorded, pools=recipe.pools))
    theirs = reference.outputs(golden, pools=recipe.pools)
    first = Attempt(
        REFERENCE, (), quantised(model), len(content), _sha256(content), 0.0, None, their.as_json()
    )
    attempts, runners = [first], {"0": reference}
    for kind in recipe.kinds:
        for other in (f"{kind}.onnx", f"{kind}.calibration.json"):
            (folder / other).unlink(missing_ok=True)  # of an earlier build, which may have passed
        for keep in (recipe.keep_fp16,) if kind == "fp16" else recipe.keep:
            progress(f"{kind}, kept: {', '.join(keep) or 'nothing'}")
            made = convert(model, recipe, kind, batches, keep)
            bytes_ = made.SerializeToString(deterministic=True)
            runner = Runner(bytes_, recipe.output)
            our = fit(kind, runner.outputs(recorded, pools=recipe.pools))
            apart = differences(runner.outputs(golden, pools=recipe.pools), theirs, our, their)
            layers = quantised(made)
            attempt = Attempt(
                kind, keep, layers, len(bytes_), _sha256(bytes_), 0.0, apart, our.as_json(),
                _problem(recipe, apart, layers),
            )  # fmt: skip
            runners[str(len(attempts))] = runner
            attempts.append(attempt)
            if attempt.problem is None:
                _write(folder, attempt, bytes_, our)
                break
    times = milliseconds(runners, golden.batches(whole=recipe.pools)[0])
    timed = tuple(replace(attempt, ms=times[str(number)]) for number, attempt in enumerate(attempts))
    report = Report(recipe, timed, len(theirs), len(batches))
    text = json.dumps(report.as_json(), indent=2, allow_nan=True)
    (folder / REPORT).write_text(text + "\n", encoding="utf-8")
    return report


def _model(recipe: Recipe) -> tuple[onnx.ModelProto, bytes]:
    try:
        content = recipe.model.read_bytes()
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model)
    except Exception as problem:
        raise BadRecipe(f"{recipe.model}: is no ONNX file that can be used ({problem})") from problem
    held = {tensor.name for tensor in model.graph.initializer}
    if len([value for value in model.graph.input if value.name not in held]) != 1:
        raise BadRecipe(f"{recipe.model}: has more than one input; models of the zoo have one")
    outputs = [value.name for value in model.graph.output]
    if recipe.output is not None and recipe.output not in outputs:
        raise BadRecipe(f"{recipe.model}: has no output {recipe.output!r}; it has {', '.join(outputs)}")
    return model, content


def _held_apart(recipe: Recipe, recorded: Recorded, golden: Recorded) -> None:
    """A variant judged on what it was calibrated on looks better than it is."""
    if recorded.inputs.shape[1:] != golden.inputs.shape[1:]:
        raise BadRecipe(
            f"{recipe.golden}: inputs of {golden.inputs.shape[1:]}, those to calibrate on have"
            f" {recorded.inputs.shape[1:]}"
        )
    seen = {_sha256(item.tobytes()) for item in recorded.inputs}
    if any(_sha256(item.tobytes()) in seen for item in golden.inputs):
        raise BadRecipe(f"{recipe.golden}: holds inputs of {recipe.calibration.name}; record others")


def _problem(recipe: Recipe, apart: Differences, layers: tuple[int, int]) -> str | None:
    """Why a variant does not ship."""
    least = round(1 / recipe.max_flips)
    if not np.isfinite(apart.largest):
        return "gives values that are no numbers"
    if not layers[0]:
        return "no layer became smaller: all of them are kept"
    if apart.verdicts < least:
        return (
            f"{apart.verdicts} golden verdicts cannot show fewer than {recipe.max_flips:.1%} flips;"
            f" {least} are the least"
        )
    if apart.share >= recipe.max_flips:
        return f"{apart.share:.2%} of the verdicts flip; it has to be less than {recipe.max_flips:.1%}"
    if apart.largest > recipe.max_difference:
        return f"an output differs by {apart.largest:.3g}; at most {recipe.max_difference:g} is allowed"
    return None


def _write(folder: Path, attempt: Attempt, content: bytes, fitted: Fitted) -> None:
    part = folder / f".{attempt.file}.part"
    part.write_bytes(content)
    part.replace(folder / attempt.file)
    text = json.dumps(fitted.as_json(), indent=2)
    (folder / f"{attempt.variant}.calibration.json").write_text(text + "\n", encoding="utf-8")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
