#!/usr/bin/env python3
"""Records what the reference DWT-DCT decoder reads from pictures that tests can make again.

Needs the reference library (`pip install --no-deps invisible-watermark==0.2.0`, opencv-python-headless,
PyWavelets, pydantic; in an environment of its own). Writes tests/examiners/watermarks/dwt_dct_golden.json;
the test beside it holds our decoder to these bits.

usage: python tools/dwt_dct_golden.py [--bench] [VIDEO ...]
With --bench: also compares speed and bits on the first frame of each VIDEO, in one run.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "examiners" / "watermarks" / "dwt_dct_golden.json"
sys.path[:0] = [str(ROOT / "daemon"), str(ROOT / "tests")]

from examiners.watermarks.carriers import CARRIERS, carrier  # noqa: E402
from touchstone.examiners.watermarks import dwt_dct  # noqa: E402

LENGTHS = (32, 48, 136)


def reference_decoder() -> type:
    """The reference class, loaded from its file: importing the package pulls in torch."""
    spec = importlib.util.find_spec("imwatermark")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("the reference library is not installed: pip install --no-deps invisible-watermark==0.2.0")
    file = Path(spec.submodule_search_locations[0]) / "maxDct.py"
    module_spec = importlib.util.spec_from_file_location("reference_max_dct", file)
    assert module_spec and module_spec.loader
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module.EmbedMaxDct


def as_hex(bits: np.ndarray) -> str:
    return np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes().hex()


def bench(decoder: type, videos: list[str]) -> None:
    import av

    spent = {"reference": 0.0, "ours": 0.0}
    different = frames = 0
    for video in videos:
        with av.open(video) as container:
            rgb = next(container.decode(video=0)).to_ndarray(format="rgb24")
        if rgb.shape[0] * rgb.shape[1] < dwt_dct.MIN_AREA:
            continue
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        started = time.perf_counter()
        theirs = decoder(wmLen=48).decode(bgr)
        middle = time.perf_counter()
        ours = dwt_dct.decode(rgb, 48)
        spent["ours"] += time.perf_counter() - middle
        spent["reference"] += middle - started
        different += int((theirs != ours).any())
        frames += 1
    ratio = spent["reference"] / spent["ours"]
    print(f"{frames} frames, {different} with other bits; {ratio:.1f} times the reference's speed")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("videos", nargs="*")
    ask.add_argument("--bench", action="store_true")
    args = ask.parse_args()
    decoder = reference_decoder()
    if args.bench:
        bench(decoder, args.videos)
        return
    golden = {}
    for name in CARRIERS:
        bgr = np.ascontiguousarray(carrier(name)[..., ::-1])
        golden[name] = {str(n): as_hex(decoder(wmLen=n).decode(bgr)) for n in LENGTHS}
    GOLDEN.write_text(json.dumps({"opencv": cv2.__version__, "bits": golden}, indent=2) + "\n")
    print(f"{GOLDEN.relative_to(ROOT)}: {len(golden)} carriers")


main()
