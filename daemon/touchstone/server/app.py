"""Puts the application together. Everything it works with is passed in."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..settings import Settings
from ..store import StoreThread
from ..system.power import PowerState
from .frames import FrameScans
from .guards import Access, add_response_headers, guards
from .metrics import Metrics
from .middleware import Handler, Middleware, route_of
from .problems import answer_problems
from .reading import JSON_BYTES, expect_nothing_yet
from .routes import ROUTES
from .scans import Scanner, Scans
from .services import DEFAULT_LIMITS, SERVICES, Limits, Services
from .sparing import Sparing
from .spool import Spool

if TYPE_CHECKING:
    from ..calibration.in_force import InForce

log = logging.getLogger(__name__)

RUNNER_OPTIONS: dict[str, Any] = {
    # Also how long a connection has for the head of a request: one that sends it byte by byte is cut off.
    "keepalive_timeout": 30.0,
    "lingering_time": 2.0,
    "auto_decompress": False,  # compressed bodies are refused (guards.py), not unpacked first
    "access_log": None,
}
"""How a runner has to serve the application."""


def make_app(
    *,
    access: Access,
    scanner: Scanner,
    db: StoreThread,
    spool: Spool,
    settings: Settings,
    edition: str,
    calibration: Callable[[], InForce] | None = None,
    monotonic: Callable[[], float],
    limits: Limits = DEFAULT_LIMITS,
    stop_grace_s: float = 5,
    clock: Callable[[], float] = time.time,
    power: Callable[[], PowerState] = PowerState,
) -> web.Application:
    """The daemon's application.

    Args:
        access: who may talk to it, and how.
        scanner: the pipeline.
        db: an open store.
        spool: where uploads lie.
        settings: see settings.py.
        edition: what could give another answer to the same bytes, calibrations apart; see `Scans`.
        calibration: gives what scans are weighed by; None where that never changes.
        monotonic: seconds, for durations.
        limits: how long clients may keep it waiting.
        stop_grace_s: how long running scans have to end when it stops.
        clock: seconds since the epoch.
        power: whether the machine runs on its battery or is hot; nothing is known by default.
    """
    metrics = Metrics()
    started = monotonic()
    scans = Scans(
        scanner=scanner,
        db=db,
        spool=spool,
        settings=settings,
        edition=_edition(edition, calibration),
        metrics=metrics,
        monotonic=monotonic,
        put_off=Sparing(settings.on_demand_only, power, monotonic).reason,
    )
    app = web.Application(
        middlewares=[_counted(metrics), answer_problems, *guards(access)], client_max_size=JSON_BYTES
    )
    app.on_response_prepare.append(add_response_headers)
    frames = FrameScans(scans, spool, limits, settings.max_bytes, clock)
    app[SERVICES] = Services(
        scans, frames, db, spool, metrics, settings, limits, lambda: monotonic() - started, calibration
    )
    for route in ROUTES:
        app.router.add_route(route.method, route.path, route.handler, expect_handler=expect_nothing_yet)

    async def run_scans(_: web.Application) -> AsyncIterator[None]:
        await scans.start()
        yield
        await frames.close()
        await scans.close(stop_grace_s)

    async def stop_scans(_: web.Application) -> None:
        # Before connections are closed, so that whoever follows a scan still gets its verdict.
        await scans.close(stop_grace_s)

    app.cleanup_ctx.append(run_scans)
    app.on_shutdown.append(stop_scans)
    return app


def _edition(base: str, calibration: Callable[[], InForce] | None) -> Callable[[], str]:
    """The edition with the calibration of this computer in it, while one is in force."""

    def edition() -> str:
        own = calibration().id if calibration else None
        return f"{base} {own}" if own else base

    return edition


def _counted(metrics: Metrics) -> Middleware:
    """Count and log requests: method, route and status, never an address or an id."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        route = route_of(request)
        metrics.count(
            "touchstone_http_requests_total",
            method=_known(request.method),
            route=route,
            status=str(response.status),
        )
        log.debug("%s %s %s", request.method, route, response.status)
        return response

    return count


def _known(method: str) -> str:
    # Anyone may make up methods; each would be a counter of its own.
    return method if method in ("GET", "POST", "DELETE", "HEAD", "OPTIONS") else "other"
