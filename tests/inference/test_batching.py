"""Who is served next, and whose batches are run together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from touchstone.inference.batching import AUTOMATIC, URGENT, Batch, Queue
from touchstone.inference.blocks import OutOfBounds, check_bounds, room_for
from touchstone.inference.shared import Rooms

ONE = Batch("detector", block=1, offset=0, room=4096, shape=(3, 8), dtype="float32")


def queue_of(*batches: Batch) -> Queue:
    queue = Queue()
    for batch in batches:
        queue.add(batch)
    return queue


def runs(queue: Queue, most: int = 8) -> list[list[int]]:
    """Numbers of the batches of each run, until none is left."""
    found = []
    while taken := queue.take(lambda _: most):
        found.append([queued.number for queued in taken])
    return found


AUTO = replace(ONE, priority=AUTOMATIC)
CASES: dict[str, tuple[list[Batch], list[list[int]]]] = {
    "nothing waits": ([], []),
    "scans share a run": ([ONE, ONE], [[0, 1]]),
    "no more rows than a run has": ([ONE, ONE, ONE], [[0, 1], [2]]),
    "what is too large waits, what fits beside goes": (
        [ONE, replace(ONE, shape=(6, 8)), replace(ONE, shape=(5, 8))], [[0, 2], [1]],
    ),
    "who waits goes before what came into view": ([AUTO, AUTO, ONE], [[2, 0], [1]]),
    "another model runs by itself": ([ONE, replace(ONE, model="decoder"), ONE], [[0, 2], [1]]),
    "rows of another kind run by themselves": (
        [ONE, replace(ONE, shape=(3, 9)), replace(ONE, dtype="uint8"), ONE], [[0, 3], [1], [2]],
    ),
    "a batch that is larger than a run is for the model to refuse": ([replace(ONE, shape=(9, 8))], [[0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_runs_next(name: str) -> None:
    batches, wanted = CASES[name]
    assert runs(queue_of(*batches)) == wanted


def test_a_batch_that_a_process_was_lost_with_runs_alone_and_keeps_its_place() -> None:
    queue = queue_of(ONE, ONE, ONE)
    first, second = queue.take(lambda _: 6)
    for queued in (second, first):
        queued.attempts += 1
        queue.put_back(queued)
    assert runs(queue) == [[0], [1], [2]]


def test_what_is_taken_back_does_not_run() -> None:
    queue = Queue()
    kept, dropped = queue.add(AUTO), queue.add(ONE)
    queue.remove(dropped)
    queue.remove(dropped)
    assert (len(queue), URGENT < AUTOMATIC) == (1, True)
    assert queue.take(lambda _: 8) == [kept]


@pytest.mark.parametrize(
    ("offset", "shape", "dtype", "says"),
    [
        (0, (4, 4), "float32", None),
        (64, (1, 48), "float32", None),
        (64, (1, 49), "float32", "at 64 of 256"),
        (0, (256,), "uint8", None),
        (0, (257,), "uint8", "shape"),
        (0, (64, 64, 64), "float32", "at 0"),
        (0, (1 << 40, 1 << 40), "uint8", "shape"),
        (-64, (1,), "uint8", "at -64"),
        (1, (1,), "uint8", "at 1"),
        (0, (), "uint8", "shape"),
        (0, (0, 4), "uint8", "shape"),
        (0, (-1,), "uint8", "shape"),
        (0, (1,) * 7, "uint8", "shape"),
        (0, (1,), "object", "object"),
    ],
)
def test_a_tensor_lies_inside_its_block_or_is_refused(
    offset: int, shape: tuple[int, ...], dtype: str, says: str | None
) -> None:
    if says is None:
        check_bounds(offset, shape, dtype, 256)
    else:
        with pytest.raises(OutOfBounds, match=says):
            check_bounds(offset, shape, dtype, 256)


def test_rooms_are_given_out_first_fit_and_come_back() -> None:
    rooms = Rooms(256)
    assert [rooms.take(64), rooms.take(128), rooms.take(64), rooms.take(1)] == [0, 64, 192, None]
    rooms.give_back(64)
    assert [rooms.take(64), rooms.take(65), rooms.take(64)] == [64, None, 128]
    assert room_for((3, 5), "float32") == 64
    assert room_for((65,), "uint8") == 128
