"""Uploads: bytes that came with a request and lie in a private file by the time a scan starts."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ..wire import FramesSource, UploadSource


class ReceivedUpload(UploadSource):
    """An upload whose bytes have been written to disk by whoever received them.

    The wire only knows `UploadSource`, so no request can name a path: the receiver makes one of these from
    the request's `UploadSource` and the private file it wrote the body to, and scans that. The file belongs
    to the receiver, which removes it once the scan has ended.

        source = ReceivedUpload(**upload.model_dump(), path=body_path)

    Attributes:
        path: the body of the request, as it came.
        fragments: media segments of a fragmented MP4 whose init segment is `path`, in order.
    """

    path: Path = Field(exclude=True, repr=False)
    fragments: tuple[Path, ...] = Field(default=(), exclude=True, repr=False)


class ReceivedFrames(FramesSource):
    """Pictures from a browser whose batches have been written to disk, as `ReceivedUpload` for uploads."""

    path: Path = Field(exclude=True, repr=False)
