"""Trains the net on residuals (residuals.py) on cached patches: seeded, and it goes on where it was ended.

What a step sees depends on the seed and the number of the step alone. The net that is used is a running mean
of the weights (Polyak and Juditsky, 1992), so that where it is stopped matters less, and each stop is a net.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from .cache import read
from .conditions import WHOLE
from .residuals import Residuals
from .table import Row, group

PATCH = 128
EVERY = 50
"""Steps between two checkpoints."""


@dataclass(frozen=True)
class Course:
    """How the net is trained; README.md says what the values were chosen on.

    Attributes:
        steps: until it stops.
        batch: parts of patches in a step, half of them generated.
        side: pixels of a part.
        rate: of AdamW.
        smoothing: what is taken off the certainty of labels.
        keep: of the mean of weights, from step to step.
        seeds: how many nets are trained; their logits are averaged.
        weight: of their logit beside the discriminant's.
    """

    steps: int = 250
    batch: int = 64
    side: int = 64
    rate: float = 1.5e-3
    decay: float = 1e-2
    smoothing: float = 0.05
    keep: float = 0.98
    seeds: int = 1
    weight: float = 0.25


class Sampler:
    """Draws parts of patches: a class by turns, in it a group by the root of its clips, then a clip of it."""

    def __init__(self, cache: Path, rows: Sequence[Row], course: Course, seed: int) -> None:
        self._cache, self._course, self._seed = cache, course, seed
        self._classes: list[tuple[list[list[Row]], NDArray[np.float64]]] = []
        for target in (0, 1):
            groups: dict[str, list[Row]] = {}
            for row in rows:
                if row.target == target:
                    groups.setdefault(group(row), []).append(row)
            members = [groups[name] for name in sorted(groups)]
            weights = np.sqrt([len(part) for part in members])
            self._classes.append((members, weights / weights.sum()))

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Parts `(batch, 3, side * 3 / 2, side)` and targets of a step; always the same for one seed."""
        chance = np.random.default_rng([self._seed, step])
        side, half = self._course.side, self._course.side // 2
        parts = np.empty((self._course.batch, 3, side + half, side), np.float32)
        targets = np.arange(self._course.batch) % 2
        for part, target in zip(parts, targets, strict=True):
            members, weights = self._classes[target]
            chosen = members[chance.choice(len(members), p=weights)]
            row = chosen[chance.integers(len(chosen))]
            found = read(self._cache, row.clip, row.condition, mapped=True)
            if found is None:
                raise ValueError(f"{row.clip.file} has no patches as {row.condition}; make the cache first")
            patch = found[chance.integers(len(found))]
            y, x = chance.integers((PATCH - side) // 2 + 1, size=2)
            part[:, :side] = patch[:, 2 * y : 2 * y + side, 2 * x : 2 * x + side]
            for start in (0, half):
                left = start * PATCH // side + x
                part[:, side:, start : start + half] = patch[
                    :, PATCH + y : PATCH + y + half, left : left + half
                ]
            self._turn(part, chance)
        return torch.from_numpy(parts), torch.from_numpy(targets).float()

    def _turn(self, part: NDArray[np.float32], chance: np.random.Generator) -> None:
        """Mirror it, and run it backwards, each half of the time."""
        side, half = self._course.side, self._course.side // 2
        backwards, mirrored, tipped = chance.integers(2, size=3)
        if backwards:
            part[:] = part[::-1].copy()
        for rows, columns in (
            (slice(0, side), slice(0, side)),
            (slice(side, None), slice(0, half)),
            (slice(side, None), slice(half, None)),
        ):
            plane = part[:, rows, columns]
            if mirrored:
                plane[:] = plane[:, :, ::-1].copy()
            if tipped:
                plane[:] = plane[:, ::-1].copy()


def trained(
    cache: Path, rows: Sequence[Row], course: Course, seed: int, kept: Path, stops: Sequence[int] = ()
) -> dict[int, Residuals]:
    """The net after `course.steps` and at each of `stops`.

    Args:
        rows: what it is trained on.
        kept: where the state is kept, so that a run that was ended goes on; the nets at the stops beside it.

    Raises:
        ValueError: another course was begun in that place.
    """
    _same_course(course, kept.with_suffix(".json"))
    torch.manual_seed(seed)
    net = Residuals().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(net).requires_grad_(False)
    optimizer = torch.optim.AdamW(net.parameters(), course.rate, weight_decay=course.decay)
    wanted = sorted({*stops, course.steps})
    start = 0
    if kept.is_file():
        state = torch.load(kept)
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["mean"])
        optimizer.load_state_dict(state["optimizer"])
        start = state["step"]
    sampler = Sampler(cache, rows, course, seed)
    for step in range(start, wanted[-1]):
        torch.manual_seed(seed * 100003 + step)
        parts, targets = sampler.batch(step)
        net.train()
        for entry in optimizer.param_groups:
            entry["lr"] = course.rate * min(1.0, (step + 1) / 30)
        logits = net(parts.to(memory_format=torch.channels_last))
        smooth = targets * (1 - 2 * course.smoothing) + course.smoothing
        loss = nn.functional.binary_cross_entropy_with_logits(logits, smooth)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimizer.step()
        keep = min(course.keep, (step + 1) / (step + 10))
        for old, new in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.mul_(keep).add_(new.detach(), alpha=1 - keep)
        if (step + 1) % EVERY == 0 or step + 1 in wanted:
            print(f"{kept.stem}: step {step + 1}, loss {loss.item():.3f}", flush=True)
            _write({"net": net, "mean": mean, "optimizer": optimizer, "step": step + 1}, kept)
        if step + 1 in wanted:
            _write({"mean": mean}, _stop(kept, step + 1))
    found = {}
    for stop in wanted:
        one = Residuals()
        one.load_state_dict(torch.load(_stop(kept, stop))["mean"])
        found[stop] = one.folded()
    return found


