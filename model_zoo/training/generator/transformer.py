"""The denoiser: a diffusion transformer over patches of space and time, given words and a plan.

A token is a patch of 2x2 latents of one latent frame (16x16 pixels, four frames), with what the plan says of
it (touchstone.generator.making.staging). Blocks attend within a frame and along time by turns, and the last
two over everything and to the words, so that a thing stays itself. Rows and
columns are counted in eighths of the shorter side, so that larger pictures are the same world in finer steps.
Every latent frame has a noise level of its own: frames that are given carry 0, so that pictures are set in
motion, clips extended and joined, and keys filled in by one network.

What it learns is the velocity of a straight way from clean latents to noise (rectified flow).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from touchstone.generator.making.staging import PLANES

from .autoencoder import LATENT

PATCH = 2
HEAD = 32
"""Width of a head: of it 8 numbers turn with time, 12 with the row and 12 with the column."""
TURNS = (8, 12, 12)
SLOWEST, FASTEST = 0.05, 3.1416
WORDS = 32
"""Tokens of a prompt that are looked at; requests have at most this many."""


@dataclass(frozen=True)
class Size:
    """How large the network is."""

    width: int = 160
    blocks: int = 6
    text_blocks: int = 2
    vocabulary: int = 128
    wide: int = 2
    """The last blocks, which attend over everything."""


def waves(values: Tensor, count: int) -> Tensor:
    """Sines and cosines of numbers at `count` frequencies: `(…)` to `(…, 2 * count)`."""
    rates = torch.exp(torch.linspace(math.log(0.25), math.log(64.0), count, device=values.device))
    angles = values[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


def angles(times: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Of every token how far each pair of a head's numbers turns: `(tokens,)` each to `(tokens, HEAD / 2)`.

    Times are in latent frames of a quarter second, rows and columns in eighths of the shorter side, from the
    middle.
    """
    parts = []
    for position, numbers in zip((times, rows, columns), TURNS, strict=True):
        rates = torch.logspace(
            math.log10(SLOWEST), math.log10(FASTEST / 2), numbers // 2, device=position.device
        )
        parts.append(position.float()[..., None] * rates)
    return torch.cat(parts, -1)


def turned(x: Tensor, by: Tensor) -> Tensor:
    """Turns pairs of numbers: `(…, tokens, HEAD)` by `(…, tokens, HEAD / 2)`."""
    a, b = x.chunk(2, -1)
    cos, sin = by.cos().to(x.dtype), by.sin().to(x.dtype)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


def unit(x: Tensor) -> Tensor:
    """Queries and keys brought to one length, in float32."""
    return functional.rms_norm(x.float(), (x.shape[-1],)).to(x.dtype)


