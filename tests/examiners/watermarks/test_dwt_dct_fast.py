"""What is written to be fast gives the very bits of what is written to be read."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from touchstone.examiners.watermarks.dwt_dct import STEP, BlockVotes
from touchstone.examiners.watermarks.dwt_dct_scheme import _cubic, scaled, votes_both_ways, votes_of

SHAPES = [(270, 480), (540, 960), (17, 23), (64, 66), (33, 128), (4, 4), (150, 101)]


def plane(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Chroma around 128, beyond what 8 bits hold, much of it on the edges of the halves of a step."""
    random = np.random.default_rng(sum(shape))
    values = random.normal(128, 60, shape).astype(np.float32)
    edges = random.integers(-20, 40, shape) * np.float32(STEP / 4)
    nearby = np.nextafter(edges, random.choice([-np.inf, np.inf], shape).astype(np.float32))
    return np.choose(random.integers(0, 3, shape), [values, edges, nearby]).astype(np.float32)


def reference_votes(low: NDArray[np.float32]) -> NDArray[np.uint8]:
    rows, columns = low.shape[0] // 4, low.shape[1] // 4
    twice = np.abs(low[: rows * 4, : columns * 4]) * 2
    blocks = twice.reshape(rows, 4, columns, 4).swapaxes(1, 2).reshape(-1, 16)
    return (np.mod(blocks[:, 1:].max(axis=1), STEP) > STEP / 2).astype(np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
def test_votes_of_a_plane_and_of_its_mirror_image(shape: tuple[int, int]) -> None:
    for low in (plane(shape), np.asfortranarray(plane(shape))):
        expected = reference_votes(low), reference_votes(low[:, ::-1])
        assert np.array_equal(votes_of(low).votes, expected[0])
        for votes, wanted in zip(votes_both_ways(low), expected, strict=True):
            assert np.array_equal(votes.votes, wanted)


def test_every_edge_of_a_half_step_is_on_its_side() -> None:
    """Both neighbours of each whole number of half steps, and the number, up to what no chroma reaches."""
    edges = np.arange(1, 2000, dtype=np.float32) * np.float32(STEP / 4)
    values = np.concatenate([np.nextafter(edges, np.float32(0)), edges, np.nextafter(edges, np.float32(1e9))])
    for value in values:
        block = np.full((4, 4), value, np.float32)
        assert votes_of(block).votes[0] == (np.mod(np.float32(2) * value, np.float32(STEP)) > STEP / 2)


def reference_scaled(low: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    for axis, length in ((0, size[1] // 2), (1, size[0] // 2)):
        taps, weights = _cubic(low.shape[axis], length)
        parts = [np.take(low, taps[:, tap], axis=axis) for tap in range(4)]
        shares = [weights[:, tap, None] if axis == 0 else weights[:, tap] for tap in range(4)]
        low = ((parts[0] * shares[0] + parts[1] * shares[1]) + parts[2] * shares[2]) + parts[3] * shares[3]
    return low


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(1024, 576), (512, 512), (64, 40), (2, 2)])
def test_a_scaled_plane(shape: tuple[int, int], size: tuple[int, int]) -> None:
    low = plane(shape)
    assert np.array_equal(scaled(low, size), reference_scaled(low, size))


@pytest.mark.parametrize("count", [0, 1, 31, 48, 49, 32400])
@pytest.mark.parametrize("length", [32, 48, 136])
def test_votes_are_counted_for_each_bit(count: int, length: int) -> None:
    votes = np.random.default_rng(count).integers(0, 2, count).astype(np.uint8)
    ones, blocks = BlockVotes(votes).ones(length)
    for bit in range(length):
        assert (ones[bit], blocks[bit]) == (votes[bit::length].sum(), votes[bit::length].size)
