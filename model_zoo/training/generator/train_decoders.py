"""Trains more decoders of the same latents, each enlarging in its own way; the encoder stays as it is.

usage: python -m generator.train_decoders --corpus DIR --work DIR --way shuffle|nearest|transposed|wavelet
           [--steps N] [--threads N]

Begins with the trunk of the decoder that train_autoencoder.py made. Seeded, resumable; what a step sees
depends on its number alone.
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

from .autoencoder import WAYS, Decoder, Encoder
from .clips import rendered
from .train_autoencoder import (
    BATCH,
    FRAMES,
    GROUPS,
    HELD_OUT_SEEDS,
    SAVE_EVERY,
    SIDE,
    groups_of,
    loss_of,
    measure,
    real_crops,
    tensor,
)

SEED = 23
RATE = 6e-4
WARM = 30


def begun(way: str, trained: dict[str, torch.Tensor]) -> Decoder:
    """A decoder with the trained trunk; for the way that was trained, all of it."""
    decoder = Decoder(way)
    fresh = decoder.state_dict()
    own = () if way == "shuffle" else ("grow.", "leave.")
    decoder.load_state_dict({n: fresh[n] if n.startswith(own or ("none",)) else trained[n] for n in fresh})
    return decoder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--way", choices=WAYS, required=True)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    real = real_crops(args.corpus, args.work / "real_training.npy", training=True)
    test_real = list(real_crops(args.corpus, args.work / "real_held_out.npy", training=False))[::3][:40]
    test_drawn = [rendered(HELD_OUT_SEEDS + n, SIDE, FRAMES) for n in range(40)]
    trained = torch.load(args.work / "autoencoder.pt", weights_only=True)
    encoder = Encoder().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    encoder.load_state_dict(trained["encoder"])
    decoder = begun(args.way, trained["decoder"]).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(
        decoder.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3, fused=True
    )
    checkpoint = args.work / f"decoder-{args.way}.pt"
    step = 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        decoder.load_state_dict(kept["decoder"])
        optimizer.load_state_dict(kept["optimizer"])
        step = kept["step"]
    log = (args.work / "decoders.jsonl").open("a", encoding="utf-8")
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
        for group in optimizer.param_groups:
            group["lr"] = (
                RATE * min(1, (step + 1) / WARM) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
            )
        with torch.autocast("cpu", dtype=torch.bfloat16):
            with torch.no_grad():
                latents = encoder(x, GROUPS)
            made = decoder(latents + 0.05 * torch.randn_like(latents), GROUPS)
        loss = loss_of(made.float(), x)
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
            if step == args.steps:
                line["psnr_rendered"] = round(measure(encoder, decoder, test_drawn), 2)
                line["psnr_real"] = round(measure(encoder, decoder, test_real), 2)
            losses = []
            print(json.dumps(line), file=log, flush=True)
            state = {"decoder": decoder.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, checkpoint.with_suffix(".part"))
            checkpoint.with_suffix(".part").rename(checkpoint)


if __name__ == "__main__":
    main()
