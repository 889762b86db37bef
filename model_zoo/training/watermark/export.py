"""Writes the trained decoder as ONNX, with sides of any length.

usage: export.py --checkpoint FILE --out FILE.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from network import FRAMES, Decoder

OPSET = 17


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--checkpoint", type=Path, required=True)
    ask.add_argument("--out", type=Path, required=True)
    given = ask.parse_args()
    state = torch.load(given.checkpoint, weights_only=True)["network"]
    network = Decoder(width=state["enter.weight"].shape[0]).eval()
    network.load_state_dict(state)
    example = torch.zeros(1, FRAMES, 256, 456)
    torch.onnx.export(
        network,
        (example,),
        str(given.out),
        input_names=["frames"],
        output_names=["raised"],
        dynamic_axes={"frames": {2: "height", 3: "width"}, "raised": {2: "height", 3: "width"}},
        opset_version=OPSET,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
