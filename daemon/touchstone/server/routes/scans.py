"""`/v1/scans`: ask for a scan, look at it, follow it, forget it, and the history of all."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import hdrs, web

from ...messages import say
from ...store import Store
from ...verdict import Label
from ...wire import AnySource, FramesSource, History, ScanRequest, ScanState
from ..jobs import NumberedEvent
from ..problems import ApiProblem, Kind
from ..reading import invalid, query, read_json, receive_upload
from ..refusals import Busy, PutOff, Stopping
from ..routing import FRAMES_PATH, JSON, OCTETS, Body, Parameter, Route, answer, json_of
from ..scans import Upload
from ..services import services

log = logging.getLogger(__name__)

PAGE = 50
MAX_PAGE = 500

SCAN_ID = Parameter("id", "path", "The id of the scan.")


async def ask(request: web.Request) -> web.Response:
    """`POST /v1/scans`"""
    at_hand = services(request)
    if request.content_type == JSON:
        asked = await read_json(request, ScanRequest, at_hand.limits.body_s)
        _check(asked.source, from_browser=hdrs.ORIGIN in request.headers)
        if isinstance(asked.source, FramesSource):
            with _refusals():
                await at_hand.scans.check_power(asked.automatic)
            state = await at_hand.frames.open(asked.source, fresh=asked.fresh, automatic=asked.automatic)
            return answer(state, 202, {"Location": f"/v1/scans/{state.id}"})
        return await _submit(request, asked.source, None, fresh=asked.fresh, automatic=asked.automatic)
    fresh, automatic = _yes_or_no(request, "fresh"), _yes_or_no(request, "automatic")
    with _refusals():
        await at_hand.scans.check_power(automatic)  # before the bytes come
    upload = await receive_upload(request, at_hand)
    try:
        return await _submit(request, upload.source, upload, fresh=fresh, automatic=automatic)
    except BaseException:
        await at_hand.spool.remove(upload.scan_id)
        raise


def _check(source: AnySource, *, from_browser: bool) -> None:
    """Refuse sources that make no sense here, or that are no business of whoever asks."""
    if source.kind == "upload":
        raise invalid("upload_as_json")
    if source.kind == "file":
        if from_browser:
            # The extension has no use for paths, so whatever takes it over shall have none either.
            raise invalid("file_from_browser")
        for path in (source.path, *source.fragments):
            if not Path(path).is_absolute():
                raise invalid("relative_path", path=ascii(path[:200]))


async def _submit(
    request: web.Request, source: AnySource, upload: Upload | None, *, fresh: bool, automatic: bool
) -> web.Response:
    with _refusals():
        state = await services(request).scans.submit(source, fresh=fresh, upload=upload, automatic=automatic)
    return answer(state, 202, {"Location": f"/v1/scans/{state.id}"})


async def add_frames(request: web.Request) -> web.Response:
    """`POST /v1/scans/{id}/frames`"""
    scan_id = request.match_info["id"]
    last = _yes_or_no(request, "last")
    with _refusals():
        state = await services(request).frames.add(scan_id, request, last=last)
    if state is None:
        raise _unknown(scan_id)
    return answer(state, 202, {"Location": f"/v1/scans/{state.id}"})


@contextmanager
def _refusals() -> Iterator[None]:
    """What the engine raises when it takes no scan, as problems."""
    try:
        yield
    except Busy as problem:
        seconds = problem.retry_after_s
        raise ApiProblem(
            Kind.BUSY, {"Retry-After": str(seconds)}, waiting=problem.waiting, seconds=seconds
        ) from None
    except PutOff as problem:
        raise ApiProblem(Kind.PUT_OFF, reason=problem) from None
    except Stopping:
        raise ApiProblem(Kind.STOPPING, {"Retry-After": "5"}) from None


async def get(request: web.Request) -> web.Response:
    """`GET /v1/scans/{id}`"""
    scan_id = request.match_info["id"]
    at_hand = services(request)
    state = at_hand.frames.state(scan_id) or await at_hand.scans.state(scan_id)
    if state is None:
        raise _unknown(scan_id)
    return answer(state)


async def forget(request: web.Request) -> web.Response:
    """`DELETE /v1/scans/{id}`"""
    scan_id = request.match_info["id"]
    at_hand = services(request)
    if not (await at_hand.frames.remove(scan_id) or await at_hand.scans.remove(scan_id)):
        raise _unknown(scan_id)
    return web.Response(status=204)


async def history(request: web.Request) -> web.Response:
    """`GET /v1/scans`"""
    label = request.query.get("label")
    if label is not None and label not in set(Label):
        reason = say("server.invalid.choice", choices=", ".join(Label))
        raise invalid("query", name="label", value=ascii(label[:40]), reason=reason)
    page = await services(request).db.do(
        Store.history,
        label=Label(label) if label else None,
        url=request.query.get("url"),
        text=request.query.get("text"),
        before=query(request, "before", 0, 1 << 53),
        limit=query(request, "limit", 1, MAX_PAGE) or PAGE,
    )
    return answer(History(scans=list(page.scans), before=page.before))


async def events(request: web.Request) -> web.StreamResponse:
    """`GET /v1/scans/{id}/events`: server-sent events, as the HTML standard, section 9.2, has them."""
    scan_id = request.match_info["id"]
    at_hand = services(request)
    after = request.headers.get("Last-Event-ID")
    stream = await at_hand.scans.follow(scan_id, after, at_hand.limits.heartbeat_s)
    if stream is None:
        raise _unknown(scan_id)
    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8"})
    await response.prepare(request)
    try:
        async for event in stream:
            async with asyncio.timeout(at_hand.limits.write_s):
                await response.write(_lines(event))
    except (ConnectionError, TimeoutError):
        # The client has gone or takes nothing more; it comes back with Last-Event-ID if it wants the rest.
        log.debug("a client left the events of %s", scan_id)
        if request.transport:
            request.transport.abort()
    return response


def _lines(event: NumberedEvent | None) -> bytes:
    if event is None:
        return b":\n\n"  # a comment: keeps the connection alive, and clients pass over it
    # JSON has its line feeds escaped, so one data line holds it all.
    return f"id: {event.id}\nevent: {event.type}\ndata: {event.json}\n\n".encode()


def _yes_or_no(request: web.Request, name: str) -> bool:
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        reason = say("server.invalid.choice", choices="true, false")
        raise invalid("query", name=name, value=ascii(text[:40]), reason=reason)
    return text == "true"


def _unknown(scan_id: str) -> ApiProblem:
    return ApiProblem(Kind.UNKNOWN_SCAN, id=ascii(scan_id[:64]))


UPLOAD_SCHEMA = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "source": {"$ref": "#/components/schemas/UploadSource"},
        "file": {"type": "string", "format": "binary"},
    },
}

ROUTES = (
    Route(
        "POST",
        "/v1/scans",
        ask,
        "Scan a video",
        description=say("server.route.ask"),
        status=202,
        answers=(json_of(ScanState),),
        takes=(json_of(ScanRequest), Body("multipart/form-data", schema=UPLOAD_SCHEMA)),
        parameters=(
            Parameter("fresh", "query", say("server.route.fresh"), {"type": "boolean", "default": False}),
            Parameter(
                "automatic", "query", say("server.route.automatic"), {"type": "boolean", "default": False}
            ),
        ),
        problems=(
            Kind.INVALID_REQUEST,
            Kind.TIMEOUT,
            Kind.TOO_LARGE,
            Kind.UNSUPPORTED_CONTENT,
            Kind.BUSY,
            Kind.STOPPING,
            Kind.NO_ROOM,
        ),
    ),
    Route(
        "GET",
        "/v1/scans",
        history,
        "History",
        description=say("server.route.history"),
        answers=(json_of(History),),
        parameters=(
            Parameter(
                "label", "query", "Only scans with this label.", {"$ref": "#/components/schemas/Label"}
            ),
            Parameter("url", "query", "Only scans of this video address, or shown on this page address."),
            Parameter("text", "query", "Only scans with this text in address, page, name or headline."),
            Parameter("before", "query", "`before` of the page above.", {"type": "integer", "minimum": 0}),
            Parameter(
                "limit",
                "query",
                "At most this many.",
                {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": PAGE},
            ),
        ),
        problems=(Kind.INVALID_REQUEST,),
    ),
    Route(
        "GET",
        "/v1/scans/{id}",
        get,
        "A scan and, once it is done, its verdict",
        answers=(json_of(ScanState),),
        parameters=(SCAN_ID,),
        problems=(Kind.UNKNOWN_SCAN,),
    ),
    Route(
        "GET",
        "/v1/scans/{id}/events",
        events,
        "Follow a scan",
        description=say("server.route.events"),
        answers=(Body("text/event-stream", schema={"$ref": "#/components/schemas/ScanEvent"}),),
        parameters=(SCAN_ID, Parameter("Last-Event-ID", "header", "Id of the last event that was seen.")),
        problems=(Kind.UNKNOWN_SCAN,),
    ),
    Route(
        "POST",
        FRAMES_PATH,
        add_frames,
        "Hand over frames",
        description=say("server.route.frames"),
        status=202,
        answers=(json_of(ScanState),),
        takes=(Body(OCTETS, schema={"type": "string", "format": "binary"}),),
        parameters=(
            SCAN_ID,
            Parameter("last", "query", say("server.route.last"), {"type": "boolean", "default": False}),
        ),
        problems=(
            Kind.INVALID_REQUEST,
            Kind.UNKNOWN_SCAN,
            Kind.TIMEOUT,
            Kind.TOO_LARGE,
            Kind.UNSUPPORTED_CONTENT,
            Kind.BUSY,
            Kind.STOPPING,
            Kind.NO_ROOM,
        ),
    ),
    Route(
        "DELETE",
        "/v1/scans/{id}",
        forget,
        "Cancel a scan and forget it",
        description=say("server.route.forget"),
        status=204,
        parameters=(SCAN_ID,),
        problems=(Kind.UNKNOWN_SCAN,),
    ),
)
