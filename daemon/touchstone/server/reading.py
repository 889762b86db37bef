"""Reads what clients send: JSON bodies, query parameters, uploads. Everything is bounded in size and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from aiohttp import BodyPartReader, MultipartReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from pydantic import BaseModel, ValidationError

from ..intake.uploads import ReceivedUpload
from ..messages import FALLBACK, say
from ..pipeline import new_scan_id
from ..wire import UploadSource
from .problems import ApiProblem, Kind
from .scans import Upload
from .services import Services
from .spool import SpoolFull, UploadTooLarge

M = TypeVar("M", bound=BaseModel)

JSON_BYTES = 1 << 20
"""Longest JSON body. The largest honest one lists the fragments of a long video."""

PART_BYTES = 1 << 16
"""Longest `source` part of an upload."""

PIECE_BYTES = 1 << 16
"""Read from an upload at a time."""

NAME_LENGTH = 1024
"""Longest name of a file that is kept, as in `wire.UploadSource`."""

MULTIPART_OVERHEAD = PART_BYTES + 4096
"""What boundaries, part headers and the `source` part may add to the length of an upload."""


def invalid(key: str, **names: object) -> ApiProblem:
    """A request that makes no sense, in words: the message `server.invalid.<key>`."""
    return ApiProblem(Kind.INVALID_REQUEST, reason=say(f"server.invalid.{key}", FALLBACK, **names))


def validated(model: type[M], text: bytes | str) -> M:
    """JSON text as a model.

    Raises:
        ApiProblem: it is no JSON, too deep, or not what the model asks for; the first fault is named.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        if error["type"] == "json_invalid":
            raise invalid("not_json", reason=error["ctx"]["error"]) from None
        where = ".".join(str(step) for step in error["loc"])
        if where:
            raise invalid("field", field=where, reason=error["msg"]) from None
        raise invalid("body", reason=error["msg"]) from None


async def expect_nothing_yet(_: web.Request) -> None:
    """Route's answer to an Expect header: none, until the guards have passed and `invite` is called."""


async def invite(request: web.Request) -> None:
    """Tell a client that waits with its body until it is asked for (RFC 9110, 10.1.1) to send it."""
    if hdrs.EXPECT in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # An interim answer is none yet: aiohttp must not take it for the start of the real one.
        request.writer.output_size = 0


async def read_json(request: web.Request, model: type[M], within_s: float) -> M:
    """The body of a request as a model."""
    async with in_time(within_s):
        await invite(request)
        try:
            text = await request.read()
        except HTTPRequestEntityTooLarge:
            raise ApiProblem(Kind.TOO_LARGE, limit=request.client_max_size) from None
    return validated(model, text)


def query(request: web.Request, name: str, least: int, most: int) -> int | None:
    """A whole number from the query; None where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and least <= int(text) <= most):
        raise invalid(
            "query",
            name=name,
            value=ascii(text[:40]),
            reason=say("server.invalid.range", least=least, most=most),
        )
    return int(text)


async def receive_upload(request: web.Request, services: Services) -> Upload:
    """A multipart upload, in the spool by the time this returns; its bytes are the caller's from then on."""
    limits, most = services.limits, services.settings.max_bytes
    if (request.content_length or 0) > most + MULTIPART_OVERHEAD:
        raise ApiProblem(Kind.TOO_LARGE, limit=most)
    await invite(request)
    async with in_time(limits.upload_s):
        try:
            return await _parts(request, services)
        except (ValueError, HttpProcessingError, web.RequestPayloadError) as problem:
            # What aiohttp raises for boundaries, headers and lengths that do not add up.
            raise invalid("multipart") from problem
        except UploadTooLarge as problem:
            raise ApiProblem(Kind.TOO_LARGE, limit=problem.limit) from problem
        except SpoolFull as problem:
            raise ApiProblem(
                Kind.BUSY, {"Retry-After": "5"}, waiting=services.scans.queued, seconds=5
            ) from problem


async def _parts(request: web.Request, services: Services) -> Upload:
    idle_s = services.limits.upload_idle_s
    scan_id = new_scan_id()
    about, sha256, name = UploadSource(), None, None
    seen: set[str | None] = set()
    reader = await request.multipart()
    async with AsyncExitStack() as stack:
        while True:
            async with in_time(idle_s):
                part = await reader.next()
            if part is None:
                break
            if isinstance(part, MultipartReader) or part.name not in ("source", "file") or part.name in seen:
                raise invalid("part", name=ascii(getattr(part, "name", None))[:40])
            seen.add(part.name)
            if part.name == "source":
                about = validated(UploadSource, await _whole(part, idle_s))
            else:
                name = part.filename
                incoming = await stack.enter_async_context(services.spool.receive(scan_id))
                async for piece in _pieces(part, idle_s):
                    await incoming.write(piece)
                if not incoming.size:
                    raise invalid("empty")
                sha256 = await incoming.finish()
        if sha256 is None:
            raise invalid("no_file")
    fields = about.model_dump() | {"name": about.name or (name or "")[:NAME_LENGTH] or None}
    return Upload(scan_id, ReceivedUpload(**fields, path=services.spool.path(scan_id)), sha256)


async def _whole(part: BodyPartReader, idle_s: float) -> bytes:
    text = bytearray()
    async for piece in _pieces(part, idle_s):
        text += piece
        if len(text) > PART_BYTES:
            raise ApiProblem(Kind.TOO_LARGE, limit=PART_BYTES)
    return bytes(text)


async def _pieces(part: BodyPartReader, idle_s: float) -> AsyncIterator[bytes]:
    while True:
        async with in_time(idle_s):
            piece = await part.read_chunk(PIECE_BYTES)
        if not piece:
            return
        yield piece


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """A block that has to end within so many seconds, else the request is answered as too slow."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise ApiProblem(Kind.TIMEOUT, {"Connection": "close"}, seconds=f"{seconds:g}") from None
