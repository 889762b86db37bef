"""Trains the upsampler on rendered pictures and what the autoencoder leaves of their halves.

usage: python -m generator.train_upsampler --work DIR [--steps N] [--threads N]

What it is shown went through encoder and decoder with noise on the latents, so that it also mends what these
do to edges. Seeded, resumable; what a step sees depends on its number alone.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .autoencoder import GROUP, Decoder, Encoder
from .clips import Clip
from .fit_encoder import DRAWN, HELD_DRAWN, mapped
from .train_decoders import encoder_of, loss_of, psnr, share_of_rate, tensor
from .upsampler import Upsampler, smaller

SEED = 31
BATCH = 16
RATE = 2e-3
WARM = 50
NOISE = 0.3
"""Of latents, at most."""
WORN = 0.7
"""How often what is enlarged went through the autoencoder."""
SAVE_EVERY = 50


def pair(
    clips: list[Clip], coders: tuple[Encoder, Decoder], chance: torch.Generator, worn: Tensor
) -> tuple[Tensor, Tensor]:
    """Pictures at half size, some of them worn, and whole: `(B, 3, H/2, W/2)` and `(B, 3, H, W)`."""
    large = tensor(clips)[:, 0]
    small = smaller(large)
    encoder, decoder = coders
    with torch.no_grad():
        latents = encoder(small.repeat(1, GROUP, 1, 1))
        size = NOISE * torch.rand(len(small), 1, 1, 1, generator=chance)
        latents = latents + size * torch.randn(latents.shape, generator=chance)
        through = decoder(latents)[:, -3:].clamp(-1, 1)
    return torch.where(worn[:, None, None, None], through, small), large


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    drawn, held = mapped(args.work / DRAWN), mapped(args.work / HELD_DRAWN)
    encoder, decoder = encoder_of(args.work), Decoder()
    decoder.load_state_dict(torch.load(args.work / "decoder-shuffle.pt", weights_only=True)["decoder"])
    network = Upsampler()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-4)
    checkpoint = args.work / "upsampler.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["upsampler"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    log = (args.work / "upsampler.jsonl").open("a", encoding="utf-8")
    started, losses = time.monotonic(), []
    while step < args.steps:
        draw = random.Random(SEED * 1_000_003 + step)  # noqa: S311 - what to train on, no secret
        clips = [drawn[draw.randrange(len(drawn))] for _ in range(BATCH)]
        frames = [np.asarray(clip[(n := draw.randrange(len(clip))) : n + 1]) for clip in clips]
        chance = torch.Generator().manual_seed(SEED + step)
        small, large = pair(frames, (encoder, decoder), chance, torch.rand(BATCH, generator=chance) < WORN)
        for group in optimizer.param_groups:
            group["lr"] = RATE * share_of_rate(step, args.steps, WARM)
        loss = loss_of(network(small), large)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        step += 1
        if step % SAVE_EVERY == 0 or step == args.steps:
            line = {
                "step": step,
                "loss": round(float(np.mean(losses)), 4),
                "seconds": round(time.monotonic() - started, 1),
            }
            if step % (10 * SAVE_EVERY) == 0 or step == args.steps:
                line |= measured(network, (encoder, decoder), held)
            losses = []
            print(json.dumps(line), file=log, flush=True)
            state = {"upsampler": network.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


def measured(network: Upsampler, coders: tuple[Encoder, Decoder], held: Clip) -> dict[str, float]:
    """PSNR on held-out pictures, dB: enlarged by the network and by bicubic interpolation, clean and worn."""
    found = {}
    with torch.no_grad():
        for name, worn in (("clean", False), ("worn", True)):
            chance = torch.Generator().manual_seed(SEED)
            small, large = pair(
                [np.asarray(clip[:1]) for clip in held], coders, chance, torch.full((len(held),), worn)
            )
            usual = functional.interpolate(small, scale_factor=2.0, mode="bicubic", align_corners=False)
            for how, made in (("", network(small)), ("_bicubic", usual)):
                values = [psnr(a, b) for a, b in zip(made, large, strict=True)]
                found[name + how] = round(float(np.mean(values)), 2)
    return found


if __name__ == "__main__":
    main()