def _same_course(course: Course, path: Path) -> None:
    """Note how a net is trained, or see that it was begun so; how far and beside what it goes may change."""
    asked = {k: v for k, v in asdict(course).items() if k not in ("steps", "seeds", "weight")}
    if path.is_file():
        if json.loads(path.read_text(encoding="utf-8")) != asked:
            raise ValueError(f"{path}: was begun in another way; move the folder away to start anew")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asked), encoding="utf-8")


def _stop(kept: Path, step: int) -> Path:
    return kept.with_name(f"{kept.stem}-{step}.pt")


def _write(state: dict[str, object], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save({k: v if isinstance(v, int) else v.state_dict() for k, v in state.items()}, part)  # type: ignore[attr-defined]
    part.rename(path)


def ensemble(cache: Path, rows: Sequence[Row], course: Course, kept: Path) -> list[Residuals]:
    """The nets of all seeds, trained on `rows`; their states are files that start with the name `kept`."""
    return [
        trained(cache, rows, course, seed, kept.with_name(f"{kept.name}-seed-{seed}.pt"))[course.steps]
        for seed in range(course.seeds)
    ]


def held_out(
    cache: Path, training: Sequence[Row], tested: Sequence[Row], course: Course, folder: Path
) -> NDArray[np.float64]:
    """What nets say of each of `tested` that have met neither its family nor its source, in their order.

    Args:
        folder: keeps the nets of each fold and what they said, so that a run that was ended goes on.
    """
    scores = np.zeros(len(tested))
    for fold in sorted({row.fold for row in tested}):
        nets = of_fold(cache, training, course, folder, fold)
        path = folder / f"fold-{fold}.scores.json"
        known: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        for number, row in enumerate(tested):
            if row.fold != fold:
                continue
            name = f"{row.condition}/{row.clip.name}"
            if name not in known:
                known[name] = float(np.mean([scored(net, cache, [row])[0] for net in nets]))
            scores[number] = known[name]
        path.write_text(json.dumps(known), encoding="utf-8")
        print(f"fold {fold}: scored by nets", flush=True)
    return course.weight * scores


def of_fold(cache: Path, training: Sequence[Row], course: Course, folder: Path, fold: int) -> list[Residuals]:
    """The nets that have met nothing of a fold."""
    return ensemble(cache, [row for row in training if row.fold != fold], course, folder / f"fold-{fold}")


def scored(net: Residuals, cache: Path, rows: Sequence[Row]) -> NDArray[np.float64]:
    """The mean logit of each row's patches: all of them where all are measured, else every second."""
    found = []
    for row in rows:
        patches = read(cache, row.clip, row.condition)
        if patches is None:
            raise ValueError(f"{row.clip.file} has no patches as {row.condition}; make the cache first")
        seen = patches if row.condition in WHOLE else patches[::2]
        with torch.inference_mode():
            logits = net(torch.from_numpy(seen).float().to(memory_format=torch.channels_last))
        found.append(float(logits.mean()))
    return np.array(found)
