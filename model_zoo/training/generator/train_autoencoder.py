"""Trains the video autoencoder; seeded, resumable, goes on where it was ended.

usage: python -m generator.train_autoencoder --corpus DIR --work DIR [--steps N] [--threads N]

What a step sees depends on its number alone. bfloat16 where the processor multiplies it fast.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .autoencoder import GROUP, Decoder, Encoder
from .clips import Clip, crops, real_clips, rendered

SEED = 11
SIDE = 128
GROUPS = 3
FRAMES = 1 + GROUP * (GROUPS - 1)
BATCH = 8
RATE = 1e-3
WARM = 100
SAVE_EVERY = 100
REAL_CROPS = 16
"""Crops kept of every real clip."""
HELD_OUT_SEEDS = 10_000_000
"""Scenes from this seed on are for measuring."""


def groups_of(clips: Tensor) -> Tensor:
    """`(B, 1 + 4k, 3, H, W)` to `(B * (1 + k), 12, H, W)`: the first frame four times, then fours."""
    first = clips[:, :1].repeat(1, GROUP, 1, 1, 1)
    whole = torch.cat([first, clips[:, 1:]], 1)
    return whole.unflatten(1, (-1, GROUP)).flatten(2, 3).flatten(0, 1)


def tensor(clips: list[Clip]) -> Tensor:
    """Clips as `(B, T, 3, H, W)` from -1 to 1."""
    return torch.from_numpy(np.stack(clips)).permute(0, 1, 4, 2, 3).float() / 127.5 - 1


def real_crops(corpus: Path, kept: Path, *, training: bool) -> Clip:
    """All crops of the real clips, `(N, T, H, W, 3)`, made once and mapped from a file."""
    if not kept.exists():
        draw = random.Random(SEED)  # noqa: S311 - crops, no secret
        found: list[Clip] = []
        for path in real_clips(corpus, training=training):
            found.extend(crops(path, SIDE, FRAMES, REAL_CROPS if training else 2, draw))
        unfinished = kept.with_suffix(".part.npy")
        np.save(unfinished, np.stack(found))
        unfinished.rename(kept)
    mapped: Clip = np.load(kept, mmap_mode="r")
    return mapped


def loss_of(made: Tensor, wanted: Tensor) -> Tensor:
    """Absolute and squared differences of pixels, and of steps between neighbours at two scales."""
    loss = functional.l1_loss(made, wanted) + 2 * functional.mse_loss(made, wanted)
    for scale in (1, 2):
        a, b = (made, wanted) if scale == 1 else (functional.avg_pool2d(t, 2) for t in (made, wanted))
        loss = loss + 0.1 * functional.l1_loss(a.diff(dim=-1), b.diff(dim=-1))
        loss = loss + 0.1 * functional.l1_loss(a.diff(dim=-2), b.diff(dim=-2))
    return loss


def psnr(made: Tensor, wanted: Tensor) -> float:
    """Mean over clips of the peak signal to noise ratio, dB, after rounding to 8 bits."""
    rounded = [((t.clamp(-1, 1) + 1) * 127.5).round() for t in (made, wanted)]
    squared = (rounded[0] - rounded[1]).square().flatten(1).mean(1).clamp_min(0.05)
    return float((10 * torch.log10(255**2 / squared)).mean())


def measure(encoder: Encoder, decoder: Decoder, clips: list[Clip]) -> float:
    """PSNR of clips that were encoded and decoded, dB."""
    values = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for clip in clips:
            x = groups_of(tensor([clip]))
            y = decoder(encoder(x, GROUPS), GROUPS).float()
            values.append(psnr(y, x))
    return float(np.mean(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    real = real_crops(args.corpus, args.work / "real_training.npy", training=True)
    test_real = list(real_crops(args.corpus, args.work / "real_held_out.npy", training=False))[::3][:40]
    test_drawn = [rendered(HELD_OUT_SEEDS + n, SIDE, FRAMES) for n in range(40)]
    encoder, decoder = (n.to(memory_format=torch.channels_last) for n in (Encoder(), Decoder()))
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True)
    checkpoint = args.work / "autoencoder.pt"
    step = 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        encoder.load_state_dict(kept["encoder"])
        decoder.load_state_dict(kept["decoder"])
        optimizer.load_state_dict(kept["optimizer"])
        step = kept["step"]
    log = (args.work / "autoencoder.jsonl").open("a", encoding="utf-8")
    started, losses = time.monotonic(), []
    while step < args.steps:
        draw = random.Random(SEED * 1_000_003 + step)  # noqa: S311 - what to train on, no secret
        clips = [
            rendered(draw.randrange(HELD_OUT_SEEDS), SIDE, FRAMES)
            if n % 2
            else np.asarray(real[draw.randrange(len(real))])
            for n in range(BATCH)
        ]
        x = groups_of(tensor(clips)).to(memory_format=torch.channels_last)
        share = step / args.steps
        rate = RATE * min(1, (step + 1) / WARM) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16):
            latents = encoder(x, GROUPS)
            spread = latents.float()
            noisy = spread + 0.05 * torch.randn_like(spread)
            made = decoder(noisy.to(latents.dtype), GROUPS)
        # Latents are kept near unit spread, so that noise of a fixed size means something to them.
        loss = loss_of(made.float(), x) + 1e-3 * (spread.square() - 1).clamp_min(0).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses.append(float(loss))
        step += 1
        if step % SAVE_EVERY == 0 or step == args.steps:
            line = {
                "step": step,
                "loss": round(float(np.mean(losses)), 4),
                "seconds": round(time.monotonic() - started, 1),
            }
            if step % (5 * SAVE_EVERY) == 0 or step == args.steps:
                line["psnr_rendered"] = round(measure(encoder, decoder, test_drawn), 2)
                line["psnr_real"] = round(measure(encoder, decoder, test_real), 2)
            losses = []
            print(json.dumps(line), file=log, flush=True)
            state = {
                "encoder": encoder.state_dict(),
                "decoder": decoder.state_dict(),
                "optimizer": optimizer.state_dict(),
                "step": step,
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


if __name__ == "__main__":
    main()
