"""A processor of x86-64 without VNNI, made up: it adds two 8-bit products into 16 bits, which saturate.

That is what the instruction `vpmaddubsw` does (Intel's manual, volume 2, VPMADDUBSW), which onnxruntime's
kernels for 8-bit convolutions use there (its MLAS, `qgemm_kernel_avx2.cpp`). Convolutions between a
DequantizeLinear on each side are computed so; everything else by the real runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[Any]


def convolve(pixels: Array, weights: Array, zero: int) -> Array:
    """Sums of products of `(C, H, W) uint8`, already padded, with `(O, C, h, w) int8`: `(O, H', W')`."""
    channels, height, width = weights.shape[1:]
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (height, width), axis=(1, 2))
    rows, columns = windows.shape[1:3]
    # Channels lie beside each other in memory, so that they are what is added in twos.
    terms = windows.transpose(1, 2, 3, 4, 0).reshape(rows * columns, height * width * channels)
    factors = weights.transpose(0, 2, 3, 1).reshape(len(weights), -1).astype(np.int32)
    terms = np.pad(terms.astype(np.int32), ((0, 0), (0, terms.shape[1] % 2)))
    factors = np.pad(factors, ((0, 0), (0, factors.shape[1] % 2)))
    sums = np.zeros((len(terms), len(factors)), np.int64)
    for at in range(0, terms.shape[1], 2):
        both = terms[:, at, None] * factors[:, at] + terms[:, at + 1, None] * factors[:, at + 1]
        sums += np.clip(both, -(1 << 15), (1 << 15) - 1)
    sums -= zero * factors.sum(axis=1)
    return sums.T.reshape(len(weights), rows, columns)


class Running:
    """See providers.Running. One input and one output, one row at a time."""

    provider = "CPUExecutionProvider"
    placed: Mapping[str, int] | None = None

    def __init__(self, content: bytes, ran: Callable[[bytes], None]) -> None:
        self._content, self._ran = content, ran
        self._model = onnx.load_from_string(content)
        self._made = {name: node for node in self._model.graph.node for name in node.output}

    def __call__(self, values: Array) -> NDArray[np.float32]:
        self._ran(self._content)
        graph = self._model.graph
        known: dict[str, Array] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        known[graph.input[0].name] = values
        for node in graph.node:
            known.update(zip(node.output, self._run(node, known), strict=True))
        answer: NDArray[np.float32] = known[graph.output[0].name]
        return answer

    def _run(self, node: onnx.NodeProto, known: Mapping[str, Array]) -> Sequence[Array]:
        sides = [self._made.get(name) for name in node.input[:2]]
        if node.op_type == "Conv" and all(side and side.op_type == "DequantizeLinear" for side in sides):
            return [self._convolution(node, known)]
        inputs = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(known[name].dtype), known[name].shape
            )
            for name in dict.fromkeys(node.input)
            if name
        ]
        graph = helper.make_graph([node], "one", inputs, [onnx.ValueInfoProto(name=n) for n in node.output])
        model = helper.make_model(graph, opset_imports=self._model.opset_import, ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=[self.provider])
        answers: Sequence[Array] = session.run(None, {value.name: known[value.name] for value in inputs})
        return answers

    def _convolution(self, node: onnx.NodeProto, known: Mapping[str, Array]) -> Array:
        (pixels, step, zero), (weights, steps, _) = (
            [known[name] for name in self._made[side].input] for side in node.input[:2]
        )
        assert (pixels.dtype, weights.dtype) == (np.uint8, np.int8)
        said = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        top, left, bottom, right = said.get("pads", [0, 0, 0, 0])
        padded = np.pad(pixels[0], ((0, 0), (top, bottom), (left, right)), constant_values=int(zero))
        answer = convolve(padded, weights, int(zero)) * (float(step) * steps.reshape(-1, 1, 1))
        if len(node.input) > 2:
            answer = answer + known[node.input[2]].reshape(-1, 1, 1)
        return answer.astype(np.float32)[None]


@dataclass
class WithoutVnni:
    """See providers.Runtime.

    Attributes:
        ms: what a run takes on the made-up clock, by the bytes of the model.
    """

    ms: Mapping[bytes, float]
    version: str = "1.0"
    now_s: float = 0.0

    def available(self) -> list[str]:
        return [Running.provider]

    def clock(self) -> float:
        return self.now_s

    def open(self, content: bytes, provider: str, threads: int) -> Running:
        return Running(content, self._pass)

    def complaints(self) -> str:
        return ""

    def _pass(self, content: bytes) -> None:
        self.now_s += self.ms[content] / 1000
