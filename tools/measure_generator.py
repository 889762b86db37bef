#!/usr/bin/env python3
"""Measures the bundled generator: does a clip show what was asked for, and how near is it to the renderer?

usage: python tools/measure_generator.py [--clips 60] [--seconds 3] [--corpus DIR] [--steps N] [--guidance G]
                                         [--misses] [--write]

Prompts are captions of scenes that nothing was trained on, as a person would write them ("normal"), in three
shapes of picture. The captioner judges; tools/measure_generator_judge.py says how far it is to be trusted.

The distance is Frechet's between two Gaussians (Heusel et al. 2017), of 36 numbers for each frame: the means
of the captioner's planes. Beside it stands the distance of two sets of rendered clips of the same size, which
is what chance alone gives.

The autoencoder's PSNR is of rendered clips that it was not trained on, and, with --corpus, of crops of real
clips of held-out sources, at the sizes that they were trained at.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from clopper_pearson import clopper_pearson
from pages import put_section
from touchstone.generator.language import captions, fill, parse, stage
from touchstone.generator.making.clip import Order, Scene, Surroundings, pictures
from touchstone.generator.making.footage import Sizes, frames_of, resized
from touchstone.generator.making.plan import FPS
from touchstone.generator.making.sampling import Recipe
from touchstone.generator.networks import Networks
from touchstone.generator.seeing import ATTRIBUTES, Sight, adherence, describe, shipped_sight
from touchstone.generator.seeing.sight import small
from touchstone.generator.world import render, sample_scene

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "model_zoo" / "training"))
PAGE = ROOT / "docs" / "generator.md"
FIRST_SEED = 10_000_000
"""Scenes from this seed on are not trained on (model_zoo/training/generator/fit_encoder.py)."""
SHAPES = ((512, 512), (640, 360), (360, 640))
SIDE = 128
Frames = NDArray[np.uint8]


def clip_of(seed: int, seconds: int, networks: Networks, recipe: Recipe) -> tuple[str, Frames]:
    """The prompt and the clip that was made of it, at the size that the networks make."""
    sizes = Sizes.of(*SHAPES[seed % len(SHAPES)])
    prompt = captions(sample_scene(seed)).normal
    asked = fill(parse(prompt)[0], seed)
    order = Order(
        [Scene(asked, stage(asked, seed))],
        seconds,
        sizes.made_width,
        sizes.made_height,
        seed,
        recipe,
        Surroundings(),
    )
    return prompt, np.concatenate(list(pictures(order, networks)))


def rendered(seed: int, seconds: int) -> Frames:
    """The renderer's clip of the same scene and size."""
    sizes = Sizes.of(*SHAPES[seed % len(SHAPES)])
    count = FPS * seconds + 1
    return np.stack(list(render(sample_scene(seed), sizes.made_width, sizes.made_height, count, FPS)))


