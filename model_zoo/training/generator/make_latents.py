"""Renders scenes, encodes them, and keeps the latents that the transformer is trained on.

usage: python -m generator.make_latents --work DIR [--shards N] [--from N]

A shard holds clips of one size and one kind of time: 17 frames at 16 a second, or keys seconds apart, each
encoded as a picture. What a shard holds depends on its number and the autoencoder alone; those that are there
are not made again, unless the autoencoder changed.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from touchstone.generator.language import Request, from_scene
from touchstone.generator.language.captions import normal, terse
from touchstone.generator.world import Scene, render, sample_scene

from .autoencoder import GROUP, Encoder
from .fit_encoder import HELD_OUT_SEEDS
from .train_decoders import encoder_of, groups_of, tensor
from .transformer import WORDS

CLIPS = 256
SIZES = ((128, 128), (128, 128), (176, 96), (96, 176), (144, 112))
FPS = 16
GROUPS = 5
KEY_STEPS = (1.0, 2.0, 4.0)
"""Seconds between keys."""
KEYS_EVERY = 2
"""Every second shard holds keys: they are what decides what a clip shows, and cost a third."""
BATCH = 16


def fingerprint(work: Path) -> str:
    """Of the autoencoder's weights."""
    return hashlib.sha256((work / "encoder.pt").read_bytes()).hexdigest()[:12]


def numbers(request: Request) -> list[int]:
    """A request's numbers, filled up to `WORDS`."""
    ids = request.ids[:WORDS]
    return ids + [0] * (WORDS - len(ids))


def said(scene: Scene, start_s: float, aspect: float) -> list[list[int]]:
    """A scene's captions as numbers: terse, normal, dense; with the places of things when the clip begins."""
    whole = from_scene(scene, start_s=start_s, aspect=aspect)
    return [numbers(r) for r in (terse(whole), normal(whole), whole)]


def scenes_of(number: int) -> list[tuple[Scene, float]]:
    """The scenes of a shard and the second at which each begins."""
    draw = random.Random(f"latents {number}")  # noqa: S311 - what to render, no secret
    return [
        (sample_scene(draw.randrange(HELD_OUT_SEEDS)), draw.choice([0.0, draw.uniform(0, 8)]))
        for _ in range(CLIPS)
    ]


def encode(encoder: Encoder, clips: list[NDArray[np.uint8]], groups: int) -> Tensor:
    """Clips of `1 + 4 (groups - 1)` frames to `(B, groups, LATENT, h, w)` float32."""
    whole = [np.concatenate([clip[:1].repeat(GROUP - 1, 0), clip]) for clip in clips]
    with torch.no_grad():
        latents: Tensor = encoder(groups_of(tensor(whole)))
    return latents.unflatten(0, (-1, groups)).contiguous()


def shard(number: int, encoder: Encoder) -> dict[str, NDArray[np.generic]]:
    """`latents (N, T, LATENT, h, w) float16`, `after (N, LATENT, h, w)` (the picture a quarter second later),
    `times (N, T) float32`, `ids (N, 3, WORDS)`."""
    width, height = SIZES[number % len(SIZES)]
    keys = number % KEYS_EVERY == KEYS_EVERY - 1
    step = KEY_STEPS[number // KEYS_EVERY % len(KEY_STEPS)] if keys else GROUP / FPS
    found, after, ids = [], [], []
    scenes = scenes_of(number)
    for at in range(0, CLIPS, BATCH):
        part = scenes[at : at + BATCH]
        if keys:
            pictures = [
                frame[None]
                for scene, start in part
                for frame in render(scene, width, height, GROUPS + 1, 1 / step, start_s=start)
            ]
            latents = encode(encoder, pictures, 1)[:, 0].unflatten(0, (-1, GROUPS + 1))
            found.append(latents[:, :-1])
            after.append(latents[:, -1])
        else:
            frames = 1 + GROUP * (GROUPS - 1)
            clips = [
                np.stack(list(render(scene, width, height, frames, FPS, start_s=start)))
                for scene, start in part
            ]
            found.append(encode(encoder, clips, GROUPS))
            later = (frames - 1 + GROUP) / FPS
            pictures = [
                frame[None]
                for scene, start in part
                for frame in render(scene, width, height, 1, FPS, start_s=start + later)
            ]
            after.append(encode(encoder, pictures, 1)[:, 0])
        ids += [said(scene, start, width / height) for scene, start in part]
    return {
        "latents": torch.cat(found).half().numpy(),
        "after": torch.cat(after).half().numpy(),
        "times": np.tile(np.arange(GROUPS, dtype=np.float32) * step, (CLIPS, 1)),
        "ids": np.array(ids, np.int16),
    }


def spread(latents: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What latents are brought to unit spread by: `mean` and `deviation`, `(LATENT,)` each.

    The first components are thirty times as large as the last. Half of that, on a logarithmic scale, is left
    in, so that noise hides the fine before the coarse and the network spends itself on what is seen most.
    """
    axes = (0, 1, 3, 4)
    own = latents.std(axes)
    return {"mean": latents.mean(axes), "deviation": np.sqrt(own * own.mean())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=60)
    parser.add_argument("--from", type=int, default=0, dest="first")
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoder = encoder_of(args.work)
    kept = args.work / f"latents-{fingerprint(args.work)}"
    kept.mkdir(exist_ok=True)
    for number in range(args.first, args.shards):
        path = kept / f"{number:04}.npz"
        if path.exists():
            continue
        started = time.monotonic()
        arrays = shard(number, encoder)
        if number == 0:
            np.savez(kept / "spread.npz", **spread(arrays["latents"].astype(np.float32)))
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, **arrays)  # type: ignore[arg-type]
        unfinished.rename(path)
        print(f"{path.name} {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
