"""Several decoders over one clip, each at runs of its own, so that all processors have something to do.

Runs that start at keyframes do not depend on each other, while the frames within one do. So a decoder without
threads for each processor is faster than one with as many threads, and spends less processor time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from av.video.frame import VideoFrame

from .frames import Run
from .plan import Seen, Step, chains
from .walk import Walk

Numbered = Iterator[tuple[int, Run]]
"""Runs, each with the place of its step in the plan."""


def one_by_one(walk: Walk, plan: Sequence[Step], seen: Seen, start: int = 0) -> Numbered:
    """Decode the planned runs. A run without a single whole frame is left out.

    Args:
        walk: what decodes them.
        plan: the steps.
        seen: gets what the walk notes.
        start: the step to begin with, which seeks.
    """
    for number in range(start, len(plan)):
        if walk.over():
            break
        try:
            frames = walk.run(plan[number])
        finally:
            seen.add(walk.seen)
        if frames:
            yield number, walk.shown(frames)
    seen.add(walk.seen)


def side_by_side(walks: Sequence[Walk], plan: Sequence[Step], seen: Seen, start: int = 0) -> Numbered:
    """The same runs in the same order, each chain of them decoded by the next of `walks`.

    Each decoder is at most one run ahead of what was asked for, so no more than that is held in memory. Where
    seeking turns out to lead to what the run before has shown already, the first walk goes on alone, since
    only one after the other can tell.

    Args:
        walks: at least one, all over the same clip.
        plan, seen, start: see `one_by_one`.
    """
    first = walks[0]
    shares: list[list[Step]] = [[] for _ in walks]
    turns: list[int] = []
    for number, chain in enumerate(chains(plan[start:])):
        shares[number % len(walks)] += chain
        turns += [number % len(walks)] * len(chain)
    reached: int | None = None
    rest = len(plan)
    with ThreadPoolExecutor(len(walks), thread_name_prefix="decoder") as threads:

        def begin(turn: int) -> Future[list[VideoFrame]] | None:
            return threads.submit(walks[turn].run, shares[turn].pop(0)) if shares[turn] else None

        ahead = [begin(turn) for turn in range(len(walks))]
        for number, turn in enumerate(turns, start):
            if first.over():
                break
            due = ahead[turn]
            frames = due.result() if due is not None else []
            overlaps = bool(frames) and reached is not None and (frames[0].pts or 0) <= reached
            if overlaps and plan[number].seek is not None:
                rest = number
                break
            seen.add(walks[turn].seen)
            ahead[turn] = begin(turn)
            if frames:
                reached = frames[-1].pts
                yield number, first.shown(frames)
    first.reached = reached
    yield from one_by_one(first, plan, seen, rest)
