"""Arithmetic of networks: what a run costs, against its multiplications at the measured peak."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from bench_media import CLIPS
from touchstone.zoo.bundled import bundled
from touchstone.zoo.entry import Task
from vit import DINOV2_B14, XCLIP_B16, Shape, vit

from .cost import Cost, cost, peak_mb, table
from .machine import Peaks

FRAMES = 8
"""What X-CLIP-B/16 is published for; one for each run that a scan samples."""

OCR = (("PP-OCRv6_det_small.onnx", (1, 3, 320, 640)), ("PP-OCRv6_rec_small.onnx", (1, 3, 48, 320)))
"""Networks that read text, and what they are shown: a place where marks live, and a line of text."""

FREE = {"patches": 12, "height": 360, "width": 640}
"""Lengths of axes that a network leaves open: patches of a clip, and a small frame."""

PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
"""Operators that do nearly all of the arithmetic; the rest moves memory."""

QUICK = Shape(side=32, patch=8, width=32, depth=2, heads=4, outputs=2)


@dataclass(frozen=True)
class Network:
    """A network and what it is run on."""

    name: str
    content: bytes
    shape: tuple[int, ...]
    small: bool = False  # int8

    def work(self) -> float:
        """Billions of operations of one run: two for each multiply-add."""
        return multiply_adds(self.content, self.shape) * 2 / 1e9

    def run(self, repeat: int) -> Cost:
        """Warm, one thread; measured once for each shape, however often it is asked for."""
        key = (self.name, self.shape)
        if key not in _RAN:
            _RAN[key] = self._run(repeat)
        return _RAN[key]

    def _run(self, repeat: int) -> Cost:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
        values = np.random.default_rng(0).random(self.shape, np.float32)
        feed = {session.get_inputs()[0].name: values}
        session.run(None, feed)
        return cost(partial(session.run, None, feed), repeat)


_RAN: dict[tuple[str, tuple[int, ...]], Cost] = {}


def multiply_adds(content: bytes, shape: Sequence[int]) -> int:
    """Multiply-adds of convolutions and matrix products of one run."""
    model = onnx.load_from_string(content)
    held = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    products = [node for node in model.graph.node if node.op_type in PRODUCTS]
    shapes = held | _inferred(model, shape)
    missing = {name for node in products for name in (*node.input[:2], *node.output)} - set(shapes)
    if missing:  # shapes that are worked out while it runs
        shapes |= _seen(model, shape, sorted(missing))
    total = 0
    for node in products:
        one, two, out = shapes[node.input[0]], shapes[node.input[1]], shapes[node.output[0]]
        if node.op_type == "Conv":
            total += math.prod(out) * math.prod(two[1:])
        elif node.op_type == "ConvTranspose":
            total += math.prod(one) * math.prod(two[1:])
        else:
            turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
            total += math.prod(out) * one[-2 if turned else -1]
    return total


def _taken(model: onnx.ModelProto) -> onnx.ValueInfoProto:
    held = {tensor.name for tensor in model.graph.initializer}
    (taken,) = (value for value in model.graph.input if value.name not in held)
    found: onnx.ValueInfoProto = taken
    return found


def _inferred(model: onnx.ModelProto, shape: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Shapes that can be told from the graph for an input of `shape`."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for axis, length in zip(_taken(copy).type.tensor_type.shape.dim, shape, strict=True):
        axis.dim_value = length
    for value in copy.graph.output:
        value.type.tensor_type.ClearField("shape")
    del copy.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(copy, data_prop=True).graph
    return {
        value.name: tuple(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        for value in (*inferred.value_info, *inferred.input, *inferred.output)
        if value.type.tensor_type.HasField("shape")
        and all(axis.HasField("dim_value") for axis in value.type.tensor_type.shape.dim)
    }


def _seen(model: onnx.ModelProto, shape: Sequence[int], names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Shapes of some values in a run on zeros."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    had = {value.name for value in copy.graph.output}
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in had)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        copy.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    values = session.run(list(names), {_taken(copy).name: np.zeros(shape, np.float32)})
    return {name: value.shape for name, value in zip(names, values, strict=True)}


def arithmetic(repeat: int, quick: bool, peaks: Peaks) -> str:
    """Each network that scans run, and the published ones: time against multiplications at the peak."""
    rows: list[list[object]] = []
    for network in [*_ours(), *_published(quick)]:
        peak = peaks.int8_gops if network.small else peaks.gflops
        work = network.work()
        spent = network.run(repeat)
        floor = work / peak
        size = len(network.content) / 1e6
        least = size / 1000 / peaks.copy_gb
        times = [spent.cpu_s * 1000, floor * 1000, spent.cpu_s / floor, least * 1000]
        rows.append([network.name, _shape(network.shape), work, *times])
    heads = ["network", "input", "billion operations", "CPU ms", "floor, ms: operations at the peak", "ratio"]
    return table([*heads, "reading its weights, ms"], rows)


def batches(repeat: int, quick: bool, peaks: Peaks) -> str:
    """The first variant of each network of ours as batches grow."""
    rows: list[list[object]] = []
    # A scan shows OCR's networks one place at a time.
    ours = [network for network in _ours() if not network.name.startswith("OCR")]
    of_each = {network.name.split(",")[0]: network for network in reversed(ours)}
    for network in reversed(of_each.values()):
        for size in (1, 2) if quick else (1, 4, 8, 16, 32):
            one = replace(network, shape=(size, *network.shape[1:]))
            try:
                spent, floor = one.run(repeat), one.work() / (peaks.int8_gops if one.small else peaks.gflops)
            except onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument:
                break  # takes no batches of this size
            each = [spent.cpu_s * 1000 / size, floor * 1000 / size, spent.cpu_s / floor]
            rows.append([network.name, size, *each])
    return table(["network", "batch", "CPU ms for each", "floor, ms", "ratio"], rows)


def ours_for(name: str) -> Network | None:
    """The network of a bundled model that the processor runs."""
    return next((network for network in _ours() if network.name.startswith(f"{name},")), None)


def published() -> list[Network]:
    """Detectors whose weights are not to be had or not to be handed on: random ones, for time alone."""
    return [
        Network("D3's X-CLIP-B/16, 8 frames", _cached("xclip", XCLIP_B16), (FRAMES, 3, 224, 224)),
        Network("WaveRep's DINOv2-B/14, 1 frame", _cached("dinov2", DINOV2_B14), (1, 3, 504, 504)),
    ]


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _ours() -> list[Network]:
    """Networks that scans may run on a processor: those that come with the program, and OCR's."""
    found = []
    for file in (file for task in Task for file in bundled(task)):
        if file.path.is_file() and file.variant.name != "fp16":  # that is for graphics cards
            name = f"{file.model.name}, {file.variant.name}"
            small = "int8" in file.variant.name
            found.append(Network(name, file.path.read_bytes(), _input(file.path), small))
    folder = Path(str(files("rapidocr"))) / "models"
    for file_name, shape in OCR:
        if (folder / file_name).is_file():
            name = f"OCR, {file_name.split('_')[1]}"
            found.append(Network(name, (folder / file_name).read_bytes(), shape))
    return found


