"""A small residual network as ONNX, random weights from a seed: space to depth, two blocks, one score."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
CHANNELS = 16


def residual_net(seed: int = 3, *, gain: float = 1.0) -> onnx.ModelProto:
    """Takes `x`, `(B, 3, 32, 32)`; gives `score`, `(B, 1)`.

    Args:
        gain: of one channel of the last convolution; a large one makes the range of what follows too
            wide for eight bits.
    """
    rng = np.random.default_rng(seed)
    tensors: list[onnx.TensorProto] = []

    def weights(name: str, *shape: int) -> str:
        scale = (2 / np.prod(shape[1:])) ** 0.5
        values = (rng.standard_normal(shape) * scale).astype(np.float32)
        if name == "block1.1.w":
            values[0] *= gain
        tensors.append(numpy_helper.from_array(values, name))
        return name

    def bias(name: str, count: int) -> str:
        tensors.append(numpy_helper.from_array((rng.standard_normal(count) * 0.1).astype(np.float32), name))
        return name

    def conv(name: str, source: str, inputs: int, outputs: int) -> onnx.NodeProto:
        held = [source, weights(f"{name}.w", outputs, inputs, 3, 3), bias(f"{name}.b", outputs)]
        return helper.make_node("Conv", held, [name], name=name, kernel_shape=[3, 3], pads=[1] * 4)

    nodes = [
        helper.make_node("SpaceToDepth", ["x"], ["unshuffled"], name="unshuffle", blocksize=2),
        conv("stem", "unshuffled", 12, CHANNELS),
        helper.make_node("Relu", ["stem"], ["stem/relu"], name="stem/relu"),
    ]
    at = "stem/relu"
    for number in range(2):
        block = f"block{number}"
        nodes += [
            conv(f"{block}.0", at, CHANNELS, CHANNELS),
            helper.make_node("Relu", [f"{block}.0"], [f"{block}/relu"], name=f"{block}/relu"),
            conv(f"{block}.1", f"{block}/relu", CHANNELS, CHANNELS),
            helper.make_node("Add", [at, f"{block}.1"], [f"{block}/sum"], name=f"{block}/sum"),
        ]
        at = f"{block}/sum"
    nodes += [
        helper.make_node("GlobalAveragePool", [at], ["pooled"], name="pool"),
        helper.make_node("Flatten", ["pooled"], ["features"], name="flatten"),
        helper.make_node(
            "Gemm", ["features", weights("head.w", CHANNELS, 1), "head.b"], ["score"], name="head"
        ),
    ]
    bias("head.b", 1)
    graph = helper.make_graph(
        nodes,
        "residual",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 1])],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def pictures(count: int, seed: int) -> NDArray[np.float32]:
    """`(count, 3, 32, 32)`, -1 to 1: slopes under noise of differing strength."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(-1, 1, SIDE, dtype=np.float32)
    tilt = rng.uniform(-1, 1, (count, 3, 1, 1)).astype(np.float32)
    noise = rng.standard_normal((count, 3, SIDE, SIDE)).astype(np.float32)
    strength = rng.uniform(0.05, 1, (count, 1, 1, 1)).astype(np.float32)
    return np.clip(tilt * slope + strength * noise, -1, 1).astype(np.float32)


def pooling(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same with a second output `clip`, `(1,)`: the mean of the scores of the pictures given at once."""
    shape = numpy_helper.from_array(np.array([1], np.int64), "one")
    model.graph.initializer.append(shape)
    model.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["score"], ["mean"], name="pooling", axes=[0], keepdims=0),
            helper.make_node("Reshape", ["mean", "one"], ["clip"], name="clip"),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("clip", TensorProto.FLOAT, [1]))
    return model
