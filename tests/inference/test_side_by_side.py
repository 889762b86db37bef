"""Two pieces of work at once, or one after the other where there may be no second thread."""

from __future__ import annotations

import threading

import pytest

from touchstone.inference.side_by_side import both, each


def fails(kind: type[Exception]) -> None:
    raise kind("told to")


def test_both_run_at_the_same_time() -> None:
    meet = threading.Barrier(2, timeout=10)
    assert both(lambda: meet.wait() >= 0 and "a", lambda: meet.wait() >= 0 and "b") == ("a", "b")


@pytest.mark.parametrize(
    ("first", "second", "raised"),
    [
        (lambda: fails(KeyError), lambda: 1, KeyError),
        (lambda: 1, lambda: fails(ValueError), ValueError),
        (lambda: fails(KeyError), lambda: fails(ValueError), KeyError),
    ],
)
def test_what_goes_wrong_is_raised(first: object, second: object, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        both(first, second)  # type: ignore[arg-type]
    assert not [thread for thread in threading.enumerate() if thread.name == "side-by-side"]


def test_without_a_second_thread_one_runs_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more)
    order: list[int] = []
    assert both(lambda: order.append(1), lambda: order.append(2)) == (None, None)
    assert order == [1, 2]


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_each_keeps_the_order_and_no_more_threads_than_allowed(threads: int, count: int) -> None:
    most = 0

    def work(number: int) -> int:
        nonlocal most
        busy = sum(thread.name == "side-by-side" for thread in threading.enumerate())
        most = max(most, busy + 1)
        return number

    assert each([lambda n=n: work(n) for n in range(count)], threads=threads) == list(range(count))  # type: ignore[misc]
    assert most <= threads
