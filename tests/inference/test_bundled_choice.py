"""Which file of a bundled model is used: by measurement, so that 8 bits do not count where they overflow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.fake_runtime import FakeRuntime, FakeSession
from inference.tiny_models import large_products
from inference.without_vnni import WithoutVnni, convolve
from touchstone.inference import bench, golden
from touchstone.inference.bundled_choice import choose
from touchstone.inference.choice import Measurements
from touchstone.inference.machine import Machine
from touchstone.inference.measurable import Measurable, measurable_bundled
from touchstone.inference.providers import measure
from touchstone.inference.sessions import OnnxRuntime, Session
from touchstone.zoo.bundled import BundledFile, bundled
from touchstone.zoo.entry import Task

FILES = bundled(Task.WATERMARK_DECODER)
NAME = FILES[0].model.name
(OURS,) = measurable_bundled(FILES)
MACHINE = Machine(runtime=("onnxruntime 1",))
CPU = "CPUExecutionProvider"


class Overflowing(FakeRuntime):
    """Reads the shipped files, and answers for those in `wrong` what is not the right answer."""

    def __init__(self, ms: dict[str, float], wrong: tuple[str, ...]) -> None:
        super().__init__({})
        self.ms = {Path(OURS.paths[name]).read_bytes(): (cost, name in wrong) for name, cost in ms.items()}

    def available(self) -> list[str]:
        return [CPU, "CUDAExecutionProvider"]

    def open(self, content: bytes, provider: str, threads: int) -> FakeSession:
        self.opened.append((provider, threads))
        cost, wrong = self.ms[content]
        return Answering(self, cost, wrong, provider)


class Answering(FakeSession):
    def __init__(self, runtime: FakeRuntime, cost: float, wrong: bool, provider: str) -> None:
        self.runtime, self.cost, self.wrong, self.provider = runtime, cost, wrong, provider

    placed = None

    def __call__(self, values: Any) -> Any:
        self.runtime.now_s += self.cost / 1000
        right = values[:, :1] - 128
        return np.clip(right, -64, 64) if self.wrong else right


def order(cache: Path) -> dict[str, Any]:
    return {"models": [OURS.as_json()], "threads": 1, "cache": str(cache)}


def measured(tmp_path: Path, ms: dict[str, float], wrong: tuple[str, ...]) -> tuple[str, Overflowing]:
    """What is chosen after measuring with made-up times and answers."""
    cache, runtime = tmp_path / "providers.json", Overflowing(ms, wrong)
    bench.answer(order(cache), runtime, MACHINE, runtime.clock)
    chosen = choose(FILES, Measurements(cache), MACHINE)[NAME]
    assert chosen.measured
    return chosen.file.variant.name, runtime


USUAL = {"int8": 4.7, "int8-reduced": 4.6, "fp16": 10.5}


@pytest.mark.parametrize(
    ("ms", "wrong", "chosen"),
    [
        (USUAL, (), "int8"),  # what is alike in time goes by the order of zoo.toml
        (USUAL, ("int8",), "int8-reduced"),
        (USUAL, ("int8", "int8-reduced"), "fp16"),
        (USUAL | {"int8-reduced": 2.0}, (), "int8-reduced"),
        (USUAL | {"fp16": 2.0}, ("int8",), "fp16"),
    ],
)
def test_the_fastest_that_answers_alike_is_used(
    tmp_path: Path, ms: dict[str, float], wrong: tuple[str, ...], chosen: str
) -> None:
    name, runtime = measured(tmp_path, ms, wrong)
    assert name == chosen
    assert {provider for provider, _ in runtime.opened} == {CPU}, "it is never run anywhere else"


def test_before_anything_was_measured_it_is_the_first_file(tmp_path: Path) -> None:
    nothing = choose(FILES, Measurements(tmp_path / "none.json"), MACHINE)[NAME]
    assert (nothing.file.variant.name, nothing.measured) == ("int8", False)
    measured(tmp_path, USUAL, ("int8",))
    elsewhere = replace(MACHINE, features=("avx2",))
    assert choose(FILES, Measurements(tmp_path / "providers.json"), elsewhere)[NAME].file == nothing.file


def test_what_is_not_there_is_not_chosen(tmp_path: Path) -> None:
    gone = tuple(replace(file, path=tmp_path / "gone.onnx") for file in FILES)
    assert choose(gone, Measurements(tmp_path / "none.json"), MACHINE) == {}
    assert measurable_bundled(gone) == []
    only = [file for file in FILES if file.variant.name == "int8-reduced"]
    chosen = choose(only, Measurements(tmp_path / "none.json"), MACHINE)[NAME]
    assert (chosen.file, chosen.choice, chosen.measured) == (only[0], None, True)


def test_a_model_with_one_file_is_not_measured() -> None:
    detectors: tuple[BundledFile, ...] = bundled(Task.DETECTOR)
    assert [model.name for model in measurable_bundled(detectors)] == [
        name
        for name in dict.fromkeys(file.model.name for file in detectors)
        if len([file for file in detectors if file.model.name == name]) > 1
    ]


def problems(runtime: Any) -> dict[str, tuple[str | None, float | None]]:
    """Problem and share of flips of each shipped file, on small golden inputs."""
    small = golden.golden_inputs((1, 3, 64, 64), *OURS.range)[[0, 3, 7]]
    plan = replace(bench._plan(OURS, threads=1, opt_in=False), inputs=small)
    return {m.variant: (m.problem, m.flips) for m in measure(runtime, plan, clock=lambda: 0.0)}


def test_the_shipped_files_where_products_overflow() -> None:
    ms = {Path(path).read_bytes(): 1.0 for path in OURS.paths.values()}
    found = problems(WithoutVnni(ms))
    assert found["fp16"] == (None, 0)
    assert found["int8"][0] == "gives other answers than the reference"
    assert found["int8-reduced"][0] is None


def test_the_shipped_files_on_this_processor() -> None:
    found = problems(OnnxRuntime())
    assert found["fp16"] == (None, 0)
    assert [found[name][0] for name in ("int8", "int8-reduced")] == [None, None], "nothing overflows"


def test_sums_of_large_products_are_right_on_this_processor() -> None:
    four = Session(large_products())(np.full((1, 4, 2, 2), 255, np.float32))
    assert four.shape == (1, 8, 2, 2)
    # 4 * 255 * 127, to the nearest thousand; where two saturate it would be 66,000.
    assert set(four.ravel()) == {130_000}


@pytest.mark.parametrize(
    ("weight", "sum_of_two"),
    [(63, 2 * 255 * 63), (64, 2 * 255 * 64), (127, (1 << 15) - 1), (-127, -(1 << 15))],
)
def test_where_two_products_overflow(weight: int, sum_of_two: int) -> None:
    pixels = np.full((2, 1, 1), 255, np.uint8)
    assert convolve(pixels, np.full((1, 2, 1, 1), weight, np.int8), 0).item() == sum_of_two


def test_what_is_measured_crosses_as_json() -> None:
    import json

    assert Measurable.from_json(json.loads(json.dumps(OURS.as_json()))) == OURS
