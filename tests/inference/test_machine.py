"""What tells one machine from another, read from a root that the test fills."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest

from touchstone.inference.machine import (
    Machine,
    devices,
    drivers,
    features,
    installed_runtimes,
    products_overflow,
    this_machine,
)

TREES: dict[str, tuple[dict[str, str], list[str], list[str]]] = {
    "nothing": ({}, [], []),
    "a driver that names its version": (
        {"sys/module/nvidia/version": "580.95.05\n", "sys/class/drm/card0/device/vendor": "0x10de\n",
         "sys/class/drm/card0/device/device": "0x2330\n"},
        ["nvidia 580.95.05"],
        ["card0 10de:2330"],
    ),
    "a driver of the kernel": (
        {"sys/module/i915/srcversion": "ABC\n", "sys/module/xe/parameters/x": "1"},
        ["i915 ABC", "xe of the kernel"],
        [],
    ),
    "a container with the card handed in": (
        {"proc/driver/nvidia/version": "NVRM version: 580.95\nGCC version: 12\n",
         "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: H100\n"},
        ["nvidia NVRM version: 580.95"],
        ["nvidia Model: H100"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TREES)
def test_drivers_and_devices(tmp_path: Path, name: str) -> None:
    files, wanted_drivers, wanted_devices = TREES[name]
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert drivers(tmp_path) == wanted_drivers
    assert devices(tmp_path) == wanted_devices


CPUINFO = "processor\t: 0\nflags\t\t: fpu avx2 avx_vnni sse2\n\nprocessor\t: 1\nflags\t\t: avx512f\n"


@pytest.mark.parametrize(
    ("text", "found", "overflow"),
    [
        (CPUINFO, ["avx2", "avx_vnni"], False),
        (CPUINFO.replace("avx_vnni", "avx512f avx512_vnni"), ["avx2", "avx512f", "avx512_vnni"], False),
        (CPUINFO.replace("avx_vnni", "fma"), ["avx2"], True),
        ("Features: asimddp\n", [], True),  # not told; what is done about it has no effect there
    ],
)
def test_what_products_of_8_bits_depend_on(
    tmp_path: Path, text: str, found: list[str], overflow: bool
) -> None:
    assert (features(tmp_path), products_overflow(tmp_path)) == ([], True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text(text)
    assert (features(tmp_path), products_overflow(tmp_path)) == (found, overflow)
    assert Machine(features=tuple(found)).fingerprint != Machine(features=("avx2", "x")).fingerprint


def test_every_build_of_the_runtime_counts(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (
        one / "numpy-2.4.6.dist-info",
        one / "onnxruntime-1.32.0.dist-info",
        one / "onnxruntime",
        other / "onnxruntime_gpu-1.31.0.dist-info",
    ):
        folder.mkdir(parents=True)
    places = [str(one), str(other), str(one), str(tmp_path / "not there")]
    assert installed_runtimes(places) == ["onnxruntime 1.32.0", "onnxruntime-gpu 1.31.0"]


def test_the_runtime_that_runs_here_is_found() -> None:
    assert onnxruntime.__version__ in [build.partition(" ")[2] for build in installed_runtimes(sys.path)]


def test_the_fingerprint_stays_until_something_changes() -> None:
    assert this_machine() == this_machine()
    assert this_machine().runtime, "onnxruntime is installed"
    one = Machine(system="Linux", drivers=("nvidia 1",))
    assert one.fingerprint == replace(one).fingerprint
    assert one.fingerprint != replace(one, drivers=("nvidia 2",)).fingerprint