def _input(path: Path) -> tuple[int, ...]:
    """What a scan gives it, where it takes any number."""
    axes = _taken(onnx.load(path)).type.tensor_type.shape.dim
    return tuple(axis.dim_value or FREE.get(axis.dim_param, FREE["patches"]) for axis in axes)


def _published(quick: bool) -> list[Network]:
    if quick:
        return [Network("a small transformer", vit(QUICK).SerializeToString(), (2, 3, 32, 32))]
    return published()


def _cached(name: str, shape: Shape) -> bytes:
    path = CLIPS / f"{name}.onnx"
    if not path.exists():
        CLIPS.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(vit(shape).SerializeToString())
        part.rename(path)
    return path.read_bytes()


def memory(quick: bool) -> str:
    """The most memory that a process holds that loads a network and runs it once."""
    rows: list[list[object]] = []
    for network in [*_ours(), *_published(quick)]:
        code = (
            "import sys, numpy, onnxruntime as o\n"
            "c = sys.stdin.buffer.read(); p = o.SessionOptions(); p.intra_op_num_threads = 1\n"
            "s = o.InferenceSession(c, p, providers=['CPUExecutionProvider'])\n"
            f"s.run(None, {{s.get_inputs()[0].name: numpy.zeros({network.shape}, 'f4')}})\n"
            "print(flush=True)\n"
        )
        rows.append([network.name, len(network.content) / 1e6, _peak(code, network.content)])
    rows.append(["the runtime alone", None, _peak("import numpy, onnxruntime\nprint(flush=True)\n", b"")])
    return table(["network", "file, MB", "peak of a process, MB"], rows)


def _peak(code: str, content: bytes) -> float | None:
    """Runs `code`, which ends by printing a line, and asks how much memory it held."""
    wait = "import time\ntime.sleep(60)\n"
    with subprocess.Popen(
        [sys.executable, "-c", code + wait], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(content)
        process.stdin.close()
        process.stdout.readline()
        held = peak_mb(process.pid)
        process.kill()
    return held
