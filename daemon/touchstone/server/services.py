"""What the handlers work with, handed to them by the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from ..settings import Settings
from ..store import StoreThread
from .metrics import Metrics
from .scans import Scans
from .spool import Spool

if TYPE_CHECKING:
    from ..calibration.in_force import InForce
    from .frames import FrameScans


@dataclass(frozen=True)
class Limits:
    """Bounds on what a client may make the daemon wait for, in seconds.

    Attributes:
        body_s: for a JSON body to arrive whole.
        upload_idle_s: between two pieces of an upload.
        upload_s: for an upload to arrive whole.
        heartbeat_s: between two signs of life on an event stream, so that both ends notice a dead connection.
        write_s: for a client to take an event.
        frames_idle_s: between two batches of a scan of frames.
        frames_bytes: longest scan of frames, in bytes: 8 runs of 3 frames are 75 MB in 1080p as I420, 199 MB
            as RGBA, and 299 MB in 2160p as I420.
    """

    body_s: float = 10
    upload_idle_s: float = 20
    upload_s: float = 900
    heartbeat_s: float = 15
    write_s: float = 30
    frames_idle_s: float = 120
    frames_bytes: int = 512 << 20


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Services:
    """Everything that is passed in.

    Attributes:
        uptime_s: tells how long the daemon has been up.
        calibration: gives what scans are weighed by; None where that never changes.
    """

    scans: Scans
    frames: FrameScans
    db: StoreThread
    spool: Spool
    metrics: Metrics
    settings: Settings
    limits: Limits
    uptime_s: Callable[[], float]
    calibration: Callable[[], InForce] | None = None


SERVICES = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    """The services of the application that a request came to."""
    return request.app[SERVICES]
