"""Where in a clip to look: short runs of consecutive frames, spread over all of it, at little cost.

Pure arithmetic over timestamps in the stream's own ticks; it decodes nothing. A run starts at a keyframe
where one lies in its part of the clip, since starting anywhere else means decoding all that comes before.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol


@dataclass(frozen=True)
class Sampling:
    """How much to look at.

    Attributes:
        runs: how many runs.
        frames: consecutive frames in each.
        seed: decides where in its part of the clip each run is sought; the same seed, the same frames.
        budget_pixels: pixels to decode at most, over all frames that had to be decoded on the way.
        seconds: wall clock after which no further run is begun.
        keep_bytes: decoded frames kept for the next examiner; runs beyond are decoded again for it.
        threads: decoder threads, or decoders side by side.
        side_by_side_pixels: least and most pixels of a picture for decoders side by side: below, opening the
            clip more than once costs more than it saves; above, each decoder's pictures are too much memory.
    """

    runs: int = 8
    frames: int = 3
    seed: int = 0
    budget_pixels: int = 300 * 1920 * 1080
    seconds: float = 20.0
    keep_bytes: int = 96 << 20
    threads: int = 2
    side_by_side_pixels: tuple[int, int] = (640 * 360, 4096 * 2304)

    def __post_init__(self) -> None:
        if self.runs < 1 or self.frames < 1 or self.threads < 1:
            raise ValueError(f"runs, frames and threads are at least 1; got {self}")

    def budget(self, pixels: int) -> int:
        """How many frames of so many pixels may be decoded."""
        return max(self.budget_pixels // max(pixels, 1), 2 * self.runs * self.frames)


@dataclass
class Seen:
    """How much of the clip was looked at; kept up to date while frames are read.

    Attributes:
        runs, frames: how many there were.
        runs_wanted: how many were asked for.
        decoded: frames that had to be decoded to get them.
        duration_s: of the clip; None where it cannot be known without reading all of it.
        first_s, last_s: what the runs span.
        ended: why there are fewer than wanted, in words; None where there are not.
    """

    runs_wanted: int
    runs: int = 0
    frames: int = 0
    decoded: int = 0
    duration_s: float | None = None
    first_s: float | None = None
    last_s: float | None = None
    ended: str | None = None

    def add(self, other: Seen) -> None:
        """Take over what another has noted of decoding, and empty it."""
        self.decoded += other.decoded
        self.ended = other.ended or self.ended
        other.decoded, other.ended = 0, None

    def note(self, frames: int, start_s: float, end_s: float) -> None:
        """Count one more run, of so many frames and from here to there."""
        self.runs += 1
        self.frames += frames
        self.first_s = start_s if self.first_s is None else min(self.first_s, start_s)
        self.last_s = end_s if self.last_s is None else max(self.last_s, end_s)


class Keyframes(Protocol):
    """Where decoding can start, as far as it is known without decoding."""

    @property
    def known(self) -> bool:
        """Whether the answers below are about the whole clip."""

    def at_or_before(self, tick: int) -> int | None: ...

    def after(self, tick: int) -> int | None: ...


@dataclass(frozen=True)
class KeyframeList:
    """Keyframes that have been listed, in order."""

    ticks: Sequence[int]
    known: bool = True

    def at_or_before(self, tick: int) -> int | None:
        index = bisect_right(self.ticks, tick)
        return self.ticks[index - 1] if index else None

    def after(self, tick: int) -> int | None:
        index = bisect_right(self.ticks, tick)
        return self.ticks[index] if index < len(self.ticks) else None


@dataclass(frozen=True)
class Timeline:
    """A clip's extent in ticks: `[start, end)`, and how many ticks one frame is shown on average."""

    start: int
    end: int
    frame: float

    @property
    def frames(self) -> int:
        """About how many frames there are, at least one."""
        return max(1, round((self.end - self.start) / self.frame))

    def between(self, start: int, end: int) -> int:
        """About how many frames lie between two ticks."""
        return max(0, round((end - start) / self.frame))


