"""Variants of a small network: which are made, what is said of them, and which are not let out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import build_variants
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from variants import BadRecipe, Recipe, Report, Threshold, build, keep_threshold, read_recipe
from variants.convert import convert
from variants.table import card_table, zoo_lines

from touchstone.inference.sessions import Session
from touchstone.zoo.registry import sha256_of
from training.residual import pictures, pooling, residual_net


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A recipe for a small network, with its files. The median score is its threshold, so verdicts differ."""
    folder = tmp_path_factory.mktemp("recipe")
    onnx.save(residual_net(), folder / "net.onnx")
    np.savez(folder / "calibration.npz", inputs=pictures(100, 1))
    golden = pictures(800, 2)
    np.savez(folder / "golden.npz", inputs=golden, groups=np.arange(800) // 4)
    scores = Session((folder / "net.onnx").read_bytes())(golden)
    return Recipe(
        name="net",
        version="1",
        model=folder / "net.onnx",
        calibration=folder / "calibration.npz",
        golden=folder / "golden.npz",
        threshold=float(np.median(scores)),
        # Scores that lie close around the threshold flip at a breath; what is held here is the machinery.
        max_flips=0.2,
        max_difference=0.5,
        method="minmax",
    )


@pytest.fixture(scope="module")
def built(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """All kinds, built once for every test that only looks."""
    folder = tmp_path_factory.mktemp("built")
    return build(recipe, folder), folder


def kinds_of(model: onnx.ModelProto) -> dict[str, int]:
    """Number types of the tensors that hold more than one number, and how many of each."""
    found: dict[str, int] = {}
    for tensor in model.graph.initializer:
        if np.prod(tensor.dims) > 64:
            name = onnx.TensorProto.DataType.Name(tensor.data_type)
            found[name] = found.get(name, 0) + 1
    return found


def test_every_kind_is_made_and_close_to_the_reference(built: tuple[Report, Path], recipe: Recipe) -> None:
    report, folder = built
    assert [attempt.variant for attempt in report.attempts] == ["fp32", *recipe.kinds]
    assert report.missed == ()
    reference = Session(recipe.model.read_bytes())
    item = pictures(1, 9)
    for attempt in report.shipped[1:]:
        path = folder / attempt.file
        assert (path.stat().st_size, sha256_of(path)) == (attempt.size, attempt.sha256)
        np.testing.assert_allclose(Session(path)(item), reference(item), atol=recipe.max_difference)
        assert attempt.differences is not None
        assert attempt.differences.verdicts == 200, "one for each group of four"
        assert attempt.ms > 0
    assert json.loads((folder / "int8.calibration.json").read_text()) == {"above": recipe.threshold}


@pytest.mark.parametrize(
    ("kind", "weights", "reach", "activations"),
    [
        ("int8", "INT8", 127, np.uint8),
        ("int8-reduced", "INT8", 64, np.uint8),  # seven bits
        ("int8-signed", "INT8", 127, np.int8),
    ],
)
def test_int8_is_quantised_as_processors_want_it(
    built: tuple[Report, Path], kind: str, weights: str, reach: int, activations: type[Any]
) -> None:
    model = onnx.load(built[1] / f"{kind}.onnx")
    assert kinds_of(model) == {weights: 5}
    held = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    small = [array for array in held.values() if array.dtype == np.int8 and array.size > 64]
    assert max(np.abs(array.astype(int)).max() for array in small) == reach
    points = [node.input[2] for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert {held[name].dtype.type for name in points} == {activations}
    if activations is np.int8:
        assert all(not held[name].any() for name in points), "symmetric around zero"
    scales = [
        held[node.input[1]]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in held
    ]
    assert any(scale.size == 16 for scale in scales), "a scale for each channel"


def test_fp16_takes_and_gives_fp32(built: tuple[Report, Path]) -> None:
    model = onnx.load(built[1] / "fp16.onnx")
    assert kinds_of(model) == {"FLOAT16": 5}
    ends = [*model.graph.input, *model.graph.output]
    assert {value.type.tensor_type.elem_type for value in ends} == {onnx.TensorProto.FLOAT}


@pytest.mark.parametrize(
    ("kind", "keep", "found"),
    [
        ("int8", ("stem",), {"INT8": 4, "FLOAT": 1}),
        ("int8", ("block*",), {"INT8": 1, "FLOAT": 4}),
        ("fp16", ("stem", "block1.?"), {"FLOAT16": 2, "FLOAT": 3}),
    ],
)
def test_what_is_kept_stays_fp32(
    recipe: Recipe, kind: str, keep: tuple[str, ...], found: dict[str, int]
) -> None:
    made = convert(onnx.load(recipe.model), recipe, kind, [pictures(4, 1)], keep)
    assert kinds_of(made) == found


def test_the_same_recipe_makes_the_same_files(
    recipe: Recipe, built: tuple[Report, Path], tmp_path: Path
) -> None:
    again = build(recipe, tmp_path)
    assert [a.sha256 for a in again.attempts] == [a.sha256 for a in built[0].attempts]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"max_difference": 1e-6}, "an output differs by"),
        ({"threshold": 0.0, "max_flips": 0.0001}, "200 golden verdicts cannot show"),
        ({"keep": (("*",),)}, "no layer became smaller"),
    ],
)
def test_what_misses_is_not_left_for_shipping_and_says_why(
    recipe: Recipe, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    (tmp_path / "int8.onnx").write_bytes(b"of an earlier build")
    report = build(replace(recipe, kinds=("int8",), **changes), tmp_path)
    assert report.missed == ("int8",)
    assert not (tmp_path / "int8.onnx").exists()
    assert says in str(report.attempts[-1].problem)
    assert f"no: {report.attempts[-1].problem}" in card_table(report)
    assert "int8" not in zoo_lines(report)
    (written,) = json.loads((tmp_path / "variants.json").read_text())["attempts"][1:]
    assert (written["ships"], written["problem"]) == (False, report.attempts[-1].problem)


def test_lists_of_kept_layers_are_tried_until_one_passes(recipe: Recipe, tmp_path: Path) -> None:
    # One channel near the end is thirty times as loud, so that the rest drowns in its steps.
    onnx.save(residual_net(gain=30.0), tmp_path / "loud.onnx")
    scores = Session((tmp_path / "loud.onnx").read_bytes())(np.load(recipe.golden)["inputs"])
    spread = float(np.abs(scores - np.median(scores)).mean())
    loud = replace(
        recipe, model=tmp_path / "loud.onnx", kinds=("int8",), threshold=float(np.median(scores)),
        keep=((), ("*",), ("block1*", "head")), max_difference=spread / 10,
    )  # fmt: skip
    report = build(loud, tmp_path / "out")
    assert [attempt.kept for attempt in report.attempts[1:]] == list(loud.keep)
    assert [attempt.problem is None for attempt in report.attempts[1:]] == [False, False, True]
    assert (tmp_path / "out" / "int8.onnx").exists()


@dataclass(frozen=True)
class Middle:
    """Calibration that is fitted: yes above the median of what the variant gave for the recorded inputs."""

    above: float

    def verdicts(self, outputs: NDArray[np.float32]) -> NDArray[np.int64]:
        return (outputs[:, 0] > self.above).astype(np.int64)

    def as_json(self) -> dict[str, Any]:
        return {"median": self.above}


def test_calibration_is_fitted_to_each_variant(recipe: Recipe, tmp_path: Path) -> None:
    seen: dict[str, NDArray[np.float32]] = {}

    def refit(variant: str, outputs: NDArray[np.float32]) -> Middle:
        seen[variant] = outputs
        return Middle(float(np.median(outputs)))

    report = build(replace(recipe, kinds=("int8", "fp16")), tmp_path, refit=refit)
    assert list(seen) == ["fp32", "int8", "fp16"]
    assert all(outputs.shape == (100, 1) for outputs in seen.values())
    medians = {attempt.variant: attempt.calibration["median"] for attempt in report.attempts}
    assert medians["int8"] != medians["fp32"]
    assert medians["int8"] == pytest.approx(medians["fp32"], abs=0.1)


def test_a_model_that_pools_is_given_whole_groups(recipe: Recipe, tmp_path: Path) -> None:
    onnx.save(pooling(residual_net()), tmp_path / "pooling.onnx")
    for name, count in (("calibration", 32), ("golden", 800)):
        inputs = pictures(count, count)
        np.savez(tmp_path / f"{name}.npz", inputs=inputs, groups=np.arange(count) // 4)
    pooled = replace(
        recipe, model=tmp_path / "pooling.onnx", calibration=tmp_path / "calibration.npz",
        golden=tmp_path / "golden.npz", kinds=("int8",), keep=(("pooling",),), output="clip", pools=True,
        items=5, max_flips=0.5, max_difference=2.0,
    )  # fmt: skip
    report = build(pooled, tmp_path)
    assert (report.golden, report.recorded, report.missed) == (200, 5, ())
    with pytest.raises(BadRecipe, match="no output 'score of the clip'; it has score, clip"):
        build(replace(pooled, output="score of the clip"), tmp_path)


def test_flips_are_counted_under_the_calibration_of_each() -> None:
    from variants.judge import differences

    theirs = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
    moved = differences(theirs + 1, theirs, Threshold(2.5), Threshold(1.5))
    assert (moved.flips, moved.verdicts, moved.largest) == (0, 4, 1.0)
    unfitted = differences(theirs + 1, theirs, Threshold(1.5), Threshold(1.5))
    assert unfitted.flips == 1
    broken = differences(theirs * np.nan, theirs, Threshold(0), Threshold(0))
    assert broken.share == 1.0


RECIPE = """
name = "net"
version = "1"
model = "net.onnx"
calibration = "calibration.npz"
golden = "golden.npz"
kinds = ["int8"]
keep = ["stem"]
max_flips = 0.05
method = "minmax"
"""


@pytest.fixture
def folder(recipe: Recipe, tmp_path: Path) -> Iterator[Path]:
    """The recipe's files beside a recipe.toml."""
    for path in (recipe.model, recipe.calibration, recipe.golden):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "recipe.toml").write_text(RECIPE)
    return tmp_path


def test_the_command_builds_and_writes_the_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = folder / "card.md"
    card.write_text(
        "# Net\n\n<!-- variants: made by build_variants.py -->\n\n<!-- variants ends -->\n\nThe end.\n"
    )
    assert build_variants.main([str(folder / "recipe.toml"), "--card", str(card)]) == 0
    said = capsys.readouterr().out
    assert "| int8 | `stem` | 5 of 6 |" in said
    assert 'name = "int8"' in said
    assert (folder / "variants" / "int8.onnx").is_file()
    page = card.read_text()
    assert "| int8 | `stem` | 5 of 6 |" in page
    assert page.endswith("The end.\n")
    (folder / "recipe.toml").write_text(RECIPE + "max_difference = 1e-9\n")
    assert build_variants.main([str(folder / "recipe.toml")]) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("name", "nome"), "nome: no such field"),
        (('version = "1"', ""), "version"),
        (('["int8"]', '["int4"]'), "int4; there are"),
        (('"minmax"', '"guess"'), "'guess'"),
        (('["stem"]', '["stem*", "trunk"]'), "no operator is called 'trunk'"),
        (("net.onnx", "golden.npz"), "is no ONNX file"),
        (("calibration.npz", "net.onnx"), "is no .npz file"),
        (("calibration.npz", "golden.npz"), "holds inputs of"),
        (("golden.npz", "missing.npz"), "missing.npz"),
        (("name =", "name"), "recipe.toml"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], says: str
) -> None:
    path = folder / "recipe.toml"
    path.write_text(RECIPE.replace(*change, 1))
    assert build_variants.main([str(path)]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"inputs": np.zeros((4, 3, 32, 32))}, "float64"),
        ({"inputs": np.zeros((0, 3), np.float32)}, "items first"),
        ({"inputs": np.full((2, 3), np.nan, np.float32)}, "no numbers"),
        ({"inputs": np.zeros((4, 3), np.float32), "groups": np.zeros(3, int)}, "each of 4 inputs"),
        ({"inputs": np.zeros((4, 3), np.float32)}, "inputs of"),
        ({"inputs": np.array([{}])}, "is no .npz file"),
    ],
)
def test_recorded_inputs_that_cannot_be_used_are_refused(
    recipe: Recipe, tmp_path: Path, arrays: dict[str, Any], says: str
) -> None:
    np.savez(tmp_path / "golden.npz", **arrays)
    with pytest.raises(BadRecipe, match=says):
        build(replace(recipe, golden=tmp_path / "golden.npz"), tmp_path)


def test_the_daemon_does_not_need_what_makes_variants() -> None:
    """What a scan's worker imports is there without onnx."""

    code = (
        "import sys; sys.modules['onnx'] = None; import touchstone.inference.sessions, touchstone.zoo.arrays"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_keep_threshold_is_the_same_for_each_variant() -> None:
    fit = keep_threshold(0.25)
    assert (
        fit("int8", np.zeros((1, 1), np.float32))
        == fit("fp16", np.ones((1, 1), np.float32))
        == Threshold(0.25)
    )


def test_a_recipe_names_files_beside_it(folder: Path) -> None:
    read = read_recipe(folder / "recipe.toml")
    assert read.model == folder / "net.onnx"
    assert read.keep == (("stem",),)