def numbers(frames: Frames, sight: Sight) -> NDArray[np.float64]:
    """36 for each of four frames."""
    chosen = frames[:: max(1, len(frames) // 4)][:4]
    return np.asarray(sight.planes([small(frame) for frame in chosen]).mean((2, 3)), np.float64)


def frechet(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Between two sets of rows."""
    one, two = np.cov(a.T), np.cov(b.T)
    values, vectors = np.linalg.eigh(one)
    root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    both = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ two @ root), 0)).sum()
    apart = float(((a.mean(0) - b.mean(0)) ** 2).sum())
    return apart + float(np.trace(one) + np.trace(two) - 2 * both)


def psnr(a: Frames, b: Frames) -> float:
    """Peak signal to noise ratio, dB."""
    return float(10 * np.log10(255**2 / max(0.05, float(((a.astype(float) - b) ** 2).mean()))))


def through(clip: Frames, networks: Networks) -> Frames:
    """A clip through encoder and decoder."""
    return np.concatenate(list(networks.decode(networks.encode(clip))))


def real_crops(corpus: Path) -> Iterator[Frames]:
    """Crops of 9 frames of real clips that no network of the generator was trained on."""
    from generator.clips import real_clips  # only here: training code, without torch

    draw = random.Random(5)  # noqa: S311 - crops, no secret
    for path in real_clips(corpus, training=False):
        try:
            frames = [frame for frame, _ in zip(frames_of(path), range(9), strict=False)]
        except Exception:  # noqa: BLE001, S112 - a clip that this build of FFmpeg cannot read
            continue
        if len(frames) < 9 or min(frames[0].shape[:2]) < SIDE:
            continue
        scale = max(SIDE / min(frames[0].shape[:2]), draw.uniform(0.4, 1.0))
        size = [max(SIDE, round(side * scale)) for side in frames[0].shape[1::-1]]
        top, left = draw.randrange(size[1] - SIDE + 1), draw.randrange(size[0] - SIDE + 1)
        yield np.stack([resized(f, *size)[top : top + SIDE, left : left + SIDE] for f in frames])


def table(counts: Counter[tuple[str, bool]], extra: int, clips: int) -> str:
    """Shares by attribute, with exact bounds at 95 %."""
    lines = ["| attribute | asked for | shown |", "|---|---|---|"]
    for attribute in (*ATTRIBUTES, "all of them"):
        of = ATTRIBUTES if attribute == "all of them" else (attribute,)
        hits = sum(counts[name, True] for name in of)
        asked = hits + sum(counts[name, False] for name in of)
        if asked:
            low, high = clopper_pearson(hits, asked)
            lines.append(f"| {attribute} | {asked} | {hits / asked:.0%} ({low:.0%} to {high:.0%}) |")
    return "\n".join([*lines, f"| a thing too many | | {extra} of {clips} clips |"])


def quality(values: Sequence[float]) -> str:
    """Mean and the lowest tenth."""
    return f"{np.mean(values):.1f} dB (a tenth under {np.percentile(values, 10):.1f}; {len(values)} clips)"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--clips", type=int, default=60)
    ask.add_argument("--seconds", type=int, default=3)
    ask.add_argument("--corpus", type=Path)
    ask.add_argument("--steps", type=int, default=Recipe.steps)
    ask.add_argument("--guidance", type=float, default=Recipe.guidance)
    ask.add_argument("--misses", action="store_true")
    ask.add_argument("--write", action="store_true")
    given = ask.parse_args()
    networks, sight, recipe = Networks(), shipped_sight(), Recipe(given.steps, given.guidance)
    counts: Counter[tuple[str, bool]] = Counter()
    extra, made, drawn, others, coded = 0, [], [], [], []
    for seed in track(range(FIRST_SEED, FIRST_SEED + given.clips), "making"):
        prompt, clip = clip_of(seed, given.seconds, networks, recipe)
        told = adherence(prompt, describe(clip, FPS, sight))
        counts.update((one.attribute, one.met) for one in told.held)
        extra += told.extra > 0
        if given.misses:
            for one in told.held:
                if not one.met:
                    print(f"{seed} {prompt}: {one.attribute} is {one.asked}, read as {one.seen}")
        same = rendered(seed, given.seconds)
        made.append(numbers(clip, sight))
        drawn.append(numbers(same, sight))
        others.append(numbers(rendered(seed + 10_000, given.seconds), sight))
        coded.append(psnr(same[:17], through(same[:17], networks)))
    sets = [np.concatenate(rows) for rows in (made, drawn, others)]
    text = "\n\n".join(
        [
            f"{given.clips} clips of {given.seconds} s, {recipe.steps} steps, guidance {recipe.guidance:g}:",
            table(counts, extra, given.clips),
            f"Frechet distance to the renderer's clips of the same scenes: {frechet(sets[0], sets[1]):.2f}; "
            f"of the renderer's clips of other scenes to these: {frechet(sets[2], sets[1]):.2f}.",
            f"Autoencoder, rendered clips: {quality(coded)}.",
        ]
    )
    if given.corpus:
        values = [
            psnr(crop, through(crop, networks)) for crop in track(list(real_crops(given.corpus)), "real")
        ]
        text += f"\n\nAutoencoder, real clips: {quality(values)}."
    print(text)
    if given.write:
        put_section(PAGE, "measured", text)


if __name__ == "__main__":
    main()
