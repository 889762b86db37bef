"""Runs on a provider have one shape, in buffers that stay; the processor reads where the rows lie."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from touchstone.inference import PROCESSOR
from touchstone.inference.pinned import pin
from touchstone.inference.sessions import BoundSession, Session

CARD = "MIGraphXExecutionProvider"


class Noting:
    """A session that doubles, and notes what it was run on."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.seen: list[NDArray[Any]] = []
        self.addresses: list[int] = []

    def run_bound(self, values: NDArray[Any]) -> NDArray[np.float32]:
        self.seen.append(values.copy())
        self.addresses.append(values.ctypes.data)
        return (2 * values).astype(np.float32)


def rows(count: int, first: float = 1.0) -> NDArray[np.float32]:
    return np.arange(first, first + 2 * count, dtype=np.float32).reshape(count, 2)


# The provider, rows of each batch, and the rows that it is run on.
CASES = [
    (PROCESSOR, [3], 3),
    (PROCESSOR, [3, 2], 5),
    (CARD, [1], 4),
    (CARD, [4], 4),
    (CARD, [2, 1], 4),
    (CARD, [6], 6),
]


@pytest.mark.parametrize(("provider", "counts", "run_on"), CASES)
def test_every_batch_gets_its_own_answers(provider: str, counts: list[int], run_on: int) -> None:
    session = Noting(provider)
    bound = BoundSession(cast(Session, session), batch=4)
    batches = [rows(count, 10.0 * number + 1) for number, count in enumerate(counts)]
    for _ in range(2):
        answers = bound.run(batches)
        assert [answer.tolist() for answer in answers] == [(2 * batch).tolist() for batch in batches]
    assert [len(seen) for seen in session.seen] == [run_on] * 2
    assert not session.seen[1][sum(counts) :].any(), "what is missing is zeros"
    assert session.addresses[0] == session.addresses[1]
    if provider == PROCESSOR and len(counts) == 1:
        assert session.addresses[0] == batches[0].ctypes.data, "not copied"


def test_rows_of_an_earlier_run_are_not_left_behind() -> None:
    session = Noting(CARD)
    bound = BoundSession(cast(Session, session), batch=4)
    bound.run([rows(4)])
    bound.run([rows(1)])
    assert not session.seen[1][1:].any()


def missing(name: str) -> Any:
    raise OSError(f"{name}: cannot open shared object file")


@pytest.mark.parametrize(("status", "pinned"), [(0, True), (2, False)])
def test_pinning_tells_whether_it_worked(status: int, pinned: bool) -> None:
    told: list[tuple[int, int, int]] = []

    def register(address: int, size: int, flags: int) -> int:
        told.append((address, size, flags))
        return status

    values = rows(4)
    assert pin(values, lambda _: SimpleNamespace(cudaHostRegister=register)) is pinned
    assert told == [(values.ctypes.data, values.nbytes, 0)]
    assert pin(values, missing) is False
    assert pin(values, lambda _: SimpleNamespace()) is False
