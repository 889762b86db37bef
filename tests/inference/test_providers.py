"""The provider is chosen by what it really uses, what it answers and how fast: never by its name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.fake_runtime import FakeProvider, FakeRuntime
from touchstone.inference import bench
from touchstone.inference.providers import (
    as_json,
    cache_key,
    choose,
    from_json,
    golden_inputs,
    measure,
)
from touchstone.inference.sessions import OnnxRuntime
from zoo import decoders
from zoo.shop import card, sha256

MakeRuntime = Callable[..., FakeRuntime]
INPUTS = golden_inputs((1, 3, 8, 8), 0.0, 1.0, count=3)


def results(runtime: FakeRuntime, **options: Any) -> dict[str, str | None]:
    """Provider to its problem, and `chosen` to the choice."""
    measured = measure(runtime, b"", INPUTS, clock=runtime.clock, **options)
    chosen = choose(measured)
    short = {m.provider.removesuffix("ExecutionProvider"): m.problem for m in measured}
    return {**short, "chosen": chosen.provider.removesuffix("ExecutionProvider") if chosen else None}


def test_the_fastest_that_answers_alike_is_chosen(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CUDA=FakeProvider(ms=2), CPU=FakeProvider(ms=9), CoreML=FakeProvider(ms=4))
    assert results(runtime, threads=3) == {"CPU": None, "CUDA": None, "CoreML": None, "chosen": "CUDA"}
    assert runtime.opened[0] == ("CPUExecutionProvider", 3), "the reference comes first"


def test_a_graphics_card_that_is_slower_is_not_chosen(runtime_with: MakeRuntime) -> None:
    assert results(runtime_with(DirectML=FakeProvider(ms=12), CPU=FakeProvider(ms=9)))["chosen"] == "CPU"


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        (FakeProvider(ms=1, becomes="CPUExecutionProvider"), "falls back to CPUExecutionProvider"),
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


def test_half_precision_is_near_enough(runtime_with: MakeRuntime) -> None:
    half = FakeProvider(ms=1, answer=lambda right: right.astype(np.float16).astype(np.float32))
    assert results(runtime_with(CPU=FakeProvider(), CUDA=half))["chosen"] == "CUDA"


def test_tensorrt_is_only_tried_when_asked_for(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(ms=9), Tensorrt=FakeProvider(ms=1))
    assert "Tensorrt" not in results(runtime)
    assert results(runtime, opt_in=True)["chosen"] == "Tensorrt"


def test_without_a_reference_nothing_is_chosen(runtime_with: MakeRuntime) -> None:
    found = results(runtime_with(CPU=FakeProvider(refuses="broken file"), CUDA=FakeProvider()))
    assert found == {"CPU": "broken file", "chosen": None}


def test_measurements_survive_the_cache(runtime_with: MakeRuntime) -> None:
    runtime = runtime_with(CPU=FakeProvider(), CUDA=FakeProvider(refuses="no"))
    measured = measure(runtime, b"", INPUTS, clock=runtime.clock)
    assert from_json(json.loads(json.dumps(as_json(measured)))) == measured


def test_what_makes_a_measurement_stale(runtime_with: MakeRuntime) -> None:
    one = runtime_with(CPU=FakeProvider())
    keys = {cache_key("a", one, 1), cache_key("b", one, 1), cache_key("a", one, 2)}
    keys.add(cache_key("a", runtime_with(CPU=FakeProvider(), CUDA=FakeProvider()), 1))
    newer = runtime_with(CPU=FakeProvider())
    newer.version = "1.1"
    keys.add(cache_key("a", newer, 1))
    assert len(keys) == 5
    assert cache_key("a", runtime_with(CPU=FakeProvider()), 1) in keys


def request(folder: Path, **changes: Any) -> dict[str, Any]:
    content = decoders.decoder()
    path = folder / "decoder.onnx"
    path.write_bytes(content)
    variant = {"file": path.name, "sha256": sha256(content), "size": len(content)}
    models = [{"model": card(variant=[variant]), "variant": "fp32", "path": str(path)}]
    return {"models": models, "threads": 1, "cache": str(folder / "cache" / "providers.json"), **changes}


def test_a_model_is_measured_once(runtime_with: MakeRuntime, tmp_path: Path) -> None:
    runtime = runtime_with(CPU=FakeProvider())
    first = bench.answer(request(tmp_path), runtime)
    assert first["models"][0]["chosen"] == "CPUExecutionProvider"
    assert bench.answer(request(tmp_path), runtime) == first
    assert len(runtime.opened) == 1
    bench.answer(request(tmp_path, fresh=True), runtime)
    assert len(runtime.opened) == 2
    (tmp_path / "cache" / "providers.json").write_text("damaged")
    bench.answer(request(tmp_path), runtime)
    assert len(runtime.opened) == 3


def test_the_real_runtime_agrees_with_itself() -> None:
    measured = measure(OnnxRuntime(), decoders.decoder(), golden_inputs((1, 3, 16, 16), 0.0, 1.0))
    assert measured[0].used == "CPUExecutionProvider"
    assert measured[0].difference == 0
    with pytest.raises(RuntimeError):
        OnnxRuntime().open(b"no model", "CPUExecutionProvider", 1)


@pytest.mark.parametrize(
    "modules",
    [
        "touchstone.engine, touchstone.pipeline, touchstone.server.app, touchstone.media.pool",
        "touchstone.cli.models, touchstone.zoo.pull, touchstone.model_import.checker",
        "touchstone.examiners.watermarks",
    ],
)
def test_the_daemon_never_loads_the_runtime(modules: str) -> None:
    program = f"import sys, {modules}; sys.exit('onnxruntime' in sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", program], check=True, timeout=60)
