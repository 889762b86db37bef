"""Tiny watermark decoders as ONNX files, made here: sound ones, and ones that must not be let in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE = 16
BITS = 8


def patterns(seed: int = 5) -> NDArray[np.float32]:
    """What each bit looks like: `(BITS, 3, SIDE, SIDE)`, plus and minus one, told apart by correlation.

    They repeat after half of that, so that a piece may begin at any multiple of eight pixels.
    """
    signs = np.random.default_rng(seed).integers(0, 2, (BITS, 3, SIDE // 2, SIDE // 2)) * 2 - 1
    return np.tile(signs, (1, 1, 2, 2)).astype(np.float32)


def mark(picture: NDArray[np.uint8], bits: NDArray[np.bool_], strength: float = 6.0) -> NDArray[np.uint8]:
    """Put a message into a picture of any size: its patterns, repeated over all of it."""
    signed = np.where(bits[:, None, None, None], patterns(), -patterns()).sum(axis=0) * strength / BITS**0.5
    height, width = picture.shape[:2]
    tiled = np.tile(signed.transpose(1, 2, 0), (-(-height // SIDE), -(-width // SIDE), 1))[:height, :width]
    return np.clip(np.rint(picture + tiled), 0, 255).astype(np.uint8)


def model_bytes(nodes: Sequence[onnx.NodeProto], **changes: object) -> bytes:
    """A model around some operators, from `picture` to `bits`."""
    shape = changes.get("shape", ["batch", 3, SIDE, SIDE])
    kind = changes.get("kind", TensorProto.FLOAT)
    tensors = changes.get("tensors", [])
    graph = helper.make_graph(
        list(nodes),
        "decoder",
        [helper.make_tensor_value_info("picture", kind, shape)],
        [helper.make_tensor_value_info(str(changes.get("output", "bits")), TensorProto.FLOAT, None)],
        tensors,
    )
    opset = int(str(changes.get("opset", 13)))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return bytes(model.SerializeToString())


def decoder(**changes: object) -> bytes:
    """A sound decoder: the correlation of the picture with each bit's pattern."""
    weights = numpy_helper.from_array((patterns() / 100).reshape(BITS, -1).T.copy(), "weights")
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], axes=[2, 3], keepdims=1),
        helper.make_node("Sub", ["picture", "mean"], ["centred"]),
        helper.make_node("Flatten", ["centred"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["bits"]),
    ]
    return model_bytes(nodes, tensors=[weights], **changes)


def with_external_data() -> bytes:
    """Weights that lie in a file somewhere else."""
    model = onnx.load_from_string(decoder())
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../../etc/passwd"), ("offset", "0"), ("length", "24576")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return bytes(model.SerializeToString())


def with_a_false_claim() -> bytes:
    """Weights that claim three gigabytes and hold none."""
    model = onnx.load_from_string(decoder())
    (tensor,) = model.graph.initializer
    tensor.ClearField("raw_data")
    del tensor.dims[:]
    tensor.dims.extend([3 << 28, 1])
    return bytes(model.SerializeToString())


def with_operator(name: str, domain: str = "") -> bytes:
    """One operator of that name."""
    return model_bytes([helper.make_node(name, ["picture"], ["bits"], domain=domain)])


def with_a_loop() -> bytes:
    """Control flow: a graph inside an operator."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["picture"], ["inner"])],
        "body",
        [],
        [helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)],
    )
    yes = numpy_helper.from_array(np.array(True), "yes")
    node = helper.make_node("If", ["yes"], ["bits"], then_branch=body, else_branch=body)
    return model_bytes([node], tensors=[yes])


def with_huge_output() -> bytes:
    """A small file whose run asks for a terabyte."""
    shape = numpy_helper.from_array(np.array([1, 1 << 38], np.int64), "shape")
    zero = helper.make_node("ConstantOfShape", ["shape"], ["huge"])
    mean = helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0)
    return model_bytes([zero, mean, helper.make_node("Add", ["huge", "mean"], ["bits"])], tensors=[shape])


def with_numbers_that_are_none() -> bytes:
    """Gives NaN for a grey picture: the logarithm of less than nothing."""
    nodes = [
        helper.make_node("Neg", ["picture"], ["negative"]),
        helper.make_node("Log", ["negative"], ["nan"]),
        helper.make_node("Flatten", ["nan"], ["bits"], axis=1),
    ]
    return model_bytes(nodes)
