"""A network of a few operators with the contract of the detector's, so that tests know what it answers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from touchstone.examiners.detector.model import DetectorModel
from touchstone.inference.uses import ModelFile


def tiny_model(
    gain: float = 1.0, offset: float = 0.0, outputs: tuple[str, ...] = ("score", "logit", "embedding")
) -> bytes:
    """Score: `gain` times the mean absolute luma step to the right in the middle frame, plus `offset`.

    The embedding is that of each patch, and a zero.
    """

    def constant(name: str, values: Any, kind: type) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(values, kind), name)

    nodes = [
        helper.make_node("Slice", ["frames", "a0", "a1", "axes"], ["left"]),
        helper.make_node("Slice", ["frames", "b0", "b1", "axes"], ["right"]),
        helper.make_node("Sub", ["right", "left"], ["step"]),
        helper.make_node("Abs", ["step"], ["size"]),
        helper.make_node("ReduceMean", ["size"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "gain"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["logit"]),
        helper.make_node("ReduceMean", ["logit"], ["score"], axes=[0], keepdims=1),
        helper.make_node("Unsqueeze", ["mean", "one"], ["column"]),
        helper.make_node("Sub", ["column", "column"], ["nought"]),
        helper.make_node("Concat", ["column", "nought"], ["embedding"], axis=1),
    ]
    shapes = {"score": [1], "logit": ["N"], "embedding": ["N", 2]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["N", 3, 192, 128])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in outputs],
        [
            constant("a0", [1, 0, 0], np.int64), constant("a1", [2, 128, 127], np.int64),
            constant("b0", [1, 0, 1], np.int64), constant("b1", [2, 128, 128], np.int64),
            constant("axes", [1, 2, 3], np.int64), constant("one", [1], np.int64),
            constant("gain", gain, np.float32), constant("offset", offset, np.float32),
        ],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def settings(
    folder: Path, content: bytes | None = None, calibration: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Settings of the examiner with one model, written to `folder`."""
    content = tiny_model() if content is None else content
    path = folder / "detector.onnx"
    path.write_bytes(content)
    file = {"name": "tiny", "version": "1", "variant": "fp32", "sha256": hashlib.sha256(content).hexdigest()}
    text = None if calibration is None else json.dumps({**calibration, "model": file})
    return {"model": file, "path": str(path), "calibration": text}


def loaded(folder: Path, content: bytes | None = None) -> DetectorModel:
    made = settings(folder, content)
    return DetectorModel(ModelFile(**made["model"]), Path(made["path"]))


def calibration(**changes: Any) -> dict[str, Any]:
    """A score above 2 counts: none of 300 sources was flagged, and 18 of 20 generators."""
    return {
        "schema": "touchstone.calibration/1",
        "corpus": "made up",
        "made_at": "2026-11-22",
        "made_by": "a test",
        "gates": {"least_patches": 4, "least_detail": 0.5},
        "conditions": [
            {
                "name": "all",
                "sources": 300,
                "generators": 20,
                "steps": [{"above": 2.0, "false_sources": 0, "generators_hit": 18}],
            }
        ],
    } | changes
