"""`/v1/scans/{id}/feedback`: what a person says about a verdict. It stays on this computer."""

from __future__ import annotations

from aiohttp import web

from ...messages import say
from ...store import Store
from ...wire import ScanFeedback
from ..problems import ApiProblem, Kind
from ..reading import read_json
from ..routing import Parameter, Route, json_of
from ..services import services


async def give(request: web.Request) -> web.Response:
    """`POST /v1/scans/{id}/feedback`"""
    at_hand = services(request)
    scan_id = request.match_info["id"]
    feedback = await read_json(request, ScanFeedback, at_hand.limits.body_s)
    if not await at_hand.db.do(Store.set_feedback, scan_id, feedback):
        raise ApiProblem(Kind.UNKNOWN_SCAN, id=ascii(scan_id[:64]))
    return web.Response(status=204)


ROUTES = (
    Route(
        "POST",
        "/v1/scans/{id}/feedback",
        give,
        "Say whether a verdict is right",
        description=say("server.route.feedback"),
        status=204,
        takes=(json_of(ScanFeedback),),
        parameters=(Parameter("id", "path", "The id of the scan."),),
        problems=(
            Kind.INVALID_REQUEST,
            Kind.UNKNOWN_SCAN,
            Kind.TIMEOUT,
            Kind.TOO_LARGE,
            Kind.UNSUPPORTED_CONTENT,
        ),
    ),
)
