"""The messages between the extension and the native host `org.touchstone.host`, as types.

docs/native-messaging.md is the contract in words; every example on that page is held against these models,
and the extension's types are generated from them. `REQUESTS` go to the host, `REPLIES` to the browser.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .verdict import Evidence, Label, Model, Scan
from .wire import MAX_FRAME_SIDE, Progress, UrlSource

PROTOCOL: Literal[1] = 1

RequestId = Annotated[str, Field(min_length=1, max_length=64)]
"""Chosen by the extension; every answer carries it back."""

UploadId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ScanId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]

DaemonState = Literal["up", "starting", "absent"]


# --- to the host ------------------------------------------------------------------------------


class Hello(Model):
    """The first request on every port."""

    type: Literal["hello"] = "hello"
    request: RequestId
    protocol: int = Field(ge=1)
    extension_version: str = Field(max_length=64)


class ScanUrl(Model):
    """Scan a video by its address; the daemon fetches it. `fresh` scans again what is already known.

    `automatic`: nobody asked, the video came into view.
    """

    type: Literal["scan"] = "scan"
    request: RequestId
    source: UrlSource
    fresh: bool = False
    automatic: bool = False


class UploadFrames(Model):
    """What the pictures of an upload are of; the fields are those of `wire.FramesSource`."""

    width: int = Field(ge=1, le=MAX_FRAME_SIDE)
    height: int = Field(ge=1, le=MAX_FRAME_SIDE)
    duration_s: float | None = Field(default=None, ge=0, le=1e7, allow_inf_nan=False)


class UploadBegin(Model):
    """Announce bytes that the daemon cannot fetch itself. `size` is null where it is not known beforehand.

    With `frames` the bytes are batches of pictures (docs/api.md), one after the other, not a file.
    """

    type: Literal["upload_begin"] = "upload_begin"
    request: RequestId
    upload_id: UploadId
    size: int | None = Field(default=None, ge=0)
    name: str | None = Field(default=None, max_length=1024)
    url: str | None = Field(default=None, max_length=16_384)
    page_url: str | None = Field(default=None, max_length=16_384)
    fresh: bool = False
    automatic: bool = False
    frames: UploadFrames | None = None


class UploadChunk(Model):
    """The next bytes of an upload, base64, at most 512 KiB before encoding. `seq` counts from 0."""

    type: Literal["upload_chunk"] = "upload_chunk"
    request: RequestId
    upload_id: UploadId
    seq: int = Field(ge=0)
    data: str


class UploadScan(Model):
    """Scan the pictures that have come so far; more may follow. For uploads with `frames` alone."""

    type: Literal["upload_scan"] = "upload_scan"
    request: RequestId
    upload_id: UploadId
    chunks: int = Field(ge=0)


class UploadEnd(Model):
    """All bytes are there: scan them. `chunks` is how many were sent."""

    type: Literal["upload_end"] = "upload_end"
    request: RequestId
    upload_id: UploadId
    chunks: int = Field(ge=0)


class UploadAbort(Model):
    """Forget an upload that is not finished."""

    type: Literal["upload_abort"] = "upload_abort"
    request: RequestId
    upload_id: UploadId


class Get(Model):
    """Take up a scan again, by its id: after the service worker or the browser died."""

    type: Literal["get"] = "get"
    request: RequestId
    scan_id: ScanId


class Cancel(Model):
    """Nobody waits for this scan any more."""

    type: Literal["cancel"] = "cancel"
    request: RequestId
    scan_id: ScanId


class Feedback(Model):
    """What the user says about a verdict: whether it was right and, if not, what the video is."""

    type: Literal["feedback"] = "feedback"
    request: RequestId
    scan_id: ScanId
    agrees: bool
    label: Label | None = None
    comment: str | None = Field(default=None, max_length=4000)


class StatusRequest(Model):
    """Ask how the daemon is."""

    type: Literal["status"] = "status"
    request: RequestId


class SettingsGet(Model):
    """Ask for the daemon's settings that concern the extension."""

    type: Literal["settings_get"] = "settings_get"
    request: RequestId


# --- to the browser ---------------------------------------------------------------------------


class State(Model):
    """Sent unasked: first of all on every port, and whenever it changes. `reason` says why `absent`."""

    type: Literal["state"] = "state"
    protocol: int
    host_version: str
    daemon: DaemonState
    daemon_version: str | None = None
    reason: str | None = None


class Limits(Model):
    """What the host takes. `window` is the number of chunks of an upload that may be on their way at once."""

    message_bytes: int
    chunk_bytes: int
    window: int
    upload_bytes: int
    scans: int


