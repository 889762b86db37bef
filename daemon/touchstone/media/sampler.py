"""Reads the planned runs of frames from a clip. Runs in confined workers only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from threading import Lock
from typing import BinaryIO

from ..messages import say
from .container import CannotDecode, Container
from .decode import Source, opened
from .frames import Run
from .keyframes import Layout, layout, present_keyframes
from .plan import Sampling, Seen, Step, chains, steps, steps_among
from .side_by_side import Numbered, one_by_one, side_by_side
from .walk import Walk
from .webp import WebpFile


class SampledFrames:
    """The frames of a clip, run by run; decoded at the first reading, kept for the next within bounds.

    Args:
        container: what our probe found.
        parts: open files and their sizes: the clip, or an init segment and its fragments.
        sampling: how much to look at.
        present: byte ranges `(start, end)` of a file of which only parts were fetched; empty: all of it.

    Iterating raises `CannotDecode` if not a single frame can be had.
    """

    def __init__(
        self,
        container: Container,
        parts: Sequence[tuple[BinaryIO, int]],
        sampling: Sampling,
        present: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._container = container
        self._parts = parts
        self._sampling = sampling
        self._present = present
        self._kept: list[Run] = []
        self._kept_bytes = 0
        self._kept_to = 0  # the step of the plan behind the last run that is kept
        self._complete = False
        self._failed: CannotDecode | None = None
        self.seen = Seen(runs_wanted=sampling.runs)

    def __iter__(self) -> Iterator[Run]:
        if self._failed is not None:
            raise self._failed
        yield from self._kept
        if self._complete:
            return
        count = len(self._kept)
        try:
            for number, run in self._decode(self._kept_to):
                if count >= self.seen.runs:
                    self.seen.note(len(run.frames), run.start_s, run.end_s)
                self._keep(count, number, run)
                count += 1
                yield run
        except CannotDecode as reason:
            if not count:
                self._failed = reason
                raise
            self.seen.ended = str(reason)
        if not count:
            self._failed = CannotDecode(self.seen.ended or say("sampler.nothing_decoded"))
            raise self._failed
        self._complete = len(self._kept) == count

    def held(self) -> bool:
        """See Frames. Stops at the first run that is not kept."""
        if not self._complete:
            for count, _ in enumerate(self, 1):
                if count > len(self._kept):
                    return False
        return self._complete

    def _keep(self, count: int, number: int, run: Run) -> None:
        size = sum(frame.size_bytes for frame in run.frames)
        if count == len(self._kept) and self._kept_bytes + size <= self._sampling.keep_bytes:
            self._kept.append(run)
            self._kept_bytes += size
            self._kept_to = number + 1

    def _decode(self, start: int) -> Numbered:
        """The runs from a step of the plan on, each with its step's number."""
        if self._container.format == "webp":
            file, size = self._parts[0]
            animation = WebpFile(file, size).runs(self._sampling, self.seen)
            yield from islice(enumerate(animation), start, None)
            return
        reading = Lock()
        with ExitStack() as open_sources:

            def walk(source: Source, threads: int) -> Walk:
                source.use_threads(threads)
                noted = Seen(runs_wanted=self._sampling.runs)
                begun = Walk(source, self._sampling, noted, found, self._is_present)
                open_sources.callback(begun.close)
                return begun

            source = open_sources.enter_context(opened(self._container, self._parts, reading))
            found = layout(source, self._container, sum(size for _, size in self._parts))
            self.seen.duration_s = float((found.timeline.end - found.timeline.start) * source.base)
            budget = self._sampling.budget(source.context.width * source.context.height)
            plan = self._plan(source, found, budget)
            if len(plan) < self._sampling.runs:
                self.seen.ended = say("sampler.ended.short")
            # What lies before, in the part that has to be decoded in one go, is decoded once more.
            begin = next((n for n in range(min(start, len(plan) - 1), 0, -1) if plan[n].seek is not None), 0)
            count = self._decoders(source, found, plan, budget)
            if count == 1:
                # Frame threads only pay where much is decoded on the way to a run.
                alone = walk(source, self._sampling.threads if len(chains(plan)) < len(plan) else 1)
                runs = one_by_one(alone, plan, self.seen, begin)
            else:
                walks = [walk(source, 1)]
                for _ in range(count - 1):
                    another = open_sources.enter_context(opened(self._container, self._parts, reading))
                    walks.append(walk(another, 1))
                runs = side_by_side(walks, plan, self.seen, begin)
            yield from (run for run in runs if run[0] >= start)

    def _decoders(self, source: Source, found: Layout, plan: Sequence[Step], budget: int) -> int:
        """How many decoders to run side by side.

        One where nothing is gained by more, or where what one does depends on what another did: when the
        budget may run out, or when it is not known where seeking leads.
        """
        pixels = source.context.width * source.context.height
        least, most = self._sampling.side_by_side_pixels
        if not least <= pixels <= most or not found.keyframes.known or any(step.loose for step in plan):
            return 1
        expected = sum(found.timeline.between(step.seek, step.at) for step in plan if step.seek is not None)
        if 2 * (expected + len(plan) * self._sampling.frames) > budget:
            return 1
        return max(1, min(self._sampling.threads, len(chains(plan))))

    def _plan(self, source: Source, found: Layout, budget: int) -> list[Step]:
        if self._present:
            return steps_among(present_keyframes(source, self._is_present), self._sampling)
        return steps(found.timeline, found.keyframes, self._sampling, budget)

    def _is_present(self, position: int) -> bool:
        return not self._present or any(start <= position < end for start, end in self._present)
