"""How each execution provider is asked to behave: quick to start, sparing with memory, and out of the way.

Source of names and values: onnxruntime's page of each execution provider (docs/execution-providers).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import PROCESSOR

SHORT_NAMES: Mapping[str, str] = {
    "cpu": PROCESSOR,
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""What a person calls a provider (the setting `provider`), to its name in onnxruntime."""

# Memory is taken as it is needed instead of in doubling steps, because the browser lives on the same card;
# and convolutions are picked by rule: trying all of them costs seconds in a process that soon leaves again.
_CUDA = {"arena_extend_strategy": "kSameAsRequested", "cudnn_conv_algo_search": "HEURISTIC"}

_OPTIONS: Mapping[str, Mapping[str, str]] = {
    "CUDAExecutionProvider": _CUDA,
    "ROCMExecutionProvider": {"arena_extend_strategy": "kSameAsRequested"},
    "CoreMLExecutionProvider": {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"},
    "OpenVINOExecutionProvider": {"device_type": "AUTO:GPU,NPU,CPU"},
    "TensorrtExecutionProvider": {
        "trt_engine_cache_enable": "1",
        "trt_timing_cache_enable": "1",
        "trt_fp16_enable": "1",
    },
}

# DirectML runs no two nodes at once and does not take recorded memory patterns.
SEQUENTIAL = frozenset({"DmlExecutionProvider"})

# Where the provider keeps what it compiled, so that the next process need not.
_CACHE_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "TensorrtExecutionProvider": ("trt_engine_cache_path", "trt_timing_cache_path"),
    "CoreMLExecutionProvider": ("ModelCacheDirectory",),
    "OpenVINOExecutionProvider": ("cache_dir",),
}


def options_of(provider: str, cache: Path | None = None) -> dict[str, str]:
    """Options for `provider`.

    Args:
        cache: a folder of ours where it may keep what it compiled; None for none.
    """
    kept = {} if cache is None else {name: str(cache) for name in _CACHE_OPTIONS.get(provider, ())}
    return {**_OPTIONS.get(provider, {}), **kept}