@dataclass(frozen=True)
class Step:
    """One run.

    Attributes:
        at: tick of its first frame: the first that is not before it counts.
        seek: tick of the keyframe to decode from, or None to decode on from the run before.
        keyframe: the run starts at the keyframe that seeking lands on, wherever that is shown.
        first: start of the run's part of the clip: any keyframe from here on may start the run instead.
        loose: nothing is known about keyframes: decode from whichever seeking lands on.
        last: the next run seeks, or there is none, so nothing decoded beyond this one is of use.
    """

    at: int
    seek: int | None
    first: int
    keyframe: bool = False
    loose: bool = False
    last: bool = True


def steps(timeline: Timeline, keyframes: Keyframes, sampling: Sampling, budget: int) -> list[Step]:
    """The runs to decode, in order of time.

    Args:
        budget: frames that may be decoded; runs are moved towards the keyframe before them until it is kept.
    """
    runs = max(1, min(sampling.runs, timeline.frames // sampling.frames))
    chance = random.Random(sampling.seed)  # noqa: S311 - where to look is no secret
    length = (timeline.end - timeline.start) / runs
    room = max(0.0, length - sampling.frames * timeline.frame)
    found: list[Step] = []
    reached: int | None = None
    for number in range(runs):
        first = timeline.start + round(number * length)
        aim = first + round(chance.random() * room)
        share = max(budget // (runs - number), sampling.frames)
        step = _step(first, first + round(length), aim, timeline, keyframes, sampling, reached, share)
        if reached is not None and step.at < reached:
            continue  # pulled back by the budget onto what the run before has seen
        found.append(step)
        begun = step.at if not keyframes.known else (reached or 0) if step.seek is None else step.seek
        budget -= round(max(0, step.at - begun) / timeline.frame) + sampling.frames
        reached = step.at + round(sampling.frames * timeline.frame)
        if budget <= 0:
            break
    return _with_ends(found)


def _step(
    first: int,
    end: int,
    aim: int,
    timeline: Timeline,
    keyframes: Keyframes,
    sampling: Sampling,
    reached: int | None,
    share: int,
) -> Step:
    if not keyframes.known:
        return Step(aim, aim, first, loose=True)
    before = keyframes.at_or_before(aim)
    if before is not None and before >= first:
        return Step(before, before, first, keyframe=True)
    after = keyframes.after(aim)
    if after is not None and after < end and after + sampling.frames * timeline.frame <= timeline.end:
        return Step(after, after, first, keyframe=True)
    # No keyframe in this part: decode up to it, from the keyframe before or on from where we are.
    start = timeline.start if before is None else before
    seek: int | None = start
    if reached is not None and reached >= start:
        start, seek = reached, None
    furthest = start + round((share - sampling.frames) * timeline.frame)
    return Step(min(aim, furthest), seek, first)


def _with_ends(found: list[Step]) -> list[Step]:
    following: list[Step | None] = [*found[1:], None]
    return [
        replace(step, last=after is None or after.seek is not None)
        for step, after in zip(found, following, strict=True)
    ]


def chains(plan: Sequence[Step]) -> list[list[Step]]:
    """A plan cut where a run seeks: what lies between two cuts has to be decoded in one go, and by itself."""
    found: list[list[Step]] = []
    for step in plan:
        if step.seek is not None or not found:
            found.append([])
        found[-1].append(step)
    return found


def steps_among(ticks: Sequence[int], sampling: Sampling) -> list[Step]:
    """Runs at some of the given keyframes, spread over them: for clips of which only parts are at hand."""
    runs = min(sampling.runs, len(ticks))
    chosen = sorted({ticks[(2 * number + 1) * len(ticks) // (2 * runs)] for number in range(runs)})
    return [Step(tick, tick, tick, keyframe=True) for tick in chosen]
