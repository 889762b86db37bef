"""Named conditions: what is done to every clip, whatever its class, before it is looked at.

A condition is a chain of stages; each changes the pictures and encodes them, and the next one takes what came
out. The clip as it is has no stage: then classes may differ by their encoders, which the report says.

Platform chains are emulations: sizes and qualities of the kind that platforms re-encode to, as no one can
measure them without an account; they carry no platform's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..messages import say

FRAMES = 24
"""Frames that are encoded, from a clip's start: as many of each clip, so that length tells nothing."""

PRESET = "veryfast"
GOP = 48


@dataclass(frozen=True)
class Encode:
    """One encoding. `quality`: CRF, on the codec's own scale."""

    quality: int
    codec: str = "libx264"

    @property
    def options(self) -> Mapping[str, str]:
        """Options of the encoder, by FFmpeg's names. One thread: the same bytes on every machine."""
        match self.codec:
            case "libx264":
                return {"crf": str(self.quality), "preset": PRESET, "threads": "1"}
            case "libx265":
                params = "log-level=none:pools=none:frame-threads=1"
                return {"crf": str(self.quality), "preset": PRESET, "x265-params": params}
            case _:
                return {"crf": str(self.quality), "b": "0", "deadline": "realtime", "cpu-used": "6"}


@dataclass(frozen=True)
class Stage:
    """A change of the pictures, then an encoding.

    Attributes:
        encode: the encoding.
        short_side: pixels that the shorter side is scaled down to; smaller clips stay as they are.
        there_and_back: factor that the pictures are scaled by, and then back to their size.
        crop: part of each side that is cut off at each of the two ends.
    """

    encode: Encode
    short_side: int | None = None
    there_and_back: float | None = None
    crop: float = 0.0


@dataclass(frozen=True)
class Condition:
    """A named chain of stages; without any, the clip as it is."""

    name: str
    stages: tuple[Stage, ...] = field(default=())

    @property
    def title(self) -> str:
        """For people."""
        return say(f"evaluate.condition.{self.name}")


def _h264(quality: int, **change: float) -> Stage:
    short_side = change.get("short_side")
    return Stage(
        Encode(quality),
        int(short_side) if short_side else None,
        change.get("there_and_back"),
        change.get("crop", 0.0),
    )


CONDITIONS = (
    Condition("as_is"),
    Condition("crf18", (_h264(18),)),
    Condition("crf23", (_h264(23),)),
    Condition("crf28", (_h264(28),)),
    Condition("crf33", (_h264(33),)),
    Condition("720p", (_h264(23, short_side=720),)),
    Condition("480p", (_h264(23, short_side=480),)),
    Condition("360p", (_h264(23, short_side=360),)),
    Condition("double", (_h264(23), _h264(26))),
    Condition("hevc", (Stage(Encode(28, "libx265")),)),
    Condition("vp9", (Stage(Encode(33, "libvpx-vp9")),)),
    Condition("chain_feed", (_h264(20, short_side=1080), _h264(28, short_side=720))),
    Condition("chain_messenger", (_h264(26, short_side=720), _h264(30, short_side=480))),
    Condition("chain_stream", (_h264(21, short_side=1080), Stage(Encode(36, "libvpx-vp9"), 480))),
    Condition("crop", (_h264(23, crop=0.08),)),
    Condition("half_and_back", (_h264(23, there_and_back=0.5),)),
    Condition("double_and_back", (_h264(23, there_and_back=2.0),)),
)
"""Every condition there is, the clip as it is first."""

DEFAULT = ("as_is", "crf18", "crf23", "crf28", "crf33", "720p", "480p", "360p")


class UnknownCondition(ValueError):
    """A condition that does not exist was asked for. The text names those that do."""


def conditions_of(names: Sequence[str]) -> list[Condition]:
    """Conditions by name, in the order of CONDITIONS; `all` names every one.

    Raises:
        UnknownCondition: a name that is none.
    """
    known = {condition.name: condition for condition in CONDITIONS}
    if "all" in names:
        return list(CONDITIONS)
    if unknown := [name for name in names if name not in known]:
        raise UnknownCondition(
            say("evaluate.unknown_condition", names=", ".join(unknown), known=", ".join(known))
        )
    return [condition for condition in CONDITIONS if condition.name in names]
