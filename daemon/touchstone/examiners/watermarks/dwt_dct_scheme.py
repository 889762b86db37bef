"""Looks for known DWT-DCT messages in a clip: votes pooled over frames, at its size and at the embedder's.

Each is read as it is and turned left for right, since some who hide where a clip is from mirror it. Every way
that is tried has its share in the bound of false readings, whether it gives anything or not.

The scheme's low band is one value for each square of two pixels, which is just what a 4:2:0 stream stores of
its chroma. So the votes are read from the decoded Cb plane, without ever making RGB pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...media.frames import Frame, Run
from .dwt_dct import BLOCK, MIN_AREA, STEP, BlockVotes, largest_in_blocks, u_plane
from .known import KnownMessage, agreement, known_messages
from .scheme import Reader, Reading, Stretch

Size = tuple[int, int]  # width, height in pixels
Way = tuple[Size, bool]  # the size to read at, and whether to turn the picture left for right

SHARES = {False: 0.9, True: 0.1}
"""Of the false readings that are allowed: how many fall to clips as they are, and to mirrored ones, which are
rare (Bonferroni's inequality with weights). SD 2 has so few bits that it would never count with halves."""

ASPECT_TOLERANCE = 0.02
"""How far a clip's aspect may be from a generator's for its size to be tried: platforms round to even."""

MIN_SCALE = 0.4
"""Smallest share of a generator's size at which its mark is sought. The low band has half the frame's
resolution, and 4:2:0 chroma at half the size a quarter: below that nothing of the mark can be left."""

STRETCH_P = 0.01
"""A run of frames counts as marked when its own votes agree this well; the pooled ones decide on the clip."""


_BAND = 1 << 15  # samples that are scaled at a time, so that they stay in the cache


class DwtDct:
    """Scheme for `watermarks`; see scheme.Scheme."""

    name = "dwt_dct"
    false_positives = "Hoeffding bound on the correlation of votes with a message chosen without the picture"

    def reader(self) -> Reader:
        return _Reader(known_messages())


class _Votes:
    """Votes at one size, pooled over the clip, and for each run."""

    def __init__(self) -> None:
        self.pooled: dict[int, list[NDArray[np.int64]]] = {}
        self.runs: list[tuple[float, float, dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]]]] = []

    def add(self, start_s: float, end_s: float, votes: Sequence[BlockVotes], lengths: set[int]) -> None:
        of_run = {}
        for length in lengths:
            counts = [vote.ones(length) for vote in votes]
            ones, blocks = (np.sum([count[i] for count in counts], axis=0) for i in range(2))
            of_run[length] = (ones, blocks)
            if length in self.pooled:
                self.pooled[length][0] += ones
                self.pooled[length][1] += blocks
            else:
                self.pooled[length] = [ones.copy(), blocks.copy()]
        self.runs.append((start_s, end_s, of_run))


class _Reader:
    def __init__(self, messages: tuple[KnownMessage, ...]) -> None:
        self._messages = messages
        self._sizes: dict[Size, list[KnownMessage]] = {}
        self._votes: dict[Way, _Votes] = defaultdict(_Votes)

    def add(self, run: Run) -> None:
        first = run.frames[0]
        own = (first.width, first.height)
        if not self._sizes:
            self._sizes = sizes_to_try(own, self._messages)
        planes = [low_plane(frame) for frame in run.frames]
        for size, messages in self._sizes.items():
            lengths = {m.length for m in messages}
            low = [plane if size == own else scaled(plane, size) for plane in planes]
            for mirrored, votes in zip(
                (False, True), zip(*map(votes_both_ways, low), strict=True), strict=True
            ):
                self._votes[size, mirrored].add(run.start_s, run.end_s, votes, lengths)

    def readings(self) -> Iterator[Reading]:
        tests = sum(map(len, self._sizes.values()))
        for message in self._messages:
            tried = [way for way in self._votes if message in self._sizes[way[0]]]
            if not tried:
                continue
            found = {way: agreement(message, *self._votes[way].pooled[message.length]) for way in tried}
            way = min(found, key=lambda w: found[w].p_bound / SHARES[w[1]])
            best = found[way]
            size, mirrored = way
            yield Reading(
                scheme=DwtDct.name,
                message=np.packbits(message.bits).tobytes().hex(),
                bits=message.length,
                p_value=min(1.0, best.p_bound * tests / SHARES[mirrored]),
                name=message.name,
                generator=message.generator,
                stretches=tuple(self._stretches(message, way)),
                details={
                    "correlation": round(best.correlation, 3),
                    "matched_bits": best.matched,
                    "size": f"{size[0]}x{size[1]}",
                    "mirrored": mirrored,
                    "tests": tests,
                },
            )

    def _stretches(self, message: KnownMessage, way: Way) -> Iterator[Stretch]:
        for start_s, end_s, counts in self._votes[way].runs:
            here = agreement(message, *counts[message.length])
            if here.p_bound <= STRETCH_P:
                yield Stretch(start_s, end_s, round(here.correlation, 3))


