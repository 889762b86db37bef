"""One pass of a decoder over a stream, from run to run. Runs in confined workers only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import av.error
from av.video.frame import VideoFrame

from ..messages import say
from .container import CannotDecode
from .decode import Source, VideoPacket, failures_in_words
from .frames import Run
from .keyframes import Layout
from .pictures import picture
from .plan import Sampling, Seen, Step

_MAX_FAILURES = 50  # packets of one clip that may fail to decode before it is given up
_MAX_WAIT = 2000  # packets to pass over while waiting for a keyframe


class Walk:
    """One pass over a stream: seeks, feeds the decoder as little as each run needs, and takes frames.

    Attributes:
        seen: what is noted on the way: frames decoded, and why there are fewer than wanted.
        budget: frames that may still be decoded.
        reached: tick of the last frame of the run before, which no later run may show again.
    """

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
        self.seen = seen
        self._origin = found.timeline.start
        self._slack = found.slack
        self.reached: int | None = None
        self._present = present
        self._deadline = time.monotonic() + sampling.seconds
        self._failures = 0
        self._packets: Iterator[VideoPacket] = iter(())
        self._surplus: list[VideoFrame] = []
        self.budget = sampling.budget(self._context.width * self._context.height)

    def close(self) -> None:
        """Let go of the stream, which is held in a circle, and of pictures that were decoded ahead."""
        self._packets = iter(())
        self._surplus = []

    def over(self) -> bool:
        """Whether no further run may be begun; `seen` says why."""
        if time.monotonic() > self._deadline:
            self.seen.ended = say("sampler.ended.time")
            return True
        if self.budget <= 0:
            self.seen.ended = say("sampler.ended.budget")
            return True
        return False

    def run(self, step: Step) -> list[VideoFrame]:
        """The frames of one run, fewer or none where they cannot be had.

        Raises:
            CannotDecode: too much of the clip is damaged, or FFmpeg gave up.
        """
        with failures_in_words():
            frames = self._run(step)
        if frames:
            self.reached = frames[-1].pts
        return frames

    def shown(self, frames: Sequence[VideoFrame]) -> Run:
        """A run as examiners get it."""
        return Run(tuple(picture(frame, self._source.base, self._origin) for frame in frames))

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
                self.seen.ended = say("sampler.ended.absent")
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
        if step.seek is None:
            return False  # how far the run before has read depends on threads, what is seen must not
        if self.reached is not None and tick <= self.reached:
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
            self.seen.ended = say("sampler.ended.damaged")
            if self._failures > _MAX_FAILURES:
                raise CannotDecode(say("sampler.ended.damaged")) from None
            return []
        self.seen.decoded += len(frames)
        whole = [frame for frame in frames if not frame.is_corrupt]
        if len(whole) < len(frames):
            self.seen.ended = say("sampler.ended.damaged")
        return whole

    def _drain(self) -> list[VideoFrame]:
        frames = self._feed(None, needed=True)
        self._context.flush_buffers()
        return frames


def _tick(packet: VideoPacket) -> int:
    tick = packet.pts if packet.pts is not None else packet.dts
    return 0 if tick is None else tick