class Attention(nn.Module):
    """Attention of tokens to each other."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, by: Tensor) -> Tensor:
        """`(N, L, C)` with `(L, HEAD / 2)` or `(N, 1, L, HEAD / 2)`."""
        q, k, v = self.into(x).unflatten(-1, (3, self.heads, HEAD)).permute(2, 0, 3, 1, 4)
        q, k = turned(unit(q), by), turned(unit(k), by)
        y = functional.scaled_dot_product_attention(q, k, v)
        out: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return out


class Listening(nn.Module):
    """Attention of tokens to the words."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // HEAD
        self.ask = nn.Linear(width, width)
        self.into = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, words: Tensor, absent: Tensor) -> Tensor:
        """`(N, L, C)`, words `(N, W, C)`, `absent (N, 1, 1, W)`: minus infinity where no word is."""
        q = self.ask(x).unflatten(-1, (self.heads, HEAD)).transpose(1, 2)
        k, v = self.into(words).unflatten(-1, (2, self.heads, HEAD)).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(unit(q), unit(k), v, attn_mask=absent.to(q.dtype))
        out: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Attention (within frames, along time, or over everything), the words, and a layer of its own."""

    def __init__(self, width: int, way: str) -> None:
        super().__init__()
        self.way = way
        self.attend = Attention(width)
        self.listen = Listening(width) if way == "all" else None
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU("tanh"), nn.Linear(4 * width, width))
        self.bias = nn.Parameter(torch.zeros(6, width))

    def forward(
        self, x: Tensor, shifts: Tensor, words: Tensor, absent: Tensor, by: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        """`x (B, T, S, C)`; `shifts (B, T, 1, 6, C)`, of a frame's noise level, rate and words.

        `by`: turns within a frame `(S, …)`, along time `(1, 1, T, …)`, over everything `(1, 1, T * S, …)`.
        """
        batch, frames, places, width = x.shape
        shift1, scale1, gate1, shift2, scale2, gate2 = (shifts + self.bias).unbind(-2)
        y = functional.layer_norm(x, (width,)) * (1 + scale1) + shift1
        if self.way == "space":
            y = self.attend(y.flatten(0, 1), by[0]).unflatten(0, (batch, frames))
        elif self.way == "time":
            along = y.transpose(1, 2).flatten(0, 1)
            y = self.attend(along, by[1]).unflatten(0, (batch, places))
            y = y.transpose(1, 2)
        else:
            y = self.attend(y.flatten(1, 2), by[2]).unflatten(1, (frames, places))
        x = x + gate1 * y
        if self.listen is not None:
            heard = self.listen(functional.layer_norm(x, (width,)).flatten(1, 2), words, absent)
            x = x + heard.unflatten(1, (frames, places))
        y = functional.layer_norm(x, (width,)) * (1 + scale2) + shift2
        out: Tensor = x + gate2 * self.think(y)
        return out


class Words(nn.Module):
    """The words of a request, each knowing the others."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.meaning = nn.Embedding(size.vocabulary, width)
        self.place = nn.Parameter(torch.randn(WORDS, width) * 0.02)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, width // HEAD, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(size.text_blocks)
        )

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, WORDS)` numbers, 0 where there is none, to `(B, WORDS, C)` and their mean `(B, C)`."""
        x = self.meaning(ids) + self.place
        # The first place is always heard, so that an empty prompt is something too.
        absent = ids == 0
        absent = torch.cat([torch.zeros_like(absent[:, :1]), absent[:, 1:]], 1)
        for block in self.blocks:
            x = block(x, src_key_padding_mask=absent)
        there = (~absent)[..., None].to(x.dtype)
        return x, (x * there).sum(1) / there.sum(1)


class Denoiser(nn.Module):
    """Noisy latents, noise levels and words to the velocity."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.size = size
        self.enter = nn.Linear(LATENT * PATCH * PATCH + PLANES, width)
        self.words = Words(size)
        self.level = nn.Sequential(nn.Linear(64, width), nn.SiLU(), nn.Linear(width, width))
        self.rate = nn.Sequential(nn.Linear(16, width), nn.SiLU(), nn.Linear(width, width))
        self.modulate = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        narrow = size.blocks - size.wide
        ways = ["space" if n % 2 == 0 else "time" for n in range(narrow)] + ["all"] * size.wide
        self.blocks = nn.ModuleList(Block(width, way) for way in ways)
        self.last = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, LATENT * PATCH * PATCH)
        for layer in (self.leave, self.last, self.modulate[1]):
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, levels: Tensor, times: Tensor, ids: Tensor, plan: Tensor) -> Tensor:
        """The velocity, shaped as `x`.

        Args:
            x: `(B, T, LATENT, h, w)`, h and w even.
            levels: `(B, T)`, 1 is noise and 0 is clean.
            times: `(B, T)`, seconds of each latent frame; the same for all clips of a batch.
            ids: `(B, WORDS)` int64.
            plan: `(B, T, h * w / 4, PLANES)`; zeros where there is none.
        """
        batch, frames, _, high, wide = x.shape
        rows, columns = high // PATCH, wide // PATCH
        tokens = (
            x.reshape(batch, frames, LATENT, rows, PATCH, columns, PATCH)
            .permute(0, 1, 3, 5, 2, 4, 6)
            .reshape(batch, frames, rows * columns, -1)
        )
        row, column = places(rows, columns)
        return (
            self.tokens(tokens, levels, times, row.to(x.device), column.to(x.device), ids, plan)
            .reshape(batch, frames, rows, columns, LATENT, PATCH, PATCH)
            .permute(0, 1, 4, 2, 5, 3, 6)
            .reshape(x.shape)
        )

    def tokens(
        self,
        x: Tensor,
        levels: Tensor,
        times: Tensor,
        row: Tensor,
        column: Tensor,
        ids: Tensor,
        plan: Tensor,
    ) -> Tensor:
        """As `forward`, of patches `(B, T, S, LATENT * PATCH * PATCH)` at `row` and `column`, each `(S,)`."""
        y = self.enter(torch.cat([x, plan], -1))
        words, said = self.words(ids)
        absent = torch.where(ids == 0, -1e4, 0.0)
        absent = torch.cat([torch.zeros_like(absent[:, :1]), absent[:, 1:]], 1)[:, None, None]
        step = times.diff(dim=1).mean(1) if times.shape[1] > 1 else torch.full_like(times[:, 0], 0.25)
        condition = self.level(waves(levels * 8, 32)) + (self.rate(waves(step, 8)) + said)[:, None]
        shifts = self.modulate(condition).unflatten(-1, (6, self.size.width))[:, :, None]
        at = (times[:1] * 4 - (times[:1] * 4).mean(1, keepdim=True)).float()
        still, none = torch.zeros_like(row), torch.zeros_like(at)
        space = angles(still, row, column)
        time = angles(at, none, none)[:, None]
        both = (angles(at, none, none)[:, :, None] + space).flatten(1, 2)[:, None]
        for block in self.blocks:
            y = block(y, shifts, words, absent, (space, time, both))
        shift, scale = self.last(functional.silu(condition))[:, :, None].chunk(2, -1)
        y = functional.layer_norm(y, (self.size.width,)) * (1 + scale) + shift
        out: Tensor = self.leave(y)
        return out


def places(rows: int, columns: int) -> tuple[Tensor, Tensor]:
    """Row and column of each patch, `(rows * columns,)` each, in eighths of the shorter side from the
    middle."""
    finer = 8 / min(rows, columns)
    row = (torch.arange(rows).float() - (rows - 1) / 2) * finer
    column = (torch.arange(columns).float() - (columns - 1) / 2) * finer
    return row.repeat_interleave(columns), column.repeat(rows)
