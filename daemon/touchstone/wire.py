"""What travels between the parts beside the scan itself: requests, events and problems.

Like those of `verdict/` these are pydantic models; the OpenAPI document, docs/native-messaging.md's examples
and the extension's TypeScript types are checked against them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from .verdict import Evidence, Label, Model, Scan


def _without_credentials(url: str) -> str:
    """Mask `user:password@`: intake refuses such an address, and history and log are no place for it."""
    scheme, separator, rest = url.partition("://")
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if not separator or "@" not in authority:
        return url
    return f"{scheme}{separator}***{rest[authority.rindex('@') :]}"


Address = Annotated[str, AfterValidator(_without_credentials)]
"""A URL; a name and password in it are masked as it comes in."""


class UrlSource(Model):
    """A video on the web. `page_url` is where it is shown; it is kept for history and never fetched."""

    kind: Literal["url"] = "url"
    url: Address = Field(min_length=1, max_length=16_384)
    page_url: Address | None = Field(default=None, max_length=16_384)


class FileSource(Model):
    """A file on this computer; `fragments` are the media segments of a fragmented MP4, in order."""

    kind: Literal["file"] = "file"
    path: str = Field(min_length=1, max_length=4096)
    fragments: list[str] = Field(default_factory=list, max_length=10_000)


class UploadSource(Model):
    """Bytes that came with the request; `url` says where the browser had them from."""

    kind: Literal["upload"] = "upload"
    name: str | None = Field(default=None, max_length=1024)
    url: Address | None = Field(default=None, max_length=16_384)
    page_url: Address | None = Field(default=None, max_length=16_384)


MAX_FRAME_RUNS = 32
"""Runs of one scan of frames."""

MAX_RUN_FRAMES = 16
"""Consecutive frames in one run."""

MAX_FRAME_SIDE = 16_384
"""Pixels across or down."""


class FramesSource(Model):
    """Pictures that a browser showed, of a video whose bytes cannot be had. They follow in batches.

    `width` and `height` are those of every picture, in pixels as decoded; `duration_s` is the video's, null
    where it has no end.
    """

    kind: Literal["frames"] = "frames"
    url: Address | None = Field(default=None, max_length=16_384)
    page_url: Address | None = Field(default=None, max_length=16_384)
    name: str | None = Field(default=None, max_length=1024)
    width: int = Field(ge=1, le=MAX_FRAME_SIDE)
    height: int = Field(ge=1, le=MAX_FRAME_SIDE)
    duration_s: float | None = Field(default=None, ge=0, le=1e7, allow_inf_nan=False)


PictureFormat = Literal[
    "I420", "I422", "I444", "NV12", "I420P10", "I422P10", "I444P10", "I420P12", "I422P12", "I444P12",
    "RGBA", "RGBX", "BGRA", "BGRX",
]  # fmt: skip
"""Layout of a picture's samples, in the words of WebCodecs (VideoPixelFormat), planes without padding."""


class PictureColour(Model):
    """What the numbers stand for, in the words of WebCodecs (VideoColorSpace). Null where it is not known."""

    matrix: str | None = Field(default=None, max_length=32)
    primaries: str | None = Field(default=None, max_length=32)
    transfer: str | None = Field(default=None, max_length=32)
    full_range: bool | None = None


class FrameBatch(Model):
    """Head of one batch: a run of consecutive pictures, whose samples follow it, one picture after the other.

    `run` counts from 0. `times_s` has the media time of each picture, rising.
    """

    run: int = Field(ge=0, lt=MAX_FRAME_RUNS)
    width: int = Field(ge=1, le=MAX_FRAME_SIDE)
    height: int = Field(ge=1, le=MAX_FRAME_SIDE)
    format: PictureFormat
    times_s: list[Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)]] = Field(
        min_length=1, max_length=MAX_RUN_FRAMES
    )
    colour: PictureColour = PictureColour()
    rotation: Literal[0, 90, 180, 270] = 0

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.times_s)):
            raise ValueError("times_s: each time must be later than the one before")
        return self


AnySource = Annotated[UrlSource | FileSource | UploadSource | FramesSource, Field(discriminator="kind")]


