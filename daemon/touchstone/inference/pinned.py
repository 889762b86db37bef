"""Pins host memory, so that a graphics card reads it without a copy in between.

CUDA copies from ordinary memory by way of a pinned buffer of its own; memory that is registered is read
directly. Source: CUDA Runtime API, cudaHostRegister.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# As onnxruntime's builds for CUDA 13 and 12 have loaded it by then.
_LIBRARIES: Sequence[str] = ("libcudart.so.13", "libcudart.so.12", "cudart64_13.dll", "cudart64_12.dll")

PINNABLE = frozenset({"CUDAExecutionProvider", "TensorrtExecutionProvider"})


def pin(array: NDArray[np.generic], load: Callable[[str], Any] = ctypes.CDLL) -> bool:
    """Register the memory of `array` for as long as the process lives. False where that cannot be done."""
    for name in _LIBRARIES:
        try:
            register = load(name).cudaHostRegister
        except (OSError, AttributeError):
            continue
        register.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint]
        return int(register(array.ctypes.data, array.nbytes, 0)) == 0
    return False