def sizes_to_try(own: Size, messages: tuple[KnownMessage, ...]) -> dict[Size, list[KnownMessage]]:
    """At which sizes to look for which messages: the clip's own for all, a generator's for its message.

    Empty for clips that are too small for the scheme.
    """
    width, height = own
    sizes: dict[Size, list[KnownMessage]] = {}
    if width * height >= MIN_AREA:
        sizes[own] = list(messages)
    for message in messages:
        for w, h in message.sizes:
            same_shape = abs(w * height / (h * width) - 1) <= ASPECT_TOLERANCE
            if (w, h) != own and same_shape and width >= MIN_SCALE * w:
                sizes.setdefault((w, h), []).append(message)
    return sizes


def low_plane(frame: Frame) -> NDArray[np.float32]:
    """Half the scheme's low band, `(H//2, W//2)`: the mean U of each square of two pixels."""
    if frame.model == "ycbcr" and frame.subsampling == (2, 2):
        step = 1 << (frame.depth - 8)
        # U = 0.492 (B - Y) while Cb = 0.564 (B - Y), the latter over 224 of 255 steps in limited range
        # (ITU-R BT.601). The matrices of other standards change the factor by a few per cent at most.
        factor = 0.492 / 0.564 * (1.0 if frame.colour.full_range else 255 / 224)
        low = frame.planes[1].astype(np.float32)
        low /= np.float32(step)
        low -= np.float32(128)
        low *= np.float32(factor)
        low += np.float32(128)
        return low[: frame.height // 2, : frame.width // 2]
    u = u_plane(frame.rgb()).astype(np.float32)[: frame.height // 2 * 2, : frame.width // 2 * 2]
    return np.asarray((u[0::2, 0::2] + u[0::2, 1::2] + u[1::2, 0::2] + u[1::2, 1::2]) / 4)


def votes_of(low: NDArray[np.float32]) -> BlockVotes:
    """The vote of every block of a low plane, as `dwt_dct.read_blocks` reads them from RGB, to rounding."""
    rows, columns = low.shape[0] // BLOCK, low.shape[1] // BLOCK
    return BlockVotes(
        _in_upper_half(largest_in_blocks(np.abs(low[: rows * BLOCK, : columns * BLOCK]))).ravel()
    )


def votes_both_ways(low: NDArray[np.float32]) -> tuple[BlockVotes, BlockVotes]:
    """The votes of a low plane and of its mirror image, `low[:, ::-1]`."""
    if low.shape[1] % BLOCK:  # other blocks begin at the other edge
        return votes_of(low), votes_of(low[:, ::-1])
    low = np.abs(low[: low.shape[0] // BLOCK * BLOCK])
    # The same blocks: they differ in which corner is left aside, and in their order.
    first, *others = (low[i::BLOCK] for i in range(BLOCK))
    below = np.maximum.reduce(others)
    columns = [below[:, i::BLOCK] for i in range(BLOCK)]
    within = np.maximum.reduce([*columns, *(first[:, i::BLOCK] for i in range(1, BLOCK - 1))])
    left, right = first[:, 0::BLOCK], first[:, BLOCK - 1 :: BLOCK]
    plain, mirrored = (_in_upper_half(np.maximum(within, corner)) for corner in (right, left))
    return BlockVotes(plain.ravel()), BlockVotes(mirrored[:, ::-1].ravel())


def _in_upper_half(largest: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Whether twice the values lie in the upper half of a step, 0 or 1: `2 * largest % STEP > STEP / 2`."""
    twice = largest * 2
    # NumPy's remainder is slow. This one is as exact: a float32 below a multiple of the step is so by more
    # than what the quotient can be rounded by, and the difference of the two has few enough digits.
    twice -= np.floor(twice / STEP) * STEP
    return (twice > STEP / 2).astype(np.uint8)


def scaled(low: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """A low plane as it would be at another frame size, by cubic interpolation in both directions."""
    rows = _cubic(low.shape[0], size[1] // 2)
    columns = _cubic(low.shape[1], size[0] // 2)
    return _apply(np.ascontiguousarray(_apply(low, rows).T), columns).T


@lru_cache(maxsize=64)  # of each size there are many frames
def _cubic(source: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each of `target` samples its four source samples and their weights (Keys' cubic, a = -0.5)."""
    at = (np.arange(target) + 0.5) * source / target - 0.5
    first = np.floor(at).astype(np.intp) - 1
    offset = np.abs(at[:, None] - (first[:, None] + np.arange(4)))
    near = (1.5 * offset - 2.5) * offset**2 + 1
    far = ((-0.5 * offset + 2.5) * offset - 4) * offset + 2
    weights = np.where(offset <= 1, near, np.where(offset < 2, far, 0.0))
    taps = np.clip(first[:, None] + np.arange(4), 0, source - 1)
    return taps, weights.astype(np.float32)


def _apply(
    plane: NDArray[np.float32], kernel: tuple[NDArray[np.intp], NDArray[np.float32]]
) -> NDArray[np.float32]:
    taps, weights = kernel
    out = np.empty((len(taps), plane.shape[1]), np.float32)
    band = max(1, _BAND // plane.shape[1])
    more = np.empty((band, plane.shape[1]), np.float32)
    for top in range(0, len(taps), band):
        some, share = taps[top : top + band], weights[top : top + band, :, None]
        total, term = out[top : top + band], more[: len(some)]
        np.take(plane, some[:, 0], axis=0, out=total, mode="clip")
        total *= share[:, 0]
        for tap in range(1, 4):
            np.take(plane, some[:, tap], axis=0, out=term, mode="clip")
            term *= share[:, tap]
            total += term
    return out
