"""Writes the embedder as ONNX, for pipelines that are no Python: the same as touchstone.watermark.embedding.

`luma` and `pattern`, `(1, 1, H, W) float32`, sides multiples of 8, give `marked`, of that shape, in whole
steps from 0 to 255. The pattern is what `touchstone.watermark.carrier.render` makes, divided by its SCALE; it
stays the same for all frames. Touchstone itself marks by whole-number arithmetic, which is the same on every
machine; sums in float32 may differ from it by a step here and there.

usage: embedder.py --out FILE.onnx
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "daemon"))

from touchstone.watermark.embedding import (
    BLOCK,
    FLAT,
    LARGEST,
    LUMA_TO_RGB,
    MIN_PSNR_DB,
    SLOPE,
)

OPSET = 17
FRACTION = 16.0  # embedding._FIXED


def embedder() -> onnx.ModelProto:
    """The graph."""
    # Rounding to whole steps adds 1/12 to the mean squared change, whatever the mark is.
    allowed = 255**2 / 10 ** (MIN_PSNR_DB / 10) / LUMA_TO_RGB**2 - 1 / 12
    constants = {
        "zero": 0.0,
        "one": 1.0,
        "half": 0.5,
        "slope": SLOPE,
        "flat": FLAT,
        "largest": LARGEST,
        "allowed": allowed,
        "fraction": FRACTION,
        "white": 255.0,
    }
    node = helper.make_node
    nodes = [
        node("AveragePool", ["luma"], ["mean"], kernel_shape=[BLOCK, BLOCK], strides=[BLOCK, BLOCK]),
        node("Mul", ["luma", "luma"], ["squared"]),
        node("AveragePool", ["squared"], ["power"], kernel_shape=[BLOCK, BLOCK], strides=[BLOCK, BLOCK]),
        node("Mul", ["mean", "mean"], ["mean_squared"]),
        node("Sub", ["power", "mean_squared"], ["variance_raw"]),
        node("Max", ["variance_raw", "zero"], ["variance"]),
        node("Sqrt", ["variance"], ["texture"]),
        node("Neg", ["texture"], ["smoothness"]),
        node("MaxPool", ["smoothness"], ["smoothest"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        node("Neg", ["smoothest"], ["least"]),
        node("Mul", ["least", "slope"], ["more"]),
        node("Add", ["more", "flat"], ["wanted"]),
        node("Clip", ["wanted", "flat", "largest"], ["amplitude"]),
        node("Mul", ["amplitude", "amplitude"], ["amplitude_squared"]),
        node("ReduceMean", ["amplitude_squared"], ["amplitude_power"], keepdims=1),
        node("Mul", ["pattern", "pattern"], ["pattern_squared"]),
        node("ReduceMean", ["pattern_squared"], ["pattern_power"], keepdims=1),
        node("Mul", ["amplitude_power", "pattern_power"], ["change_power"]),
        node("Div", ["allowed", "change_power"], ["room"]),
        node("Sqrt", ["room"], ["share_raw"]),
        node("Min", ["share_raw", "one"], ["share"]),
        node("Mul", ["amplitude", "share"], ["bounded"]),
        node("Mul", ["bounded", "fraction"], ["sixteenths_raw"]),
        node("Round", ["sixteenths_raw"], ["sixteenths"]),
        node("Div", ["sixteenths", "fraction"], ["rounded"]),
        node(
            "Resize",
            ["rounded", "", "scales"],
            ["spread"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        node("Mul", ["pattern", "spread"], ["change_raw"]),
        node("Add", ["change_raw", "half"], ["change_up"]),
        node("Floor", ["change_up"], ["change"]),
        node("Add", ["luma", "change"], ["marked_raw"]),
        node("Clip", ["marked_raw", "zero", "white"], ["marked"]),
    ]
    shape = [1, 1, "height", "width"]
    values = [numpy_helper.from_array(np.float32(v), name) for name, v in constants.items()]
    scales = numpy_helper.from_array(np.array([1, 1, BLOCK, BLOCK], np.float32), "scales")
    graph = helper.make_graph(
        nodes,
        "touchstone-watermark-embedder",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("luma", "pattern")],
        [helper.make_tensor_value_info("marked", TensorProto.FLOAT, shape)],
        [*values, scales],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--out", type=Path, required=True)
    onnx.save(embedder(), str(ask.parse_args().out))


if __name__ == "__main__":
    main()