class ScanRequest(Model):
    """Body of `POST /v1/scans`."""

    source: AnySource
    fresh: bool = Field(default=False, description="Scan again even if an answer for this source is known.")
    automatic: bool = Field(
        default=False,
        description="Nobody asked: the video came into view. The scan waits behind those that somebody asked "
        "for, and is put off on battery (setting `on_demand_only`).",
    )


class Progress(Model):
    """How far a scan is: the stage in the words of DESIGN.md and, where it can be known, a fraction."""

    type: Literal["progress"] = "progress"
    stage: Literal["queued", "intake", "media", "examine", "verdict"]
    fraction: float | None = Field(default=None, ge=0, le=1)
    examiner: str | None = None


class EvidenceFound(Model):
    """An examiner found something; more may follow."""

    type: Literal["evidence"] = "evidence"
    evidence: Evidence


class VerdictReached(Model):
    """The last event of a scan."""

    type: Literal["verdict"] = "verdict"
    scan: Scan


ScanEvent = Annotated[Progress | EvidenceFound | VerdictReached, Field(discriminator="type")]


class ScanState(Model):
    """A scan as `GET /v1/scans/{id}` answers it: `scan` is null until it is done."""

    id: str
    state: Literal["receiving", "queued", "running", "done"] = Field(
        description="`receiving`: a scan of frames that waits for more of them."
    )
    created_at: float = Field(description="Seconds since the epoch.")
    url: str | None = None
    page_url: str | None = None
    scan: Scan | None = None


class ScanFeedback(Model):
    """Body of `POST /v1/scans/{id}/feedback`: whether the verdict is right and, if not, what the video is."""

    agrees: bool
    label: Label | None = None
    comment: str | None = Field(default=None, max_length=4000)


class History(Model):
    """A page of `GET /v1/scans`, newest first. `before` asks for the next page; null on the last one."""

    scans: list[ScanState]
    before: int | None = None


class CalibratedMark(Model):
    """What is claimed of a mark: read in `read_at_least` of marked clips and in `false_at_most` of others.

    `outcome` says how the claim that came with Touchstone fared on this computer's footage: `too_few`,
    `stands`, `refuted` or `better`.
    """

    examiner: str
    name: str
    outcome: str
    read_at_least: float
    false_at_most: float


class CalibrationState(Model):
    """What scans are weighed by. docs/calibration.md explains it."""

    in_force: str = Field(description="A calibration of this computer, or `shipped`.")
    chosen: str = Field(description="The one that was chosen; differs from `in_force` where it was refused.")
    refused: str | None = Field(description="Why the chosen one does not count.")
    detector: str | None = Field(description="What the detector's scores are weighed by; null without one.")
    detector_reason: str = Field(description="Why its scores count or not.")
    made_at: str | None = None
    made_by: str | None = None
    sources: dict[str, int] | None = Field(
        default=None, description="Independent sources by class: real, cgi, generated (generators), marked."
    )
    changes: list[str] = Field(
        default_factory=list, description="What is weighed otherwise than by what came with Touchstone."
    )
    marks: list[CalibratedMark] = Field(default_factory=list)
    report: str | None = Field(default=None, description="Its report, a page on this computer.")


class WorkerSandbox(Model):
    """What confines the processes that run `examiners`: one of them tried, before it read anything.

    `kind` names the protections that are on. `complete` says whether files, network and other processes are
    out of reach. `confined` lists what is out of reach or bounded, `missing` what is not and each protection
    that is off, with the reason.
    """

    examiners: list[str]
    kind: str
    complete: bool
    confined: list[str]
    missing: dict[str, str]


class Health(Model):
    """How the daemon is. Without a token only `service` and `status` are told."""

    service: Literal["touchstone"] = "touchstone"
    status: Literal["ok", "stopping"] = "ok"
    version: str | None = None
    pid: int | None = None
    uptime_s: float | None = None
    queued: int | None = None
    running: int | None = None
    fetch_urls: bool | None = Field(default=None, description="Whether the daemon may fetch videos itself.")
    max_bytes: int | None = Field(default=None, description="Largest video in bytes that it takes.")
    sandboxes: list[WorkerSandbox] | None = Field(
        default=None,
        description="What confines the processes that read video; empty until one has been started.",
    )


class Problem(Model):
    """RFC 9457 problem details. `type` is stable; docs/api.md lists them."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
