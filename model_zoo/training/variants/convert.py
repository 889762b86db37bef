"""Makes one variant of an ONNX file: static int8 in QDQ form, or half precision.

What decides the forms (onnxruntime's documentation, "Quantize ONNX models"):
- x86 processors multiply unsigned by signed bytes: U8S8. Weights have a scale for each channel.
- Without VNNI two such products are added in 16 bits, which overflow: weights of 7 bits do not.
- TensorRT takes signed bytes on both sides, symmetric around zero.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from .recipe import Array, Recipe, matching

_METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}


class _Inputs(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands recorded inputs over, a run at a time, once each."""

    def __init__(self, name: str, batches: Sequence[Array]) -> None:
        self._name = name
        self._left = iter(batches)

    def get_next(self) -> dict[str, Array] | None:
        batch = next(self._left, None)
        return None if batch is None else {self._name: batch}


def named(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which every operator has a name, so that recipes can keep it: its own or its output's."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        node.name = node.name or node.output[0]
    return copy


def to_int8(
    model: onnx.ModelProto, recipe: Recipe, kind: str, batches: Sequence[Array], keep: Sequence[str]
) -> onnx.ModelProto:
    """The int8 variant of `model` that `kind` asks for.

    Args:
        model: fp32, with a name for each operator (`named`).
        kind: `int8`, `int8-reduced` or `int8-signed`.
        batches: inputs to measure activations on, run by run.
        keep: names of the operators that stay fp32.
    """
    signed = kind == "int8-signed"
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, target = (Path(folder) / f"{name}.onnx" for name in ("plain", "prepared", "int8"))
        onnx.save(model, plain)
        # Folds batch normalisation into convolutions first: else its scales are quantised on their own.
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        left = {node.name for node in onnx.load(prepared).graph.node}
        extra = {"CalibPercentile": recipe.percentile} if recipe.method == "percentile" else {}
        quantize_static(
            str(prepared),
            str(target),
            _Inputs(model.graph.input[0].name, batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(recipe.operators),
            per_channel=True,
            reduce_range=kind == "int8-reduced",
            activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[name for name in keep if name in left],
            calibrate_method=_METHODS[recipe.method],
            extra_options={
                **extra,
                "ActivationSymmetric": signed,
                "WeightSymmetric": True,
                **recipe.extra,
            },
        )
        return onnx.load(target)


def to_fp16(model: onnx.ModelProto, keep: Sequence[str]) -> onnx.ModelProto:
    """The half-precision variant of `model`: takes and gives float32, as the reference does.

    Args:
        keep: names of the operators that stay fp32.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    half: onnx.ModelProto = convert_float_to_float16(copy, keep_io_types=True, node_block_list=list(keep))
    OnnxModel.graph_topological_sort(half.graph)  # casts were put at the end
    return half


def convert(
    model: onnx.ModelProto, recipe: Recipe, kind: str, batches: Sequence[Array], keep: tuple[str, ...]
) -> onnx.ModelProto:
    """The variant of `model` that `kind` asks for.

    Args:
        keep: patterns of names of operators that stay fp32.

    Raises:
        BadRecipe: a pattern matches no operator.
    """
    model = named(model)
    kept = matching(model, keep)
    made = to_fp16(model, kept) if kind == "fp16" else to_int8(model, recipe, kind, batches, kept)
    onnx.checker.check_model(made)
    return made


def quantised(model: onnx.ModelProto) -> tuple[int, int]:
    """How many of the operators that carry weights are int8 or half, and how many there are."""
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    feeds = {output: node for node in model.graph.node for output in node.output}
    small, all_ = 0, 0
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm", "MatMul", "ConvTranspose") or len(node.input) < 2:
            continue
        source = node.input[1]
        feeding = feeds.get(source)
        while source not in held and feeding is not None and feeding.input:
            source = feeding.input[0]
            feeding = feeds.get(source)
        if source in held:
            all_ += 1
            small += np.dtype(onnx.helper.tensor_dtype_to_np_dtype(held[source].data_type)).itemsize < 4
    return small, all_
