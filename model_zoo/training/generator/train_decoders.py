"""Trains a decoder of the latents, one of four that enlarge in their own ways; the encoder stays as it is.

usage: python -m generator.train_decoders --work DIR --way shuffle|nearest|transposed|wavelet
           [--steps N] [--threads N] [--minutes M]

Seeded, resumable; what a step sees depends on its number alone. Latents carry a little noise, drawn anew for
each clip, so that a decoder forgives what the denoiser leaves.
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

from .autoencoder import GROUP, WAYS, Decoder, Encoder
from .clips import Clip
from .fit_encoder import DRAWN, HELD_DRAWN, HELD_REAL, REAL, mapped

SEED = 23
BATCH = 16
RATE = 1e-3
WARM = 50
NOISE = 0.15
"""Of latents, at most; their components' spread is 10 to 0.3."""
STILL = 0.25
"""How often a group is one frame four times, as the first of a clip is."""
SAVE_EVERY = 50


def groups_of(clips: Tensor) -> Tensor:
    """`(B, 4k, 3, H, W)` to `(B * k, 12, H, W)`."""
    return clips.unflatten(1, (-1, GROUP)).flatten(2, 3).flatten(0, 1)


def tensor(clips: list[Clip]) -> Tensor:
    """Clips as `(B, T, 3, H, W)` from -1 to 1."""
    return torch.from_numpy(np.stack(clips)).permute(0, 1, 4, 2, 3).float() / 127.5 - 1


def batch_of(step: int, sets: tuple[Clip, ...]) -> Tensor:
    """Groups of four frames, `(BATCH, 12, H, W)`, as many of each set; mirrored half of the time."""
    draw = random.Random(SEED * 1_000_003 + step)  # noqa: S311 - what to train on, no secret
    found = []
    for number in range(BATCH):
        clips = sets[number % len(sets)]
        clip = np.asarray(clips[draw.randrange(len(clips))])
        first = draw.randrange(len(clip) - GROUP + 1)
        group = clip[first : first + GROUP]
        if draw.random() < STILL:
            group = group[:1].repeat(GROUP, 0)
        found.append(group[:, :, ::-1].copy() if draw.random() < 0.5 else group)
    return groups_of(tensor(found))


def loss_of(made: Tensor, wanted: Tensor) -> Tensor:
    """Absolute and squared differences of pixels, and of steps between neighbours at two scales."""
    loss = functional.l1_loss(made, wanted) + 2 * functional.mse_loss(made, wanted)
    for scale in (1, 2):
        a, b = (made, wanted) if scale == 1 else (functional.avg_pool2d(t, 2) for t in (made, wanted))
        loss = loss + 0.1 * functional.l1_loss(a.diff(dim=-1), b.diff(dim=-1))
        loss = loss + 0.1 * functional.l1_loss(a.diff(dim=-2), b.diff(dim=-2))
    return loss


def psnr(made: Tensor, wanted: Tensor) -> float:
    """Peak signal to noise ratio, dB, after rounding to 8 bits."""
    rounded = [((t.clamp(-1, 1) + 1) * 127.5).round() for t in (made, wanted)]
    squared = (rounded[0] - rounded[1]).square().mean().clamp_min(0.05)
    return float(10 * torch.log10(255**2 / squared))


def measure(encoder: Encoder, decoder: Decoder, clips: Clip) -> float:
    """Mean over clips of the PSNR of what was encoded and decoded, dB."""
    with torch.no_grad():
        values = []
        for clip in clips:
            x = groups_of(tensor([np.asarray(clip)]))
            values.append(psnr(decoder(encoder(x)), x))
    return float(np.mean(values))


def share_of_rate(step: int, steps: int, warm: int) -> float:
    """Of the full rate: rising over the first `warm` steps, then falling to a fiftieth along a cosine."""
    return min(1, (step + 1) / warm) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def encoder_of(work: Path) -> Encoder:
    """The encoder that fit_encoder.py made."""
    encoder = Encoder()
    encoder.load_state_dict(torch.load(work / "encoder.pt", weights_only=True))
    return encoder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    sets = mapped(args.work / DRAWN), mapped(args.work / REAL)
    held = mapped(args.work / HELD_DRAWN), mapped(args.work / HELD_REAL)
    encoder = encoder_of(args.work)
    decoder = Decoder(args.way)
    decoder.begin(encoder)
    optimizer = torch.optim.AdamW(
        decoder.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True
    )
    checkpoint = args.work / f"decoder-{args.way}.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        decoder.load_state_dict(state["decoder"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    log = (args.work / "decoders.jsonl").open("a", encoding="utf-8")
    started, losses = time.monotonic(), []
    while step < args.steps and time.monotonic() - started < 60 * args.minutes:
        x = batch_of(step, sets)
        for group in optimizer.param_groups:
            group["lr"] = RATE * share_of_rate(step, args.steps, WARM)
        chance = torch.Generator().manual_seed(SEED + step)
        with torch.no_grad():
            latents = encoder(x)
            size = NOISE * torch.rand(len(x), 1, 1, 1, generator=chance)
            latents = latents + size * torch.randn(latents.shape, generator=chance)
        loss = loss_of(decoder(latents), x)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        step += 1
        if step % SAVE_EVERY == 0 or step == args.steps:
            line = {
                "way": args.way,
                "step": step,
                "loss": round(float(np.mean(losses)), 4),
                "seconds": round(time.monotonic() - started, 1),
            }
            if step % (10 * SAVE_EVERY) == 0 or step == args.steps:
                line["psnr_rendered"], line["psnr_real"] = (
                    round(measure(encoder, decoder, clips), 2) for clips in held
                )
            losses = []
            print(json.dumps(line), file=log, flush=True)
            state = {"decoder": decoder.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


if __name__ == "__main__":
    main()
