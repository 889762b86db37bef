"""Trains the denoiser on latents that make_latents.py made; seeded, resumable, goes on where it was ended.

usage: python -m generator.train_transformer --work DIR [--steps N] [--still N] [--cool N] [--threads N]
           [--width N] [--blocks N] [--minutes N] [--mixed N] [--compile]

The first --still steps show single pictures, which teach how things look at a fifth of the cost; clips come
after them, and pictures again at every step of --mixed. The rate stays as it is after the first steps, so
that training can go on for as long as somebody likes; with --cool it falls to nothing over the last N of
--steps. Matrices are trained by Muon (Jordan et al. 2024), the rest by AdamW, in bfloat16, where the
processor multiplies that fast; elsewhere AdamW trains everything.

Half of the clips are shown with some frames given (the first ones, the last ones, both ends, or the picture
that comes next), at level 0 or a little above it, so that one network extends, joins and fills in.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from touchstone.generator.making.staging import GROUP_S, Planes, planes
from touchstone.generator.world import Scene

from .make_latents import fingerprint, scenes_of
from .transformer import PATCH, Denoiser, Size

SEED = 17
PICTURES, CLIPS = 64, 16
"""Pictures, or clips, of a step."""
RATE = 2e-3
WARM = 100
AVERAGE = 0.99
WITHOUT_WORDS = 0.1
LEVELS = (0.05, 0.25, 0.70)
"""How often captions are terse, normal and dense."""
GIVEN = 0.5
SLIGHT = 0.2
"""Given frames carry noise up to this level half of the time."""
SHIFT = 1.5
"""Towards noise, of the levels that a clip of the usual size is shown at."""
OF_THINGS = 3.0
"""How much a patch counts that a thing is near, others 1: things are small, yet what is asked for."""
SAVE_EVERY = 50


class Batch(NamedTuple):
    """What a step is shown.

    Attributes:
        clean: latents `(B, T, C, h, w)`.
        times: `(B, T)`, seconds.
        ids: numbers of words `(B, WORDS)`.
        plan: `(B, T, S, PLANES)`.
        given: `(B, T)` bool.
    """

    clean: Tensor
    times: Tensor
    ids: Tensor
    plan: Tensor
    given: Tensor


@dataclass
class Shard:
    """What make_latents.py made, in memory, and what it is of."""

    latents: NDArray[np.float16]
    after: NDArray[np.float16]
    times: NDArray[np.float32]
    ids: NDArray[np.int16]
    scenes: list[tuple[Scene, float]]
    planned: dict[int, Planes] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Shard:
        """Of a file that is named by its number."""
        with np.load(path) as kept:
            arrays = [kept[name] for name in ("latents", "after", "times", "ids")]
        return cls(*arrays, scenes_of(int(path.stem)))

    def plan(self, number: int) -> Planes:
        """The plan of a clip and of the picture after it, `(T + 1, S, PLANES)`."""
        if number not in self.planned:
            scene, start = self.scenes[number]
            times = self.times[number]
            step = float(times[1] - times[0])
            seconds = [start + float(t) for t in times] + [start + float(times[-1]) + step]
            moving = step < 1
            spans = [0.0] + [GROUP_S if moving else 0.0] * (len(times) - 1) + [0.0]
            rows, columns = (side // PATCH for side in self.latents.shape[-2:])
            self.planned[number] = planes(scene, seconds, spans, rows, columns).astype(np.float16)
        return self.planned[number]


def batch_of(step: int, shards: list[Shard], spread: tuple[Tensor, Tensor], *, still: bool) -> Batch:
    """What a step is shown."""
    draw = random.Random(SEED * 1_000_003 + step)  # noqa: S311 - what to train on, no secret
    count = PICTURES if still else CLIPS
    shard = draw.choice(shards)
    chosen = draw.sample(range(len(shard.latents)), count)
    latents, after, times, ids = (
        torch.from_numpy(part[chosen]) for part in (shard.latents, shard.after, shard.times, shard.ids)
    )
    latents, after, ids = latents.float(), after.float(), ids.long()
    plan = torch.from_numpy(np.stack([shard.plan(n) for n in chosen])).float()
    level = draw.choices(range(3), LEVELS, k=count)
    ids = ids[torch.arange(count), torch.tensor(level)]
    alone = torch.tensor([draw.random() < WITHOUT_WORDS for _ in range(count)])
    ids[alone] = 0
    plan[alone] = 0
    step_s = float(times[0, 1] - times[0, 0])
    whole = latents.shape[1]
    if still:  # of keys all are pictures; of a clip the first is one, and the one after it
        pictures = list(range(whole)) if step_s >= 1 else [0]
        at = draw.choice([*pictures, whole])
        latents = (after if at == whole else latents[:, at])[:, None]
        times, plan = times[:, :1], plan[:, at : at + 1]
    else:
        length = draw.choices([3, 4, whole], [1, 1, 6])[0]
        if length == whole and draw.random() < 0.5:
            latents = torch.cat([latents, after[:, None]], 1)
            times = torch.cat([times, times[:, -1:] + step_s], 1)
        else:
            latents, times, plan = latents[:, :length], times[:, :length], plan[:, :length]
    frames = latents.shape[1]
    given = torch.zeros(count, frames, dtype=torch.bool)
    for n in range(count):
        if frames > 1 and draw.random() < GIVEN:
            first, last = draw.choice([(1, 0), (1, 0), (2, 0), (0, 1), (1, 1), (1, 1), (2, 2), (3, 0)])
            if first + last >= frames:
                first, last = 1, 0
            given[n, :first] = True
            if last:
                given[n, frames - last :] = True
    mean, deviation = spread
    return Batch((latents - mean) / deviation, times, ids, plan, given)


def counts_of(plan: Tensor, shape: torch.Size) -> Tensor:
    """How much each latent counts, `(B, T, h, w)`, by the plan of its patch."""
    batch, frames, high, wide = shape
    near = plan[..., 0].reshape(batch, frames, high // PATCH, wide // PATCH)  # 1 where a thing is told of
    near = near.repeat_interleave(PATCH, 2).repeat_interleave(PATCH, 3)
    return 1 + (OF_THINGS - 1) * near


def optimizers(network: Denoiser, *, fast: bool) -> tuple[torch.optim.Optimizer, ...]:
    """Muon for the matrices of the blocks, AdamW for everything else.

    Muon's own steps are in bfloat16, which takes longer than all the rest on processors that emulate it:
    there (not `fast`) AdamW trains everything.
    """
    inner = [
        (n, p)
        for n, p in network.named_parameters()
        if fast and p.ndim == 2 and "blocks." in n and ".bias" not in n
    ]
    names = {n for n, _ in inner}
    others = [p for n, p in network.named_parameters() if n not in names]
    rest = torch.optim.AdamW(others, lr=RATE, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    if not inner:
        return (rest,)
    matrices = [p for _, p in inner]
    return (
        torch.optim.Muon(matrices, lr=RATE, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        rest,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--still", type=int, default=4000)
    parser.add_argument("--mixed", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--cool", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--width", type=int, default=Size.width)
    parser.add_argument("--blocks", type=int, default=Size.blocks)
    parser.add_argument("--minutes", type=float, default=1e9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    latents = args.work / f"latents-{fingerprint(args.work)}"
    with np.load(latents / "spread.npz") as kept:
        spread = tuple(torch.from_numpy(kept[n]).view(1, 1, -1, 1, 1) for n in ("mean", "deviation"))
    network = Denoiser(Size(args.width, args.blocks))
    average = {name: value.detach().clone() for name, value in network.state_dict().items()}
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cuda.is_available()
    both = optimizers(network, fast=fast)
    checkpoint = args.work / "transformer.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        average = state["average"]
        for optimizer, known in zip(both, state["optimizers"], strict=True):
            optimizer.load_state_dict(known)
        step = state["step"]
    run: Callable[..., Any] = torch.compile(network, dynamic=True) if args.compile else network
    shards = [Shard.read(path) for path in sorted(latents.glob("[0-9]*.npz")) if ".part" not in path.name]
    log = (args.work / "transformer.jsonl").open("a", encoding="utf-8")
    started, losses = time.monotonic(), []
    while step < args.steps and time.monotonic() - started < args.minutes * 60:
        still = step < args.still or step % args.mixed == 0
        clean, times, ids, plan, given = batch_of(step, shards, spread, still=still)  # type: ignore[arg-type]
        chance = torch.Generator().manual_seed(SEED + step)
        count, frames = clean.shape[:2]
        size = frames * clean.shape[3] * clean.shape[4] / (5 * 256)
        level = torch.sigmoid(torch.randn(count, 1, generator=chance)).expand(-1, frames)
        shift = max(1.0, size) ** 0.5 * SHIFT
        level = shift * level / (1 + (shift - 1) * level)
        slight = torch.rand(count, 1, generator=chance) * SLIGHT
        slight = slight * (torch.rand(count, 1, generator=chance) < 0.5)
        level = torch.where(given, slight.expand_as(level), level)
        noise = torch.randn(clean.shape, generator=chance)
        at = level[:, :, None, None, None]
        noisy = (1 - at) * clean + at * noise
        left = min(1.0, (args.steps - step) / args.cool) if args.cool else 1.0
        for optimizer in both:
            for group in optimizer.param_groups:
                group["lr"] = RATE * min(1, (step + 1) / WARM) * left
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
            velocity = run(noisy, level, times, ids, plan)
        wrong = (velocity.float() - (noise - clean)).square().mean(2)
        weight = counts_of(plan, wrong.shape) * ~given[:, :, None, None]
        loss = (wrong * weight).sum() / weight.sum()
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
                "shards": len(shards),
            }
            losses = []
            print(json.dumps(line), file=log, flush=True)
            state = {
                "network": network.state_dict(),
                "average": average,
                "optimizers": [optimizer.state_dict() for optimizer in both],
                "step": step,
                "width": args.width,
                "blocks": args.blocks,
            }
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


if __name__ == "__main__":
    main()
