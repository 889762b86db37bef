"""Writes the model as ONNX, with what CONTRACT.md says about names, shapes and metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import onnxruntime
import torch

from .network import Detector

OPSET = 17
LONG = 256
"""Numbers from which on a tensor is worth shortening."""
OUTPUTS = ("score", "logit", "embedding")


def export(model: Detector, target: Path, version: str, trained_with: int) -> float:
    """Write `model` to `target`; give the largest difference between both on random patches.

    Args:
        version: of the model, for its metadata.
        trained_with: patches of a clip.
    """
    model = model.eval()
    example = torch.rand(5, 3, 192, 128, generator=torch.Generator().manual_seed(0)) * 255
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part.onnx")
    torch.onnx.export(
        model,
        (example,),
        str(part),
        input_names=["frames"],
        output_names=list(OUTPUTS),
        dynamic_axes={"frames": {0: "patches"}, "logit": {0: "patches"}, "embedding": {0: "patches"}},
        opset_version=OPSET,
        dynamo=False,
    )
    written = onnx.load(part)
    for key, value in {
        "touchstone.task": "detector",
        "touchstone.version": version,
        "touchstone.variant": "fp32",
        "touchstone.patches": str(trained_with),
    }.items():
        entry = written.metadata_props.add()
        entry.key, entry.value = key, value
    shortened(written)
    onnx.checker.check_model(written)
    onnx.save(written, part)
    part.rename(target)
    return difference(model, target)


def shortened(model: onnx.ModelProto) -> None:
    """Keep numbers in 16 bits where they lose nothing by it; runtimes widen them once, on loading."""
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LONG:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}.half"))
        widen = onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT)
        model.graph.node.insert(0, widen)


def refilled(model: Detector, template: Path, target: Path) -> float:
    """Write another model in the place of `template`'s numbers: tracing the graph anew takes minutes.

    Args:
        template: what `export` wrote.

    Raises:
        ValueError: the graph does not hold the numbers under the names that the model has for them.
    """
    written = onnx.load(template)
    fitted = {name: value for name, value in model.state_dict().items() if "front." not in name}
    for tensor in written.graph.initializer:
        if (value := fitted.pop(tensor.name, None)) is not None:
            tensor.CopyFrom(onnx.numpy_helper.from_array(value.numpy(), tensor.name))
    if fitted:
        raise ValueError(f"{template} has no {', '.join(sorted(fitted))}; export it again")
    target.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(written, target)
    return difference(model, target)


def difference(model: Detector, target: Path) -> float:
    """The largest difference between a model and its file on random patches, one clip of 1, 5 and 12 each."""
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    worst = 0.0
    for count in (1, 5, 12):
        frames = torch.rand(count, 3, 192, 128, generator=torch.Generator().manual_seed(count)) * 255
        with torch.inference_mode():
            expected = model(frames)
        given = session.run(list(OUTPUTS), {"frames": frames.numpy()})
        worst = max(
            worst, *(float(np.abs(g - e.numpy()).max()) for g, e in zip(given, expected, strict=True))
        )
    return worst
