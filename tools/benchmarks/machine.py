"""What a machine can do at most, measured with the same runtime: arithmetic, memory, hashing."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

SIDE = 1024
"""Of the square matrices that peaks are measured with: they fit the cache, and take milliseconds."""

BYTES = 256 << 20
"""Copied to measure memory: more than any cache that a user's computer has."""


@dataclass(frozen=True)
class Peaks:
    """The best of several runs in one thread, for a second of processor time.

    Attributes:
        gflops: float32 multiply-adds counted as two.
        int8_gops: the same of bytes.
        copy_gb: read and written, each counted.
        sha256_gb: hashed.
    """

    gflops: float
    int8_gops: float
    copy_gb: float
    sha256_gb: float


def peaks(repeat: int) -> Peaks:
    """Measure what this machine can do."""
    rng = np.random.default_rng(0)
    one, two = (rng.standard_normal((SIDE, SIDE), np.float32) for _ in range(2))
    floats = _product("MatMul", TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.FLOAT)
    bytes_ = _product("MatMulInteger", TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32)
    small = {
        "a": rng.integers(0, 255, (SIDE, SIDE), np.uint8),
        "b": rng.integers(-127, 127, (SIDE, SIDE), np.int8),
    }
    source = np.ones(BYTES, np.uint8)
    target = np.zeros_like(source)
    work = 2 * SIDE**3 / 1e9
    return Peaks(
        gflops=work / _best(lambda: floats.run(None, {"a": one, "b": two}), repeat),
        int8_gops=work / _best(lambda: bytes_.run(None, small), repeat),
        copy_gb=2 * BYTES / 1e9 / _best(lambda: np.copyto(target, source), repeat),
        sha256_gb=BYTES / 1e9 / _best(lambda: hashlib.sha256(source.data).digest(), repeat),
    )


def _best(work: Callable[[], object], repeat: int) -> float:
    """Least processor seconds of a run."""
    work()
    taken = []
    for _ in range(max(repeat, 3)):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)


def _product(kind: str, one: int, two: int, result: int) -> onnxruntime.InferenceSession:
    graph = helper.make_graph(
        [helper.make_node(kind, ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info(n, t, [SIDE, SIDE]) for n, t in (("a", one), ("b", two))],
        [helper.make_tensor_value_info("c", result, [SIDE, SIDE])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def load() -> float:
    """How many processes wanted a processor over the last minute; NaN where that is not told."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


QUIET = 2.5
"""Load above which times by the clock say little on two cores."""


def held(yes: bool) -> str:
    """Whether a promise about time by the clock was kept; one that was not may be due to other work."""
    if yes:
        return "yes"
    return "**no**" if load() < QUIET else f"**no**, at load {load():.0f}"


def cores() -> int:
    """How many processors there are."""
    return os.cpu_count() or 1


def processor() -> str:
    """Name of the processor and what of it matters to int8."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    pairs = [line.split(":", 1) for line in lines if ":" in line]
    told = {name.strip(): value.strip() for name, value in pairs}
    flags = told.get("flags", "").split()
    units = [name for name in ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8") if name in flags]
    return f"{told.get('model name', platform.machine())} ({', '.join(units) or 'none of AVX2 and VNNI'})"


def versions() -> str:
    """Of what does the work."""
    parts = {
        "Python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "NumPy": np.__version__,
        "PyAV": av.__version__,
        "onnx": onnx.__version__,
    }
    return ", ".join(f"{name} {version}" for name, version in parts.items())