class Welcome(Model):
    """Answers `hello`."""

    type: Literal["welcome"] = "welcome"
    request: RequestId
    protocol: int
    host_version: str
    daemon: DaemonState
    limits: Limits


class Accepted(Model):
    """A scan is under way; everything about it carries this `scan_id` from here on."""

    type: Literal["accepted"] = "accepted"
    request: RequestId
    scan_id: ScanId


class UploadAck(Model):
    """The chunks before `next_seq` have arrived, `received` bytes in all."""

    type: Literal["upload_ack"] = "upload_ack"
    request: RequestId
    upload_id: UploadId
    next_seq: int
    received: int


class UploadAborted(Model):
    """Answers `upload_abort`."""

    type: Literal["upload_aborted"] = "upload_aborted"
    request: RequestId
    upload_id: UploadId


class ScanStateReply(Model):
    """Answers `get`. What was found so far follows, and the result when there is one."""

    type: Literal["scan_state"] = "scan_state"
    request: RequestId
    scan_id: ScanId
    state: Literal["queued", "running", "done"]


class Cancelled(Model):
    """Answers `cancel`; nothing more comes about this scan."""

    type: Literal["cancelled"] = "cancelled"
    request: RequestId
    scan_id: ScanId


class FeedbackTaken(Model):
    """Answers `feedback`."""

    type: Literal["feedback_taken"] = "feedback_taken"
    request: RequestId
    scan_id: ScanId


class Status(Model):
    """Answers `status`. `scans` counts the scans that this port follows; `health` is the daemon's report."""

    type: Literal["status"] = "status"
    request: RequestId
    daemon: DaemonState
    host_version: str
    daemon_version: str | None = None
    scans: int
    uploads: int
    health: dict[str, Any] | None = None


class Settings(Model):
    """Answers `settings_get`."""

    type: Literal["settings"] = "settings"
    request: RequestId
    values: dict[str, Any]


class ScanProgress(Model):
    """A scan moves on."""

    type: Literal["progress"] = "progress"
    scan_id: ScanId
    progress: Progress


class ScanEvidence(Model):
    """An examiner found something."""

    type: Literal["evidence"] = "evidence"
    scan_id: ScanId
    evidence: Evidence


class Result(Model):
    """A scan has ended; nothing more comes about it."""

    type: Literal["result"] = "result"
    scan_id: ScanId
    scan: Scan


class Error(Model):
    """Something went wrong; `code` and `name` are one of the table in docs/native-messaging.md.

    `request`, `scan_id` and `upload_id` say what it is about, where that could be told. After a `fatal` one
    the host ends. `expected_seq` comes with chunk errors, `retry_after_s` with a busy daemon.
    """

    type: Literal["error"] = "error"
    code: int
    name: str
    message: str
    request: str | None = None
    scan_id: str | None = None
    upload_id: str | None = None
    expected_seq: int | None = None
    retry_after_s: float | None = None
    fatal: bool = False


class Part(Model):
    """A piece of a message that would be too large. The `data` of all parts in order is the JSON text."""

    type: Literal["part"] = "part"
    part_id: str
    seq: int
    last: bool
    data: str


Request = Annotated[
    Hello
    | ScanUrl
    | UploadBegin
    | UploadChunk
    | UploadScan
    | UploadEnd
    | UploadAbort
    | Get
    | Cancel
    | Feedback
    | StatusRequest
    | SettingsGet,
    Field(discriminator="type"),
]
Reply = Annotated[
    State
    | Welcome
    | Accepted
    | UploadAck
    | UploadAborted
    | ScanStateReply
    | Cancelled
    | FeedbackTaken
    | Status
    | Settings
    | ScanProgress
    | ScanEvidence
    | Result
    | Error
    | Part,
    Field(discriminator="type"),
]

REQUESTS: tuple[type[Model], ...] = (
    Hello,
    ScanUrl,
    UploadBegin,
    UploadChunk,
    UploadScan,
    UploadEnd,
    UploadAbort,
    Get,
    Cancel,
    Feedback,
    StatusRequest,
    SettingsGet,
)
REPLIES: tuple[type[Model], ...] = (
    State,
    Welcome,
    Accepted,
    UploadAck,
    UploadAborted,
    ScanStateReply,
    Cancelled,
    FeedbackTaken,
    Status,
    Settings,
    ScanProgress,
    ScanEvidence,
    Result,
    Error,
    Part,
)
NATIVE_MESSAGES: tuple[type[Model], ...] = REQUESTS + REPLIES
"""Every message: what tools/wire_types.py generates the extension's types from."""
