"""Which file of a model runs where, after what was measured and what the user wants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from touchstone.inference.choice import Measurements
from touchstone.inference.machine import Machine
from touchstone.inference.placement import Wishes, key_of, place
from touchstone.zoo.entry import Model
from touchstone.zoo.registry import Installed
from zoo.shop import card

CPU, CUDA, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "Tensorrt"))
MACHINE = Machine(runtime=("onnxruntime 1",))


def installed(folder: Path, *variants: str) -> list[Installed]:
    files = [
        {"name": name, "file": f"{name}.onnx", "sha256": f"{n:064x}", "size": 1}
        for n, name in enumerate(variants)
    ]
    model = Model.from_json(card(variant=files))
    return [Installed(model, variant, folder / variant.file, False) for variant in model.variants]


def row(variant: str, provider: str, ms: float, problem: str | None = None) -> dict[str, Any]:
    return {
        "variant": variant,
        "provider": provider,
        "ms": ms,
        "batch": None,
        "batch_ms": None,
        "problem": problem,
    }


FELL_BACK = row("fp32", CUDA, 1, "falls back to CPUExecutionProvider")
BOTH = [row("fp32", CPU, 9), row("int8", CPU, 4), row("fp32", CUDA, 2), row("int8", CUDA, 3)]
PROCESSOR_ONLY = [row("fp32", CPU, 4), FELL_BACK]

# What was measured, what the user wants, and: variant, provider, whether apart, the reason.
CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], tuple[str, str, bool, str | None]]] = {
    "nothing yet": ([], {}, ("fp32", CPU, False, "not measured yet")),
    "a faster card": (BOTH, {}, ("fp32", CUDA, True, None)),
    "a card that is not really used": (PROCESSOR_ONLY, {}, ("fp32", CPU, False, None)),
    "a faster variant": (BOTH[:2], {}, ("int8", CPU, False, None)),
    "on the processor, please": (BOTH, {"provider": CPU}, ("int8", CPU, False, None)),
    "on the card, which does not work": (
        PROCESSOR_ONLY, {"provider": CUDA}, ("fp32", CPU, False, "falls back to CPUExecutionProvider"),
    ),
    "TensorRT is not used unasked": ([*BOTH, row("fp32", TENSORRT, 1)], {}, ("fp32", CUDA, True, None)),
    "TensorRT, please": (
        [*BOTH, row("fp32", TENSORRT, 1)], {"provider": TENSORRT}, ("fp32", TENSORRT, True, None),
    ),
    "TensorRT, please, before it was tried": (
        BOTH, {"provider": TENSORRT}, ("int8", CPU, False, "not measured yet"),
    ),
    "always apart": (BOTH[:2], {"process": "always"}, ("int8", CPU, True, None)),
    "never apart": (BOTH, {"process": "never"}, ("int8", CPU, False, None)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_where_a_model_runs(tmp_path: Path, name: str) -> None:
    measured, wishes, (variant, provider, apart, reason) = CASES[name]
    files = installed(tmp_path, "fp32", "int8")
    kept = Measurements(tmp_path / "cache.json")
    kept.keep(key_of({f.variant.name: f for f in files}, MACHINE), measured, complete=bool(measured))
    placed = place(files, kept, MACHINE, Wishes(**wishes))["tiny"]
    assert (placed.variant.name, placed.choice.provider, placed.apart) == (variant, provider, apart)
    assert placed.choice.reason == reason
    assert placed.measured == bool(measured)
    assert placed.served().path == str(tmp_path / f"{variant}.onnx")
    here = place(files, kept, MACHINE, Wishes(**wishes), here_only=True)["tiny"]
    assert (here.choice.provider, here.apart) == (CPU, False)


def test_another_machine_has_to_measure_anew(tmp_path: Path) -> None:
    files = installed(tmp_path, "fp32")
    kept = Measurements(tmp_path / "cache.json")
    kept.keep(key_of({"fp32": files[0]}, MACHINE), [row("fp32", CUDA, 1)], complete=True)
    other = Machine(runtime=("onnxruntime 1",), drivers=("nvidia 2",))
    assert not place(files, kept, other)["tiny"].measured
    assert place(files, kept, other)["tiny"].choice.reason == "not measured yet"
