"""Reads the planned runs of frames from a clip. Runs in confined workers only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

import av.error
from av.video.frame import VideoFrame

from ..messages import say
from .container import CannotDecode, Container
from .decode import Source, VideoPacket, failures_in_words, opened
from .frames import Run
from .keyframes import Layout, layout, present_keyframes
from .pictures import picture
from .plan import Sampling, Seen, Step, steps, steps_among
from .webp import WebpFile

_MAX_FAILURES = 50  # packets of one clip that may fail to decode before it is given up
_MAX_WAIT = 2000  # packets to pass over while waiting for a keyframe


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
        self._complete = False
        self._failed: CannotDecode | None = None
        self.seen = Seen(runs_wanted=sampling.runs)

    def __iter__(self) -> Iterator[Run]:
        if self._failed is not None:
            raise self._failed
        yield from self._kept
        if self._complete:
            return
        number = len(self._kept)
        try:
            for run in self._decode(skip=number):
                if number >= self.seen.runs:
                    self.seen.note(len(run.frames), run.start_s, run.end_s)
                self._keep(number, run)
                number += 1
                yield run
        except CannotDecode as reason:
            if not number:
                self._failed = reason
                raise
            self.seen.ended = str(reason)
        if not number:
            self._failed = CannotDecode(self.seen.ended or say("sampler.nothing_decoded"))
            raise self._failed
        self._complete = len(self._kept) == number

    def _keep(self, number: int, run: Run) -> None:
        size = sum(frame.size_bytes for frame in run.frames)
        if number == len(self._kept) and self._kept_bytes + size <= self._sampling.keep_bytes:
            self._kept.append(run)
            self._kept_bytes += size

    def _decode(self, skip: int) -> Iterator[Run]:
        if self._container.format == "webp":
            file, size = self._parts[0]
            yield from islice(WebpFile(file, size).runs(self._sampling, self.seen), skip, None)
            return
        with opened(self._container, self._parts, self._sampling.threads) as source:
            size = sum(size for _, size in self._parts)
            found = layout(source, self._container, size)
            self.seen.duration_s = float((found.timeline.end - found.timeline.start) * source.base)
            walk = _Walk(source, self._sampling, self.seen, found, self._is_present)
            yield from walk.runs(self._plan(source, found, walk.budget)[skip:])

    def _plan(self, source: Source, found: Layout, budget: int) -> list[Step]:
        if self._present:
            return steps_among(present_keyframes(source, self._is_present), self._sampling)
        return steps(found.timeline, found.keyframes, self._sampling, budget)

    def _is_present(self, position: int) -> bool:
        return not self._present or any(start <= position < end for start, end in self._present)


class _Walk:
    """One pass over a stream: seeks, feeds the decoder as little as each run needs, and takes frames."""

    def __init__(
        self,
        source: Source,
        sampling: Sampling,
        seen: Seen,
        found: Layout,
        present: Callable[[int], bool],
    ) -> None:
        self._source = source
        self._context = source.context
        self._sampling = sampling
        self._seen = seen
        self._base = source.base
        self._origin = found.timeline.start
        self._slack = found.slack
        self._reached: int | None = None  # tick of the last frame of the run before
        self._present = present
        self._deadline = time.monotonic() + sampling.seconds
        self._failures = 0
        self._packets: Iterator[VideoPacket] = iter(())
        self._surplus: list[VideoFrame] = []
        pixels = max(1, self._context.width * self._context.height)
        self.budget = max(sampling.budget_pixels // pixels, 2 * sampling.runs * sampling.frames)

    def runs(self, plan: Sequence[Step]) -> Iterator[Run]:
        """Decode the planned runs. A run without a single whole frame is left out, and `seen` says why."""
        if len(plan) < self._sampling.runs:
            self._seen.ended = say("sampler.ended.short")
        for step in plan:
            if time.monotonic() > self._deadline:
                self._seen.ended = say("sampler.ended.time")
                return
            if self.budget <= 0:
                self._seen.ended = say("sampler.ended.budget")
                return
            with failures_in_words():
                frames = self._run(step)
            if frames:
                self._reached = frames[-1].pts
                yield Run(tuple(picture(frame, self._base, self._origin) for frame in frames))

    def _run(self, step: Step) -> list[VideoFrame]:
        if step.seek is not None:
            self._source.seek(step.seek)
            self._surplus = []
            self._packets = self._readable(step)
        return self._exactly(step) if step.last else self._onwards(step)

    def _readable(self, step: Step) -> Iterator[VideoPacket]:
        """Packets from the step's keyframe on; ends where the bytes are not at hand."""
        waiting = _MAX_WAIT
        for packet in self._source.packets():
            if waiting and not (packet.is_keyframe and self._is_start(step, _tick(packet))):
                waiting -= 1
                if not waiting:
                    return
                continue
            waiting = 0
            if packet.pos is not None and not (
                self._present(packet.pos) and self._present(packet.pos + packet.size - 1)
            ):
                self._seen.ended = say("sampler.ended.absent")
                return
            yield packet

    def _exactly(self, step: Step) -> list[VideoFrame]:
        """A run that nothing follows: feed the packets that its frames need and not one more, then drain.

        A packet is shown no earlier than it is decoded. So once one is to be decoded after the run's last
        frame is shown, all of the run's packets are there.
        """
        wanted = self._sampling.frames
        at = step.at
        held: list[VideoPacket] = []
        ticks: list[int] = []
        frames = self._surplus
        for packet in self._packets:
            tick = _tick(packet)
            if packet.is_keyframe and not ticks and self._may_start(step, tick):
                at = tick
            if tick >= at and not packet.is_discard:
                ticks = sorted([*ticks, tick])[:wanted]
            if not ticks:
                if not step.keyframe:
                    frames += self._feed(packet, needed=False)
            else:
                held.append(packet)
            due = packet.dts if packet.dts is not None else tick
            if len(ticks) == wanted and due > ticks[-1]:
                break
            if len(held) > self.budget or time.monotonic() > self._deadline:
                break
        last = max((i for i, p in enumerate(held) if _tick(p) in ticks), default=-1)
        for packet in held[: last + 1]:
            frames += self._feed(packet, needed=True)
        frames += self._drain()
        return self._chosen(frames, at)

    def _is_start(self, step: Step, tick: int) -> bool:
        """Whether the keyframe that is shown at `tick` is the one to decode from."""
        if step.seek is None or step.loose:
            return True
        return tick >= step.seek - self._slack

    def _may_start(self, step: Step, tick: int) -> bool:
        """Whether a run may start at a keyframe that is shown at `tick`."""
        if self._reached is not None and tick <= self._reached:
            return False  # seeking landed on what the run before has shown
        return step.first <= tick < step.at or (step.keyframe and tick >= step.at - self._slack)

    def _onwards(self, step: Step) -> list[VideoFrame]:
        """A run that another follows without a seek: feed until its frames have come out, and no further."""
        frames = self._surplus
        chosen = self._chosen(frames, step.at)
        while len(chosen) < self._sampling.frames and self.budget > 0 and time.monotonic() < self._deadline:
            packet = next(self._packets, None)
            if packet is None:
                frames += self._drain()
                chosen = self._chosen(frames, step.at)
                break
            # Some way ahead of the run, frames that no other refers to need not be decoded at all.
            frames += self._feed(packet, needed=_tick(packet) >= step.at)
            chosen = self._chosen(frames, step.at)
            frames = [frame for frame in frames if (frame.pts or 0) >= step.at]
        after = chosen[-1].pts if chosen else None
        self._surplus = [f for f in frames if after is not None and (f.pts or 0) > after]
        return chosen

    def _chosen(self, frames: Sequence[VideoFrame], at: int) -> list[VideoFrame]:
        later = sorted((f for f in frames if (f.pts or 0) >= at), key=lambda f: f.pts or 0)
        return later[: self._sampling.frames]

    def _feed(self, packet: VideoPacket | None, *, needed: bool) -> list[VideoFrame]:
        self._context.skip_frame = "DEFAULT" if needed else "NONREF"
        self.budget -= 1
        try:
            frames = self._context.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.InvalidDataError:
            self._failures += 1
            self._seen.ended = say("sampler.ended.damaged")
            if self._failures > _MAX_FAILURES:
                raise CannotDecode(say("sampler.ended.damaged")) from None
            return []
        self._seen.decoded += len(frames)
        whole = [frame for frame in frames if not frame.is_corrupt]
        if len(whole) < len(frames):
            self._seen.ended = say("sampler.ended.damaged")
        return whole

    def _drain(self) -> list[VideoFrame]:
        frames = self._feed(None, needed=True)
        self._context.flush_buffers()
        return frames


def _tick(packet: VideoPacket) -> int:
    tick = packet.pts if packet.pts is not None else packet.dts
    return 0 if tick is None else tick
