"""Writes the trained networks as ONNX files for the daemon, and says how near they are to what was trained.

usage: python -m generator.export --work DIR --out DIR [--only autoencoder denoiser upsampler]

Encoder and decoders take groups of four frames, each by itself, so that a clip of any length runs in the same
memory. Weights are kept in half precision and widened when a file is loaded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from touchstone.generator.making.staging import PLANES

from .autoencoder import GROUP, LATENT, SCALE, WAYS, Decoder
from .make_latents import fingerprint
from .train_decoders import encoder_of
from .transformer import PATCH, WORDS, Denoiser, Size, places
from .upsampler import Upsampler

OPSET = 18
SMALLEST = 4096
"""Weights with fewer numbers than this stay in single precision."""
TOKEN = LATENT * PATCH * PATCH


class Denoising(nn.Module):
    """The denoiser over patches: the file knows nothing of rows and columns but where each patch is."""

    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(
        self,
        tokens: Tensor,
        levels: Tensor,
        times: Tensor,
        rows: Tensor,
        columns: Tensor,
        words: Tensor,
        plan: Tensor,
    ) -> Tensor:
        """See Denoiser.tokens."""
        return self.denoiser.tokens(tokens, levels, times, rows, columns, words, plan)


Free = Mapping[str, Mapping[int, Any]]
"""Of inputs, the axes that may have any length."""


def export(
    network: nn.Module, path: Path, inputs: Mapping[str, Tensor], outputs: Sequence[str], free: Free
) -> None:
    """Write `network` to `path`."""
    network.eval()
    program = torch.onnx.export(
        network,
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_shapes=tuple(free[name] for name in inputs),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # noqa: S101 - only None where no program is made
    program.save(str(path))


def halve(path: Path) -> None:
    """Keep large weights in half precision, widened by a Cast that is folded when the file is loaded."""
    model = onnx.load(str(path))
    graph, casts = model.graph, []
    for number, weight in enumerate(list(graph.initializer)):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALLEST:
            continue
        name = weight.name
        kept = numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
        graph.initializer.remove(weight)
        graph.initializer.append(kept)
        casts.append(helper.make_node("Cast", [kept.name], [name], f"widen.{number}", to=TensorProto.FLOAT))
    for place, node in enumerate(casts):
        graph.node.insert(place, node)
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
    del graph.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def nearness(path: Path, network: nn.Module, inputs: Mapping[str, Tensor]) -> float:
    """Largest difference of the file's first output from the network's, of the network's largest."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        wanted = network(*inputs.values())
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    (got, *_) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return float(np.abs(got - wanted.numpy()).max() / wanted.abs().max())


def grid(batch: int, frames: int, rows: int, columns: int) -> dict[str, Tensor]:
    """Inputs of the denoiser of a size."""
    row, column = places(rows, columns)
    return {
        "tokens": torch.randn(batch, frames, rows * columns, TOKEN),
        "levels": torch.rand(batch, frames),
        "times": torch.arange(frames).float().repeat(batch, 1) * 0.25,
        "rows": row,
        "columns": column,
        "words": torch.randint(0, 60, (batch, WORDS)),
        "plan": torch.randn(batch, frames, rows * columns, PLANES),
    }


def write(
    folder: Path,
    name: str,
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    free: Free,
) -> None:
    """Write one file, print what it is, and enter it in the zoo.toml beside it if there is one."""
    path = folder / f"generator-{name}.onnx"
    export(network, path, inputs, outputs, free)
    halve(path)
    content = path.read_bytes()
    told = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    print(path.name, json.dumps({**told, "difference": nearness(path, network, inputs)}), flush=True)
    zoo = folder / "zoo.toml"
    if zoo.exists():
        pattern = rf'(file = "{re.escape(path.name)}"\nsha256 = )"[0-9a-f]*"\nsize = \d+'
        text, found = re.subn(
            pattern, rf'\g<1>"{told["sha256"]}"\nsize = {told["size"]}', zoo.read_text("utf-8")
        )
        zoo.write_text(text, "utf-8")
        if not found:
            print(f"{zoo} has no entry for {path.name}")


def autoencoder(work: Path, folder: Path) -> None:
    """Encoder, and every decoder that was trained."""
    count = torch.export.Dim("count", min=1, max=512)
    high, wide = torch.export.Dim("high", min=2, max=512), torch.export.Dim("wide", min=2, max=512)
    inputs = {"frames": torch.rand(2, 3 * GROUP, 12 * SCALE, 16 * SCALE) * 2 - 1}
    free = {"frames": {0: count, 2: SCALE * high, 3: SCALE * wide}}
    write(folder, "encoder", encoder_of(work), inputs, ("latents",), free)
    for way in WAYS:
        path = work / f"decoder-{way}.pt"
        if not path.exists():
            print(f"{path.name} is not there")
            continue
        decoder = Decoder(way)
        decoder.load_state_dict(torch.load(path, weights_only=True)["decoder"])
        inputs = {"latents": torch.randn(2, LATENT, 12, 16)}
        name = "decoder" if way == "shuffle" else f"decoder-{way}"
        write(folder, name, decoder, inputs, ("frames",), {"latents": {0: count, 2: high, 3: wide}})


def denoiser(work: Path, folder: Path) -> None:
    """The denoiser by its averaged weights, and what latents are brought to unit spread by."""
    state = torch.load(work / "transformer.pt", weights_only=True)
    network = Denoiser(Size(state["width"], state["blocks"]))
    network.load_state_dict(state["average"])
    batch, frames = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("frames", min=2, max=64)
    spots = torch.export.Dim("spots", min=2, max=4096)
    free: Free = {
        "tokens": {0: batch, 1: frames, 2: spots},
        "levels": {0: batch, 1: frames},
        "times": {0: batch, 1: frames},
        "rows": {0: spots},
        "columns": {0: spots},
        "words": {0: batch},
        "plan": {0: batch, 1: frames, 2: spots},
    }
    write(folder, "denoiser", Denoising(network), grid(2, 6, 8, 10), ("velocity",), free)
    with np.load(work / f"latents-{fingerprint(work)}" / "spread.npz") as kept:
        spread = {n: [round(float(v), 6) for v in kept[n]] for n in ("mean", "deviation")}
    spread["steps"] = state["step"]
    (folder / "generator-latents.json").write_text(json.dumps(spread, indent=1) + "\n", encoding="utf-8")


def upsampler(work: Path, folder: Path) -> None:
    """The upsampler, of pictures of any size."""
    network = Upsampler()
    network.load_state_dict(torch.load(work / "upsampler.pt", weights_only=True)["upsampler"])
    high, wide = torch.export.Dim("high", min=2, max=2048), torch.export.Dim("wide", min=2, max=2048)
    inputs = {"pictures": torch.rand(1, 3, 48, 64) * 2 - 1}
    write(folder, "upsampler", network, inputs, ("larger",), {"pictures": {2: high, 3: wide}})


PARTS = {"autoencoder": autoencoder, "denoiser": denoiser, "upsampler": upsampler}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="model_zoo/, whose zoo.toml is kept right")
    parser.add_argument("--only", choices=list(PARTS), nargs="+", default=list(PARTS))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for part in args.only:
        PARTS[part](args.work, args.out)


if __name__ == "__main__":
    main()
