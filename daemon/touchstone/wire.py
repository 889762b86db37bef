"""What travels between the parts beside the scan itself: requests, events and problems.

Like `verdict.py` these are pydantic models; the OpenAPI document, docs/native-messaging.md's examples
and the extension's TypeScript types are checked against them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .verdict import Evidence, Label, Model, Scan


class UrlSource(Model):
    """A video on the web. `page_url` is where it is shown; it is kept for history and never fetched."""

    kind: Literal["url"] = "url"
    url: str = Field(min_length=1, max_length=16_384)
    page_url: str | None = Field(default=None, max_length=16_384)


class FileSource(Model):
    """A file on this computer; `fragments` are the media segments of a fragmented MP4, in order."""

    kind: Literal["file"] = "file"
    path: str = Field(min_length=1, max_length=4096)
    fragments: list[str] = Field(default_factory=list, max_length=10_000)


class UploadSource(Model):
    """Bytes that came with the request; `url` says where the browser had them from."""

    kind: Literal["upload"] = "upload"
    name: str | None = Field(default=None, max_length=1024)
    url: str | None = Field(default=None, max_length=16_384)
    page_url: str | None = Field(default=None, max_length=16_384)


AnySource = Annotated[UrlSource | FileSource | UploadSource, Field(discriminator="kind")]


class ScanRequest(Model):
    """Body of `POST /v1/scans`."""

    source: AnySource
    fresh: bool = Field(default=False, description="Scan again even if an answer for this source is known.")


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
    state: Literal["queued", "running", "done"]
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


class Problem(Model):
    """RFC 9457 problem details. `type` is stable; docs/api.md lists them."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
