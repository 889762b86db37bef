"""`/v1/calibration`: what scans are weighed by."""

from __future__ import annotations

import asyncio

from aiohttp import web

from ...messages import say
from ...wire import CalibrationState
from ..routing import Route, answer, json_of
from ..services import services


async def show(request: web.Request) -> web.Response:
    """`GET /v1/calibration`"""
    # Imported when it is asked for: an idle daemon need not hold what it takes.
    from ...calibration_in_force import state_of

    give = services(request).calibration
    return answer(await asyncio.to_thread(state_of, give() if give else None))


ROUTES = (
    Route(
        "GET",
        "/v1/calibration",
        show,
        "What scans are weighed by",
        description=say("server.route.calibration"),
        answers=(json_of(CalibrationState),),
    ),
)
