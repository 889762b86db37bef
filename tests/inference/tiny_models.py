"""ONNX models of a few operators, and their entries, for tests of what runs them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from touchstone.inference import ServedModel

WIDTH = 4


def doubling(*, kind: int = TensorProto.FLOAT, batch: int | str = "n", sums: bool = False) -> bytes:
    """`(n, 4)` in; twice that out, or with `sums` twice the sum of each row.

    Args:
        kind: number type of the input, which is cast inside the graph.
        batch: length of the first axis; a name for any.
    """
    two = numpy_helper.from_array(np.full((1,), 2, np.float32), "two")
    nodes = [
        helper.make_node("Cast", ["x"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["numbers", "two"], ["doubled"]),
    ]
    if sums:
        nodes.append(helper.make_node("ReduceSum", ["doubled", "axes"], ["y"], keepdims=1))
    else:
        nodes.append(helper.make_node("Identity", ["doubled"], ["y"]))
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    graph = helper.make_graph(
        nodes,
        "doubling",
        [helper.make_tensor_value_info("x", kind, [batch, WIDTH])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 1 if sums else WIDTH])],
        [two, axes],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def large_products() -> bytes:
    """`(1, 4, H, W)` of whole numbers in, 127 times the sum of the four out, eight times: all in 8 bits.

    The answer is rounded to thousands.
    """
    arrays = {
        "one": np.array(1, np.float32),
        "thousand": np.array(1000, np.float32),
        "zero": np.array(0, np.uint8),
        "signed_zero": np.array(0, np.int8),
        "weights": np.full((8, 4, 1, 1), 127, np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["small"]),
        helper.make_node("DequantizeLinear", ["small", "one", "zero"], ["pixels"]),
        helper.make_node("DequantizeLinear", ["weights", "one", "signed_zero"], ["factors"]),
        helper.make_node("Conv", ["pixels", "factors"], ["sums"]),
        helper.make_node("QuantizeLinear", ["sums", "thousand", "zero"], ["thousands"]),
        helper.make_node("DequantizeLinear", ["thousands", "thousand", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "large_products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, "h", "w"])],
        [numpy_helper.from_array(values, name) for name, values in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def served(folder: Path, content: bytes | None = None, name: str = "tiny", **changes: object) -> ServedModel:
    """An entry for a model whose file is written to `folder`."""
    content = doubling() if content is None else content
    path = folder / f"{name}.onnx"
    path.write_bytes(content)
    values = {
        "name": name,
        "version": "1",
        "variant": "fp32",
        "sha256": hashlib.sha256(content).hexdigest(),
        "path": str(path),
    }
    return ServedModel.from_json({**values, **changes})


def is_model(content: bytes) -> bool:
    """Whether the onnx package takes it for one."""
    onnx.checker.check_model(onnx.load_from_string(content))
    return True
