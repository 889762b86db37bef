"""The provider is chosen by what it really uses, what it answers and how fast: never by its name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.fake_runtime import FakeProvider, FakeRuntime
from touchstone.inference import bench, golden
from touchstone.inference.choice import Measurements, cache_key, decide
from touchstone.inference.golden import golden_inputs
from touchstone.inference.machine import Machine, this_machine
from touchstone.inference.measurable import Measurable, measurable
from touchstone.inference.measuring import MeasuringFailed, Order, measure_models
from touchstone.inference.providers import Plan, as_json, from_json, measure
from touchstone.inference.sessions import OnnxRuntime
from touchstone.zoo.entry import Model
from touchstone.zoo.registry import Installed
from zoo import decoders
from zoo.shop import card, sha256

MakeRuntime = Callable[..., FakeRuntime]
INPUTS = golden_inputs((1, 3, 8, 8), 0.0, 1.0, count=3)
PLAN = Plan({"fp32": b"fp32"}, INPUTS)
MACHINE = Machine(runtime=("onnxruntime 1",))
CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def results(runtime: FakeRuntime, plan: Plan = PLAN, wanted: str | None = None) -> dict[str, str | None]:
    """Provider to its problem, and `chosen` to the choice."""
    measured = list(measure(runtime, plan, clock=runtime.clock))
    chosen = decide(as_json(measured), list(plan.contents), wanted=wanted)
    short = {m.provider.removesuffix("ExecutionProvider"): m.problem for m in measured}
    return {**short, "chosen": chosen.provider.removesuffix("ExecutionProvider")}


def test_the_fastest_that_answers_alike_is_chosen(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CUDA=FakeProvider(ms=2), CPU=FakeProvider(ms=9), CoreML=FakeProvider(ms=4))
    found = results(runtime, replace(PLAN, threads=3))
    assert found == {"CPU": None, "CUDA": None, "CoreML": None, "chosen": "CUDA"}
    assert runtime.opened[0] == (CPU, 3), "the reference comes first"


def test_a_graphics_card_that_is_slower_is_not_chosen(runtime_with: MakeRuntime) -> None:
    assert results(runtime_with(DirectML=FakeProvider(ms=12), CPU=FakeProvider(ms=9)))["chosen"] == "CPU"


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        (FakeProvider(ms=1, becomes=CPU), "falls back to CPUExecutionProvider"),
        (FakeProvider(ms=1, becomes=CPU, complains="no libX"), "CPUExecutionProvider (no libX)"),
        (FakeProvider(ms=1, placed={CPU: 9}), "takes none of the model's operators"),
        (FakeProvider(ms=1, refuses="no driver\nmore lines"), "no driver"),
        (FakeProvider(ms=1, answer=lambda right: -right), "other answers"),
        (FakeProvider(ms=1, answer=lambda right: right * 1.05), "other answers"),
        (FakeProvider(ms=1, answer=lambda right: right * np.nan), "no numbers"),
        (FakeProvider(ms=1, answer=lambda right: right[:, :1]), "no numbers"),
    ],
)
def test_what_does_not_do_what_it_says_does_not_count(
    runtime_with: MakeRuntime, provider: FakeProvider, says: str
) -> None:
    found = results(runtime_with(CPU=FakeProvider(ms=9), ROCM=provider))
    assert says in str(found["ROCM"])
    assert found["chosen"] == "CPU"


def test_operators_that_run_elsewhere_are_counted(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(), CUDA=FakeProvider(placed={CUDA: 6, CPU: 2}))
    assert [m.elsewhere for m in measure(runtime, PLAN, clock=runtime.clock)] == [None, 0.25]


def test_half_precision_is_near_enough(runtime_with: MakeRuntime) -> None:
    half = FakeProvider(ms=1, answer=lambda right: right.astype(np.float16).astype(np.float32))
    assert results(runtime_with(CPU=FakeProvider(), CUDA=half))["chosen"] == "CUDA"


@pytest.mark.parametrize(
    ("wanted", "chosen", "reason"),
    [
        (None, CPU, None),
        ("TensorrtExecutionProvider", "TensorrtExecutionProvider", None),
        (CUDA, CPU, "falls back to CPUExecutionProvider"),
        ("DmlExecutionProvider", CPU, "not offered here"),
    ],
)
def test_a_provider_that_is_asked_for_is_used_or_the_reason_is_told(
    runtime_with: MakeRuntime, wanted: str | None, chosen: str, reason: str | None
) -> None:
    runtime = runtime_with(
        CPU=FakeProvider(ms=9), Tensorrt=FakeProvider(ms=1), CUDA=FakeProvider(becomes=CPU)
    )
    measured = as_json(list(measure(runtime, replace(PLAN, opt_in=True), clock=runtime.clock)))
    choice = decide(measured, ["fp32"], wanted=wanted)
    assert (choice.provider, choice.reason) == (chosen, reason)


def test_tensorrt_is_only_tried_when_asked_for(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(ms=9), Tensorrt=FakeProvider(ms=1))
    assert "Tensorrt" not in results(runtime)


def test_what_belongs_on_the_processor_is_tried_nowhere_else(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(), CUDA=FakeProvider(ms=1))
    assert results(runtime, replace(PLAN, processor_only=True)) == {"CPU": None, "chosen": "CPU"}


def test_variants_are_tried_on_every_provider(runtime_with: MakeRuntime) -> None:
    plan = Plan({"fp32": b"fp32", "int8": b"3x"}, INPUTS, batch=4)
    runtime = runtime_with(CPU=FakeProvider(ms=9), CUDA=FakeProvider(ms=5))
    measured = list(measure(runtime, plan, clock=runtime.clock))
    assert [(m.variant, m.provider, m.ms, m.batch_ms) for m in measured] == [
        ("fp32", CPU, 9, 36),
        ("int8", CPU, 3, 12),
        ("fp32", CUDA, 5, 20),
        ("int8", CUDA, 1.667, 6.667),
    ]
    choice = decide(as_json(measured), ["fp32", "int8"])
    assert (choice.variant, choice.provider, choice.row_ms) == ("int8", CUDA, pytest.approx(1.667, abs=1e-3))


def test_without_a_reference_nothing_else_is_tried(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(refuses="broken file"), CUDA=FakeProvider())
    found = list(measure(runtime, PLAN, clock=runtime.clock))
    assert [(m.provider, m.problem) for m in found] == [(CPU, "broken file")]
    choice = decide(as_json(found), ["fp32"])
    assert (choice.provider, choice.reason) == (CPU, "not measured yet")


def test_measurements_survive_the_cache(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(), CUDA=FakeProvider(refuses="no"))
    measured = list(measure(runtime, PLAN, clock=runtime.clock))
    assert from_json(json.loads(json.dumps(as_json(measured)))) == measured


@pytest.mark.parametrize(
    ("checksums", "machine", "threads"),
    [
        ({"fp32": "b"}, MACHINE, 1),
        ({"fp32": "a", "int8": "c"}, MACHINE, 1),
        ({"fp32": "a"}, MACHINE, 2),
        ({"fp32": "a"}, replace(MACHINE, runtime=("onnxruntime 2",)), 1),
        ({"fp32": "a"}, replace(MACHINE, drivers=("nvidia 580.95",)), 1),
        ({"fp32": "a"}, replace(MACHINE, devices=("card0 10de:2330",)), 1),
    ],
)
def test_what_makes_a_measurement_stale(checksums: dict[str, str], machine: Machine, threads: int) -> None:
    assert cache_key(checksums, machine, threads) != cache_key({"fp32": "a"}, MACHINE, 1)
    assert cache_key({"fp32": "a"}, replace(MACHINE), 1) == cache_key({"fp32": "a"}, MACHINE, 1)


# --- the process that measures -------------------------------------------------------------------


def request(folder: Path, **changes: Any) -> dict[str, Any]:
    content = decoders.decoder()
    path = folder / "decoder.onnx"
    path.write_bytes(content)
    variant = {"file": path.name, "sha256": sha256(content), "size": len(content)}
    model = Model.from_json(card(variant=[variant]))
    models = [each.as_json() for each in measurable([Installed(model, model.variants[0], path, False)])]
    return {"models": models, "threads": 1, "cache": str(folder / "cache" / "providers.json"), **changes}


def test_a_model_is_measured_once(runtime_with: MakeRuntime, tmp_path: Path) -> None:
    runtime = runtime_with(CPU=FakeProvider())
    first = bench.answer(request(tmp_path), runtime, MACHINE)
    assert first["models"][0]["chosen"] == {"variant": "fp32", "provider": CPU, "reason": None}
    assert bench.answer(request(tmp_path), runtime, MACHINE) == first
    assert len(runtime.opened) == 1
    bench.answer(request(tmp_path, fresh=True), runtime, MACHINE)
    assert len(runtime.opened) == 2
    bench.answer(request(tmp_path), runtime, replace(MACHINE, drivers=("nvidia 1",)))
    assert len(runtime.opened) == 3
    (tmp_path / "cache" / "providers.json").write_text("damaged")
    bench.answer(request(tmp_path), runtime, MACHINE)
    assert len(runtime.opened) == 4


def test_a_provider_that_comes_later_is_measured_alone(runtime_with: MakeRuntime, tmp_path: Path) -> None:
    runtime = runtime_with(CPU=FakeProvider(), Tensorrt=FakeProvider())
    (before,) = bench.answer(request(tmp_path), runtime, MACHINE)["models"]
    (after,) = bench.answer(request(tmp_path, opt_in=True), runtime, MACHINE)["models"]
    assert [row["provider"] for row in after["results"]] == [CPU, "TensorrtExecutionProvider"]
    assert after["results"][0] == before["results"][0]


def test_a_provider_that_takes_the_process_down_is_known_by_the_next(
    runtime_with: MakeRuntime, tmp_path: Path
) -> None:
    runtime = runtime_with(
        CPU=FakeProvider(ms=9), CUDA=FakeProvider(kills=KeyboardInterrupt), CoreML=FakeProvider(ms=3)
    )
    with pytest.raises(KeyboardInterrupt):
        bench.answer(request(tmp_path), runtime, MACHINE, runtime.clock)
    (row,) = bench.answer(request(tmp_path), runtime, MACHINE, runtime.clock)["models"]
    assert row["chosen"]["provider"] == "CoreMLExecutionProvider"
    assert {r["provider"]: r["problem"] for r in row["results"]}[CUDA] == bench.LOST
    assert [name for name, _ in runtime.opened].count(CUDA) == 1


def test_a_model_that_is_not_what_was_installed_is_not_run(runtime_with: MakeRuntime, tmp_path: Path) -> None:
    asked = request(tmp_path)
    (tmp_path / "decoder.onnx").write_bytes(b"another")
    runtime = runtime_with(CPU=FakeProvider())
    (row,) = bench.answer(asked, runtime, MACHINE)["models"]
    assert "not the file that was installed" in row["results"][0]["problem"]
    assert runtime.opened == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (np.zeros((3, 3, 16, 16), np.float32), None),
        (np.zeros((3, 3, 8, 8), np.float32), "where the model takes"),
        (np.array([{}], dtype=object), "no array"),
    ],
)
def test_golden_inputs_of_the_model_come_first(
    runtime_with: MakeRuntime, tmp_path: Path, content: Any, problem: str | None
) -> None:
    asked = request(tmp_path)
    np.save(tmp_path / golden.FILE, content, allow_pickle=True)
    (row,) = bench.answer(asked, runtime_with(CPU=FakeProvider()), MACHINE)["models"]
    said = row["results"][0]["problem"]
    assert (said is None) if problem is None else problem in said


def program(text: str) -> list[str]:
    return [sys.executable, "-P", "-c", text]


async def test_a_process_that_keeps_failing_is_given_up(tmp_path: Path) -> None:
    counter = tmp_path / "starts"
    failing = f"import sys; open({str(counter)!r}, 'a').write('x'); sys.exit('no luck')"
    with pytest.raises(MeasuringFailed, match="no luck"):
        await measure_models(Order([], tmp_path / "cache.json"), start=program(failing))
    assert 1 < len(counter.read_text()) < 10


async def test_a_process_that_hangs_is_ended(tmp_path: Path) -> None:
    hanging = program("import time; time.sleep(600)")
    with pytest.raises(MeasuringFailed, match=r"longer than 0\.1 seconds"):
        await measure_models(Order([], tmp_path / "cache.json"), start=hanging, seconds=0.1)


async def test_the_real_process_measures_what_really_runs(tmp_path: Path) -> None:
    asked = request(tmp_path)
    order = Order([Measurable.from_json(model) for model in asked["models"]], Path(asked["cache"]))
    answer = await measure_models(order)
    (row,) = answer["models"]
    assert row["results"][0]["used"] == CPU
    assert row["results"][0]["difference"] == 0
    # Whatever this build of onnxruntime offers: a provider counts only where it is really used.
    for result in row["results"]:
        assert (result["problem"] is None) == (result["used"] == result["provider"])
    key = cache_key(asked["models"][0]["checksums"], this_machine(), 1)
    assert Measurements(order.cache).results(key) == row["results"]
    assert Measurements(order.cache).complete(key)


def test_the_real_runtime_says_when_a_provider_is_not_there() -> None:
    runtime = OnnxRuntime()
    for provider in runtime.available():
        try:
            running = runtime.open(decoders.decoder(), provider, 1)
        except RuntimeError as reason:
            assert provider != CPU and str(reason)
        else:
            assert running.provider in (provider, CPU)
    with pytest.raises(RuntimeError):
        runtime.open(b"no model", CPU, 1)


def test_a_cache_is_written_in_one_step(tmp_path: Path) -> None:
    kept = Measurements(tmp_path / "new" / "cache.json")
    assert kept.results("a") == []
    kept.keep("a", [{"ms": 1}], complete=False)
    kept.keep("b", [], complete=True)
    assert (kept.results("a"), kept.complete("a"), kept.complete("b")) == ([{"ms": 1}], False, True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["cache.json"]


@pytest.mark.parametrize(
    "modules",
    [
        "touchstone.engine, touchstone.pipeline, touchstone.server.app, touchstone.media.pool",
        "touchstone.cli.models, touchstone.zoo.pull, touchstone.model_import.checker",
        "touchstone.examiners.watermarks, touchstone.inference.choice, touchstone.inference.measuring",
    ],
)
def test_the_daemon_never_loads_the_runtime(modules: str) -> None:
    program = f"import sys, {modules}; sys.exit('onnxruntime' in sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=60)
