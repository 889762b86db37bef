"""Fits the encoder: the principal components of blocks of rendered and of real footage, half and half.

usage: python -m generator.fit_encoder --corpus DIR --work DIR [--clips N]

The same corpus and the same versions give the same encoder.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from .autoencoder import BLOCK, GROUP, LATENT, SCALE, Encoder
from .clips import Clip, crops, real_clips, rendered

SEED = 11
SIDE = 128
FRAMES = 2 * GROUP
REAL_CROPS = 6
"""Crops kept of every real clip."""
HELD_OUT_SEEDS = 10_000_000
"""Scenes from this seed on are for measuring."""
DRAWN, REAL = "drawn.npy", "real.npy"
HELD_DRAWN, HELD_REAL = "drawn_held_out.npy", "real_held_out.npy"


def kept(path: Path, found: list[Clip]) -> Clip:
    """Clips in a file, mapped."""
    unfinished = path.with_suffix(".part.npy")
    np.save(unfinished, np.stack(found))
    unfinished.rename(path)
    return mapped(path)


def mapped(path: Path) -> Clip:
    """`(N, FRAMES, SIDE, SIDE, 3)`, from a file that `footage` made."""
    clips: Clip = np.load(path, mmap_mode="r")
    return clips


def footage(corpus: Path, work: Path, count: int) -> None:
    """Make the clips that everything of the autoencoder is fitted and measured on, once."""
    for name, first, number in ((DRAWN, 0, count), (HELD_DRAWN, HELD_OUT_SEEDS, 60)):
        if not (work / name).exists():
            kept(work / name, [rendered(first + n, SIDE, FRAMES) for n in range(number)])
    for name, training, each in ((REAL, True, REAL_CROPS), (HELD_REAL, False, 1)):
        if (work / name).exists():
            continue
        draw = random.Random(SEED)  # noqa: S311 - crops, no secret
        paths = real_clips(corpus, training=training)
        draw.shuffle(paths)
        found: list[Clip] = []
        for path in paths:
            found.extend(crops(path, SIDE, FRAMES, each, draw))
            if len(found) >= count:
                break
        kept(work / name, found)


def blocks(clips: Clip) -> NDArray[np.float64]:
    """Clips `(N, 4k, H, W, 3)` to blocks `(M, BLOCK)` from -1 to 1: frames, colours, rows, columns."""
    count, frames, height, width, _ = clips.shape
    parts = clips.reshape(count, frames // GROUP, GROUP, height // SCALE, SCALE, width // SCALE, SCALE, 3)
    whole = parts.transpose(0, 1, 3, 5, 2, 7, 4, 6).reshape(-1, BLOCK)
    return whole.astype(np.float64) / 127.5 - 1


def moments(clips: Clip) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and mean square of blocks, some clips at a time."""
    first, second, count = np.zeros(BLOCK), np.zeros((BLOCK, BLOCK)), 0
    for at in range(0, len(clips), 20):
        part = blocks(np.asarray(clips[at : at + 20]))
        first += part.sum(0)
        second += part.T @ part
        count += len(part)
    return first / count, second / count


def fitted(clips: tuple[Clip, ...]) -> Encoder:
    """The encoder of several sets of clips, each of which counts as much as the others."""
    both = [moments(several) for several in clips]
    mean = np.mean([m for m, _ in both], axis=0)
    spread = np.mean([s for _, s in both], axis=0) - np.outer(mean, mean)
    _, vectors = np.linalg.eigh(spread)
    rows = vectors[:, ::-1][:, :LATENT].T
    rows = rows * np.where(rows.sum(1, keepdims=True) < 0, -1.0, 1.0)  # of two signs the one that brightens
    encoder = Encoder()
    shape = (LATENT, 3 * GROUP, SCALE, SCALE)
    with torch.no_grad():
        encoder.transform.weight.copy_(torch.from_numpy(rows.reshape(shape)))
        encoder.transform.bias.copy_(torch.from_numpy(-rows @ mean))  # type: ignore[union-attr]
    return encoder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=600)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    footage(args.corpus, args.work, args.clips)
    encoder = fitted((mapped(args.work / DRAWN), mapped(args.work / REAL)))
    torch.save(encoder.state_dict(), args.work / "encoder.pt")
    print(json.dumps({"latent": LATENT, "clips": [len(mapped(args.work / n)) for n in (DRAWN, REAL)]}))


if __name__ == "__main__":
    main()
