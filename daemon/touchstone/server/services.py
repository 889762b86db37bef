"""What the handlers work with, handed to them by the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from ..settings import Settings
from ..store import StoreThread
from .metrics import Metrics
from .scans import Scans
from .spool import Spool


@dataclass(frozen=True)
class Limits:
    """Bounds on what a client may make the daemon wait for, in seconds.

    Attributes:
        body_s: for a JSON body to arrive whole.
        upload_idle_s: between two pieces of an upload.
        upload_s: for an upload to arrive whole.
        heartbeat_s: between two signs of life on an event stream, so that both ends notice a dead connection.
        write_s: for a client to take an event.
    """

    body_s: float = 10
    upload_idle_s: float = 20
    upload_s: float = 900
    heartbeat_s: float = 15
    write_s: float = 30


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Services:
    """Everything that is passed in. `uptime_s` tells how long the daemon has been up."""

    scans: Scans
    db: StoreThread
    spool: Spool
    metrics: Metrics
    settings: Settings
    limits: Limits
    uptime_s: Callable[[], float]


SERVICES = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    """The services of the application that a request came to."""
    return request.app[SERVICES]
