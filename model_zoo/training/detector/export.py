"""Writes the model as ONNX, with what CONTRACT.md says about names, shapes and metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from .network import Detector

OPSET = 17
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
    onnx.checker.check_model(written)
    onnx.save(written, part)
    part.rename(target)
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
