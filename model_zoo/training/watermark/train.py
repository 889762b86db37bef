"""Trains the watermark decoder on the examples that `data.py` made.

Seeded and resumable: a checkpoint holds the network, the optimizer and the step, batches depend on the step
alone, and the log beside it (log.jsonl) is kept with the model.

usage: train.py --data DIR --out DIR [--steps N] [--threads N]
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from network import FOLD, Decoder
from torch import Tensor
from torch.nn import functional

SEED = 7
BATCH = 8
CROP = 128
RATE = 2e-3
SAVE_EVERY = 100
VALIDATE_EVERY = 250


def crop(path: Path, draw: random.Random) -> tuple[Tensor, Tensor]:
    """A square of one run, turned and mirrored at random, and what was embedded there."""
    with np.load(path) as example:
        frames, pattern = example["frames"], example["pattern"]
    run = frames[draw.randrange(len(frames))]
    top = draw.randrange(run.shape[1] - CROP + 1)
    left = draw.randrange(run.shape[2] - CROP + 1)
    x = torch.from_numpy(run[:, top : top + CROP, left : left + CROP].astype(np.float32))
    y = torch.from_numpy(pattern[top : top + CROP, left : left + CROP].astype(np.float32))[None]
    turns, mirrored = draw.randrange(4), draw.random() < 0.5
    x, y = torch.rot90(x, turns, (1, 2)), torch.rot90(y, turns, (1, 2))
    if mirrored:
        x, y = x.flip(2), y.flip(2)
    # The mark is as likely to lower a point: the same frames without it, seen from the other side.
    if draw.random() < 0.5:
        x, y = 255 - x, -y
    return x, y


def loss_of(logits: Tensor, pattern: Tensor) -> Tensor:
    """How badly the logits tell raised points from lowered ones; points in between count for less."""
    return functional.binary_cross_entropy_with_logits(logits, (pattern > 0).float(), weight=pattern.abs())


def validate(network: Decoder, files: Sequence[Path]) -> dict[str, float]:
    """Loss, and correlation with what was embedded, over the first run of each held-out example."""
    network.eval()
    losses, correlations = [], []
    with torch.no_grad():
        for path in files:
            with np.load(path) as example:
                run, pattern = example["frames"][0], example["pattern"]
            height, width = (side // FOLD * FOLD for side in run.shape[1:])
            x = torch.from_numpy(run[None, :, :height, :width].astype(np.float32))
            y = torch.from_numpy(pattern[None, None, :height, :width].astype(np.float32))
            logits = network(x)
            losses.append(loss_of(logits, y).item())
            correlations.append(float((logits * y).sum() / (logits.norm() * y.norm())))
    network.train()
    return {"loss": round(float(np.mean(losses)), 5), "correlation": round(float(np.mean(correlations)), 5)}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--data", type=Path, required=True, help="folder with training/ and validation/")
    ask.add_argument("--out", type=Path, required=True, help="where the checkpoint and the log go")
    ask.add_argument("--steps", type=int, default=4000)
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--width", type=int, default=48)
    given = ask.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(SEED)
    files = sorted((given.data / "training").glob("[0-9]*[0-9].npz"), key=lambda p: int(p.stem))
    held = sorted((given.data / "validation").glob("[0-9]*[0-9].npz"), key=lambda p: int(p.stem))
    if not files or not held:
        raise SystemExit(f"{given.data}: has no examples; make them with make_data.py")
    network = Decoder(given.width)
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-4)
    given.out.mkdir(parents=True, exist_ok=True)
    checkpoint, log = given.out / "checkpoint.pt", given.out / "log.jsonl"
    step = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        step = saved["step"]
    started = time.monotonic()
    recent: list[float] = []
    while step < given.steps:
        draw = random.Random(SEED * 1_000_003 + step)  # noqa: S311 - a batch, no secret
        batch = [crop(draw.choice(files), draw) for _ in range(BATCH)]
        x, y = (torch.stack(part) for part in zip(*batch, strict=True))
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 100)
            group["lr"] = RATE * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / given.steps)))
        loss = loss_of(network(x), y)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
        step += 1
        if step % SAVE_EVERY == 0 or step == given.steps:
            draft = checkpoint.with_suffix(".part")
            torch.save(
                {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, draft
            )
            draft.replace(checkpoint)
        if step % VALIDATE_EVERY == 0 or step == given.steps:
            line = {
                "step": step,
                "training_loss": round(float(np.mean(recent)), 5),
                **{f"validation_{name}": value for name, value in validate(network, held).items()},
                "seconds": round(time.monotonic() - started),
            }
            recent = []
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
