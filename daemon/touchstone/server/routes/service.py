"""`/v1/health` and `/metrics`: how the daemon is."""

from __future__ import annotations

import os

from aiohttp import web

from ... import __version__
from ...messages import say
from ...wire import Health
from ..guards import is_trusted
from ..metrics import CONTENT_TYPE
from ..routing import JSON, Body, Route, answer, json_of
from ..services import services


async def health(request: web.Request) -> web.Response:
    """`GET /v1/health`"""
    at_hand = services(request)
    status = "stopping" if at_hand.scans.stopping else "ok"
    if not is_trusted(request):
        told = Health(status=status).model_dump_json(exclude_none=True)
        return web.Response(text=told, content_type=JSON)
    return answer(
        Health(
            status=status,
            version=__version__,
            pid=os.getpid(),
            uptime_s=round(at_hand.uptime_s(), 3),
            queued=at_hand.scans.queued,
            running=at_hand.scans.running,
            fetch_urls=at_hand.settings.fetch_urls,
            max_bytes=at_hand.settings.max_bytes,
            sandboxes=at_hand.scans.sandboxes(),
        )
    )


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`"""
    at_hand = services(request)
    gauges = {
        "touchstone_uptime_seconds": at_hand.uptime_s(),
        "touchstone_scans_queued": at_hand.scans.queued,
        "touchstone_scans_running": at_hand.scans.running,
    }
    text = at_hand.metrics.text(gauges, __version__)
    return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})


ROUTES = (
    Route(
        "GET",
        "/v1/health",
        health,
        "Whether the daemon is up, and how it is",
        description=say("server.route.health"),
        answers=(json_of(Health),),
        open=True,
    ),
    Route(
        "GET",
        "/metrics",
        metrics,
        "Counters, in the text format of Prometheus",
        answers=(Body("text/plain", schema={"type": "string"}),),
    ),
)
