"""Trains the captioner's network on rendered frames; seeded, resumable, and writes it as ONNX.

usage: python -m generator.train_captioner --work DIR [--steps N] [--threads N] [--out FILE.onnx]

What a step sees depends on its number alone. Frames are blurred, scaled, coarsened as by a video codec and
given noise, so that clips that an autoencoder or a codec has been over are read as well.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from touchstone.generator.seeing import layout
from touchstone.generator.world import RADIUS, Colour, Light, Scene, Shape, render, sample_scene
from touchstone.generator.world.motion import place, view

from .captioner import Captioner

SEED = 23
BATCH = 32
RATE = 2e-3
WARM = 100
SAVE_EVERY = 100
SIZES = ((128, 128), (128, 128), (176, 128), (128, 176))
HELD_OUT_SEEDS = 10_000_000
"""Scenes from this seed on are for measuring; see fit_encoder."""
OPSET = 17


@dataclasses.dataclass(frozen=True)
class Truth:
    """Attributes:
    cells: `(PLANES, h, w) float32`: the middle's plane from 0 to 1, the class planes one-hot.
    counted: `(h, w) bool`: where the class planes, the radius and the offsets are known.
    ignored: `(h, w) bool`: where the middle's plane is not counted.
    """

    cells: NDArray[np.float32]
    counted: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def varied(seed: int, draw: random.Random) -> Scene:
    """A scene as it is sampled, or one with colours and shapes that the sampler would not put together."""
    scene = sample_scene(seed)
    if draw.random() < 0.7:
        return scene
    colour, shape = draw.choice(list(Colour)), draw.choice(list(Shape))
    alike = draw.random() < 0.5
    things = tuple(
        dataclasses.replace(
            thing,
            colour=colour if alike or draw.random() < 0.3 else draw.choice(list(Colour)),
            shape=shape if alike or draw.random() < 0.3 else draw.choice(list(Shape)),
            x=thing.x + draw.uniform(-0.2, 0.2),
        )
        for thing in scene.things
    )
    return dataclasses.replace(scene, things=things)


def truth(scene: Scene, second: float, width: int, height: int) -> Truth:
    """What the network should say about a frame of a scene."""
    unit = min(width, height) / 2
    rows, columns = height // layout.CELL, width // layout.CELL
    cells = np.zeros((layout.PLANES, rows, columns), np.float32)
    counted = np.zeros((rows, columns), bool)
    ignored = np.zeros((rows, columns), bool)
    cells[layout.BACKGROUND.start + layout.BACKGROUNDS.index(scene.background)] = 1
    cells[layout.LIGHT.start + layout.LIGHTS.index(scene.light)] = 1
    seen = view(scene, second)
    down, across = np.mgrid[:rows, :columns].astype(np.float32) + 0.5
    found: list[tuple[float, float, float]] = []
    for thing in reversed(scene.things):  # from the front to the back
        x, y = place(thing, second, seen, width / 2 / unit, height / 2 / unit)
        radius = RADIUS[thing.size] * seen.zoom
        px = (width / 2 + x * seen.zoom * unit) / layout.CELL
        py = (height / 2 + y * seen.zoom * unit) / layout.CELL
        far = np.hypot(across - px, down - py)
        size = radius * unit / layout.CELL
        hidden = any(math.hypot(px - a, py - b) < 0.6 * s and s > 0.6 * size for a, b, s in found)
        found.append((px, py, size))
        if not (0 <= px < columns and 0 <= py < rows) or hidden:
            ignored |= far < max(2.0, 0.5 * size)
            continue
        cells[layout.MIDDLE] = np.maximum(
            cells[layout.MIDDLE], np.exp(-(far**2) / (2 * max(1.0, size / 5) ** 2))
        )
        row, column = int(py), int(px)
        cells[layout.MIDDLE, row, column] = 1
        own = far < max(1.5, size / 4)
        own[row, column] = True
        own &= ~counted  # what is in front was there first
        counted |= own
        cells[layout.COLOUR.start + layout.COLOURS.index(thing.colour), own] = 1
        cells[layout.SHAPE.start + layout.SHAPES.index(thing.shape), own] = 1
        cells[layout.RADIUS, own] = math.log(radius)
        cells[layout.ACROSS, own] = (px - across)[own]
        cells[layout.DOWN, own] = (py - down)[own]
    return Truth(cells, counted, ignored & (cells[layout.MIDDLE] < 1))


def batch(number: int, *, size: tuple[int, int] | None = None, first_seed: int = 0) -> tuple[Tensor, ...]:
    """Frames and truths of a step: `(B, 3, H, W)` from 0 to 255, cells, counted, ignored."""
    draw = random.Random(SEED * 1_000_003 + number + first_seed)  # noqa: S311 - pictures, no secret
    width, height = size or SIZES[number % len(SIZES)]
    frames, truths = [], []
    for _ in range(BATCH):
        scene = varied(first_seed + draw.randrange(HELD_OUT_SEEDS), draw)
        second = draw.choice([0.0, draw.uniform(0, 3), draw.uniform(0, 20)])
        (frame,) = render(scene, width, height, 1, 16, start_s=second)
        if frame.std() < 2 and scene.light is Light.NIGHT:
            continue
        frames.append(frame)
        truths.append(truth(scene, second, width, height))
    pictures = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float()
    return (
        pictures,
        torch.from_numpy(np.stack([t.cells for t in truths])),
        torch.from_numpy(np.stack([t.counted for t in truths])),
        torch.from_numpy(np.stack([t.ignored for t in truths])),
    )


def _cosines() -> Tensor:
    k = torch.arange(8).float()
    table = torch.cos(math.pi * (2 * k[None] + 1) * k[:, None] / 16) / 2
    table[0] /= math.sqrt(2)
    return table


def worn(frames: Tensor, draw: random.Random) -> Tensor:
    """Frames as codecs, autoencoders and scaling leave them, each quarter of the batch in its own way."""
    parts = []
    for part in frames.chunk(4):
        x = part
        if draw.random() < 0.35:
            small = functional.interpolate(x, scale_factor=draw.choice([0.5, 0.6, 0.75]), mode="area")
            x = functional.interpolate(small, size=part.shape[2:], mode="bilinear")
        if draw.random() < 0.5:
            sigma = draw.uniform(0.4, 2.0)
            line = torch.exp(-(torch.arange(-4, 5).float() ** 2) / (2 * sigma**2))
            kernel = (line / line.sum()).expand(3, 1, 1, 9)
            x = functional.conv2d(functional.pad(x, (4, 4, 0, 0), "replicate"), kernel, groups=3)
            x = functional.conv2d(functional.pad(x, (0, 0, 4, 4), "replicate"), kernel.mT, groups=3)
        if draw.random() < 0.4:
            table = _cosines()
            blocks = x.unflatten(2, (-1, 8)).unflatten(4, (-1, 8)).transpose(3, 4)
            waves = table @ blocks @ table.T
            step = draw.uniform(8, 60) * (1 + torch.arange(8)[:, None] + torch.arange(8)) / 4
            waves = torch.round(waves / step) * step
            x = (table.T @ waves @ table).transpose(3, 4).flatten(4, 5).flatten(2, 3)
        if draw.random() < 0.4:
            x = x + draw.uniform(1, 7) * torch.randn_like(x)
        gain = 1 + 0.06 * torch.randn(len(x), 3, 1, 1)
        parts.append(((x - 128) * gain + 128 + 5 * torch.randn(len(x), 3, 1, 1)).clamp(0, 255))
    return torch.cat(parts)


def losses(said: Tensor, cells: Tensor, counted: Tensor, ignored: Tensor) -> dict[str, Tensor]:
    """Penalty-reduced focal loss for middles (arXiv:1904.07850, eq. 1), cross entropy for the rest."""
    heat, logit = cells[:, layout.MIDDLE], said[:, layout.MIDDLE].clamp(-12, 12)
    chance = torch.sigmoid(logit)
    hit = heat == 1
    gain = torch.where(
        hit,
        (1 - chance) ** 2 * functional.logsigmoid(logit),
        (1 - heat) ** 4 * chance**2 * functional.logsigmoid(-logit),
    )
    found = {"middle": -(gain * ~ignored).sum() / hit.sum().clamp(min=1)}
    at = counted.nonzero(as_tuple=True)

    def here(planes: slice | int) -> Tensor:
        return (
            said[at[0], planes, at[1], at[2]]
            if isinstance(planes, int)
            else said[:, planes][at[0], :, at[1], at[2]]
        )

    for name, planes in (("colour", layout.COLOUR), ("shape", layout.SHAPE)):
        found[name] = functional.cross_entropy(here(planes), cells[:, planes].argmax(1)[at])
    for name, plane, weight in (
        ("radius", layout.RADIUS, 2.0),
        ("across", layout.ACROSS, 0.3),
        ("down", layout.DOWN, 0.3),
    ):
        found[name] = weight * functional.smooth_l1_loss(here(plane), cells[:, plane][at], beta=0.1)
    for name, planes in (("background", layout.BACKGROUND), ("light", layout.LIGHT)):
        found[name] = 0.5 * functional.cross_entropy(said[:, planes, 0, 0], cells[:, planes, 0, 0].argmax(1))
    return found


def export(network: Captioner, out: Path) -> None:
    """Write the network as ONNX, for frames of any number and size."""
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, 3, 128, 176),),
        str(out),
        input_names=["frames"],
        output_names=["cells"],
        dynamic_axes={
            "frames": {0: "n", 2: "height", 3: "width"},
            "cells": {0: "n", 2: "rows", 3: "columns"},
        },
        opset_version=OPSET,
        dynamo=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    args.work.mkdir(parents=True, exist_ok=True)
    kept = args.work / "captioner.pt"
    network = Captioner().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995), use_buffers=True
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    step = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
    started, sums = time.monotonic(), dict[str, float]()
    while step < args.steps:
        torch.manual_seed(SEED + step)
        rate = RATE * min(1, (step + 1) / WARM) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / args.steps)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        frames, cells, counted, ignored = batch(step)
        frames = worn(frames, random.Random(step)).to(memory_format=torch.channels_last)  # noqa: S311
        network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            said = network(frames)
        parts = losses(said.float(), cells, counted, ignored)
        optimiser.zero_grad()
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(network)
        step += 1
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value.item() / SAVE_EVERY
        if step % SAVE_EVERY == 0 or step == args.steps:
            unfinished = kept.with_suffix(".part")
            torch.save(
                {
                    "network": network.state_dict(),
                    "average": average.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "step": step,
                },
                unfinished,
            )
            unfinished.rename(kept)
            told = " ".join(f"{name} {value:.4f}" for name, value in sums.items())
            print(f"{step} {time.monotonic() - started:.0f} s {told}", flush=True)
            sums = {}
    if args.out:
        export(average.module, args.out)


if __name__ == "__main__":
    main()
