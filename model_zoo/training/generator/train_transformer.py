"""Trains the denoiser on latents that make_latents.py made; seeded, resumable, goes on where it was ended.

usage: python -m generator.train_transformer --work DIR [--steps N] [--cool N] [--threads N] [--width N]
           [--compile] [--minutes N]

The rate stays as it is after the first steps, so that training can go on for as long as somebody likes; with
--cool it falls to nothing over the last N of --steps. Matrices are trained by Muon (Jordan et al. 2024), the
rest by AdamW.

Half of the clips are shown with some frames given (the first ones, the last ones, both ends, or the picture
that comes next), at level 0 or a little above it, so that one network extends, joins and fills in.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .make_latents import fingerprint
from .transformer import Denoiser, Size

SEED = 17
BATCH = 16
RATE = 1e-3
WARM = 100
AVERAGE = 0.999
WITHOUT_WORDS = 0.1
LEVELS = (0.05, 0.30, 0.65)
"""How often captions are terse, normal and dense."""
GIVEN = 0.5
SLIGHT = 0.2
"""Given frames carry noise up to this level half of the time."""
SAVE_EVERY = 100


def batch_of(step: int, paths: list[Path], spread: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """Clean latents `(B, T, C, h, w)`, times `(B, T)`, numbers of words `(B, WORDS)`, given `(B, T)` bool."""
    draw = random.Random(SEED * 1_000_003 + step)  # noqa: S311 - what to train on, no secret
    with np.load(draw.choice(paths)) as kept:
        chosen = draw.sample(range(len(kept["latents"])), BATCH)
        latents = torch.from_numpy(kept["latents"][chosen].astype(np.float32))
        after = torch.from_numpy(kept["after"][chosen].astype(np.float32))
        times = torch.from_numpy(kept["times"][chosen])
        ids = torch.from_numpy(kept["ids"][chosen].astype(np.int64))
    level = draw.choices(range(3), LEVELS, k=BATCH)
    ids = ids[torch.arange(BATCH), torch.tensor(level)]
    ids[torch.tensor([draw.random() < WITHOUT_WORDS for _ in range(BATCH)])] = 0
    step_s = float(times[0, 1] - times[0, 0])
    whole = latents.shape[1]
    length = draw.choices([1, 2, 3, whole], [2, 1, 1, 6])[0]
    latents, times = latents[:, :length], times[:, :length]
    if length == whole and draw.random() < 0.4:
        latents = torch.cat([latents, after[:, None]], 1)
        times = torch.cat([times, times[:, -1:] + step_s], 1)
    frames = latents.shape[1]
    given = torch.zeros(BATCH, frames, dtype=torch.bool)
    for n in range(BATCH):
        if frames > 1 and draw.random() < GIVEN:
            first, last = draw.choice([(1, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 2), (3, 0)])
            if first + last >= frames:
                first, last = 1, 0
            given[n, :first] = True
            if last:
                given[n, frames - last :] = True
    mean, deviation = spread
    return (latents - mean) / deviation, times, ids, given


def optimizers(network: Denoiser) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices of the blocks, AdamW for everything else."""
    inner = [
        (n, p) for n, p in network.named_parameters() if p.ndim == 2 and "blocks." in n and ".bias" not in n
    ]
    names = {n for n, _ in inner}
    others = [p for n, p in network.named_parameters() if n not in names]
    return (
        torch.optim.Muon([p for _, p in inner], lr=RATE, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--cool", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--minutes", type=float, default=1e9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    latents = args.work / f"latents-{fingerprint(args.work)}"
    with np.load(latents / "spread.npz") as kept:
        spread = tuple(torch.from_numpy(kept[n]).view(1, 1, -1, 1, 1) for n in ("mean", "deviation"))
    network = Denoiser(Size(args.width))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    both = optimizers(network)
    checkpoint = args.work / "transformer.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average = state["average"]
        for optimizer, known in zip(both, state["optimizers"], strict=True):
            optimizer.load_state_dict(known)
        step = state["step"]
    run: Callable[..., Any] = torch.compile(network) if args.compile else network
    log = (args.work / "transformer.jsonl").open("a", encoding="utf-8")
    started, losses = time.monotonic(), []
    while step < args.steps and time.monotonic() - started < args.minutes * 60:
        paths = sorted(p for p in latents.glob("[0-9]*.npz") if ".part" not in p.name)
        clean, times, ids, given = batch_of(step, paths, spread)  # type: ignore[arg-type]
        chance = torch.Generator().manual_seed(SEED + step)
        size = clean.shape[1] * clean.shape[3] * clean.shape[4] / (5 * 256)
        level = torch.sigmoid(torch.randn(BATCH, 1, generator=chance)).expand(-1, clean.shape[1])
        shift = max(1.0, size) ** 0.5 * 1.5
        level = shift * level / (1 + (shift - 1) * level)
        slight = torch.rand(BATCH, 1, generator=chance) * SLIGHT
        slight = slight * (torch.rand(BATCH, 1, generator=chance) < 0.5)
        level = torch.where(given, slight.expand_as(level), level)
        noise = torch.randn(clean.shape, generator=chance)
        at = level[:, :, None, None, None]
        noisy = (1 - at) * clean + at * noise
        left = min(1.0, (args.steps - step) / args.cool) if args.cool else 1.0
        for optimizer in both:
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, (step + 1) / WARM) * left
        with torch.autocast("cpu", dtype=torch.bfloat16):
            velocity = run(noisy, level, times, ids)
        wrong = (velocity.float() - (noise - clean)).square().mean((2, 3, 4))
        loss = (wrong * ~given).sum() / (~given).sum()
        network.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for optimizer in both:
            optimizer.step()
        step += 1
        with torch.no_grad():
            keep = min(AVERAGE, step / (step + 20))
            for name, value in network.state_dict().items():
                average[name].lerp_(value, 1 - keep)
        losses.append(float(loss.detach()))
        if step % SAVE_EVERY == 0 or step == args.steps:
            line = {
                "step": step,
                "loss": round(float(np.mean(losses)), 4),
                "seconds": round(time.monotonic() - started),
            }
            losses = []
            print(json.dumps(line), file=log, flush=True)
            state = {
                "network": network.state_dict(),
                "average": average,
                "optimizers": [optimizer.state_dict() for optimizer in both],
                "step": step,
                "width": args.width,
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


if __name__ == "__main__":
    main()
