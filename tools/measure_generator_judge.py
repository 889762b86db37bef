#!/usr/bin/env python3
"""Measures the captioner on rendered clips whose truth is known: how often it reads each attribute right.

usage: python tools/measure_generator_judge.py [--clips 300] [--seconds 3] [--model FILE] [--misses] [--write]

Clips are drawn from scenes that the captioner's network was not trained on, in three shapes of picture, and
read as they are, after H.264 at CRF 23, and blurred (scaled down to a half and up again, as small generators
blur). An attribute counts as read right where it is the scene's; a scene of two kinds of things asks for each
kind's.
With --misses every miss is printed; with --write the table goes into docs/generator-world.md.
"""

from __future__ import annotations

import argparse
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from clopper_pearson import clopper_pearson
from pages import put_section
from touchstone.generator.language import from_scene
from touchstone.generator.seeing import ATTRIBUTES, Held, Sight, adherence, describe, shipped_sight
from touchstone.generator.world import render, sample_scene

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "generator-world.md"
FIRST_SEED = 10_000_000
"""Scenes from this seed on are not trained on; see model_zoo/training/generator/train_captioner.py."""
SIZES = ((192, 192), (256, 144), (144, 256))
FPS = 16
CRF = 23

Frames = Sequence[NDArray[np.uint8]]


def encoded(frames: Frames) -> Frames:
    """Frames through x264 and back."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": str(CRF), "threads": "1"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as source:
        pictures = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    return [picture.astype(np.uint8, copy=False) for picture in pictures]


def blurred(frames: Frames) -> Frames:
    """Frames at half their size and back."""
    out = []
    for frame in frames:
        height, width = frame.shape[:2]
        half = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(
            width // 2, height // 2, interpolation="AREA"
        )
        whole = half.to_ndarray(width=width, height=height, format="rgb24", interpolation="BILINEAR")
        out.append(whole.astype(np.uint8, copy=False))
    return out


CONDITIONS: dict[str, Callable[[Frames], Frames]] = {
    "as drawn": lambda frames: frames,
    f"H.264, CRF {CRF}": encoded,
    "blurred": blurred,
}


def read(seed: int, seconds: float, sight: Sight, wear: Callable[[Frames], Frames]) -> tuple[list[Held], int]:
    """Every attribute of a scene as it was read, and how many kinds of things were seen too many."""
    scene = sample_scene(seed)
    width, height = SIZES[seed % len(SIZES)]
    frames = list(render(scene, width, height, round(seconds * FPS), FPS))
    truth = from_scene(scene, aspect=width / height)
    found = adherence(truth, describe(wear(frames), FPS, sight))
    return list(found.held), found.extra


def table(counts: dict[str, Counter[tuple[str, bool]]], extras: Counter[str], clips: int) -> str:
    """Shares for each attribute and condition, with exact bounds at 95 %."""
    lines = [f"| attribute | n | {' | '.join(CONDITIONS)} |", "|---|---|" + "---|" * len(CONDITIONS)]
    for attribute in ATTRIBUTES:
        cells, count = [], 0
        for condition in CONDITIONS:
            hits = counts[condition][attribute, True]
            count = hits + counts[condition][attribute, False]
            low, high = clopper_pearson(hits, count) if count else (0.0, 1.0)
            cells.append(f"{hits / max(count, 1):.1%} ({low:.1%} to {high:.1%})")
        lines.append(f"| {attribute} | {count} | {' | '.join(cells)} |")
    extra = " | ".join(f"{extras[condition]} of {clips} clips" for condition in CONDITIONS)
    return "\n".join([*lines, f"| a thing too many | | {extra} |"])


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--clips", type=int, default=300)
    ask.add_argument("--seconds", type=float, default=3.0)
    ask.add_argument("--model", type=Path, help="the network's ONNX file; the shipped one by default")
    ask.add_argument("--misses", action="store_true")
    ask.add_argument("--write", action="store_true")
    given = ask.parse_args()
    sight = Sight.load(given.model) if given.model else shipped_sight()
    counts: dict[str, Counter[tuple[str, bool]]] = defaultdict(Counter)
    extras: Counter[str] = Counter()
    for seed in track(range(FIRST_SEED, FIRST_SEED + given.clips), "reading"):
        for condition, wear in CONDITIONS.items():
            held, extra = read(seed, given.seconds, sight, wear)
            counts[condition].update((one.attribute, one.met) for one in held)
            extras[condition] += extra > 0
            if given.misses:
                for one in held:
                    if not one.met:
                        print(f"{seed} {condition}: {one.attribute} is {one.asked}, read as {one.seen}")
    text = table(counts, extras, given.clips)
    print(text)
    if given.write:
        put_section(PAGE, "captioner", text)


if __name__ == "__main__":
    main()
