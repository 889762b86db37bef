"""One shape for every error: RFC 9457 problem details, with stable types.

A handler raises `ApiProblem(kind, ...)`; `answer_problems` turns that, and whatever else goes wrong below it,
into the response. The kinds are listed in docs/api.md, and a test fails when one is missing there.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Mapping
from enum import Enum

from aiohttp import web

from ..messages import FALLBACK, say
from ..wire import Problem
from .middleware import Handler, route_of

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:touchstone:problem:"


class Kind(Enum):
    """Every kind of problem: the end of its `type`, and its status."""

    INVALID_REQUEST = ("invalid-request", 400)
    UNAUTHORIZED = ("unauthorized", 401)
    FOREIGN_ORIGIN = ("foreign-origin", 403)
    NOT_FOUND = ("not-found", 404)
    UNKNOWN_SCAN = ("unknown-scan", 404)
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405)
    TIMEOUT = ("timeout", 408)
    PUT_OFF = ("put-off", 409)
    TOO_LARGE = ("too-large", 413)
    UNSUPPORTED_CONTENT = ("unsupported-content", 415)
    EXPECTATION_FAILED = ("expectation-failed", 417)
    WRONG_HOST = ("wrong-host", 421)
    BUSY = ("busy", 429)
    INTERNAL = ("internal", 500)
    STOPPING = ("stopping", 503)
    NO_ROOM = ("no-room", 507)

    def __init__(self, slug: str, status: int) -> None:
        self.slug = slug
        self.status = status

    @property
    def type(self) -> str:
        """The stable `type` of the problem."""
        return TYPE_PREFIX + self.slug


class ApiProblem(Exception):
    """What a client did wrong, or what we cannot do for it now.

    Args:
        kind: decides type, status and title.
        headers: for the response, such as Retry-After.
        names: fill the places of the kind's sentence, `server.problem.<kind>.detail`.
    """

    def __init__(self, kind: Kind, headers: Mapping[str, str] | None = None, **names: object) -> None:
        self.kind = kind
        self.headers = dict(headers or {})
        self.detail = say(f"server.problem.{kind.slug}.detail", FALLBACK, **names)
        super().__init__(self.detail)


def problem_response(problem: ApiProblem, path: str) -> web.Response:
    """The response for a problem; `path` is what was asked for, without its query."""
    body = Problem(
        type=problem.kind.type,
        title=say(f"server.problem.{problem.kind.slug}.title"),
        status=problem.kind.status,
        detail=problem.detail,
        instance=path,
    )
    return web.Response(
        status=problem.kind.status,
        text=body.model_dump_json(),
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn exceptions into problem details."""
    try:
        return await handler(request)
    except ApiProblem as problem:
        found = problem
    except web.HTTPException as problem:
        found = _from_aiohttp(problem, request)
    except OSError as problem:
        found = _from_system(problem, request)
    except sqlite3.OperationalError as problem:
        found = _from_store(problem, request)
    except Exception:
        log.exception("%s %s failed", request.method, route_of(request))
        found = ApiProblem(Kind.INTERNAL)
    return problem_response(found, request.path)


def _from_aiohttp(problem: web.HTTPException, request: web.Request) -> ApiProblem:
    if isinstance(problem, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(problem.allowed_methods))
        return ApiProblem(Kind.METHOD_NOT_ALLOWED, {"Allow": allowed}, method=request.method, allowed=allowed)
    if isinstance(problem, web.HTTPRequestEntityTooLarge):
        return ApiProblem(Kind.TOO_LARGE, limit=request.client_max_size)
    if isinstance(problem, web.HTTPExpectationFailed):
        return ApiProblem(Kind.EXPECTATION_FAILED)
    if isinstance(problem, web.HTTPNotFound):
        return ApiProblem(Kind.NOT_FOUND, path=request.path)
    log.error("%s %s ended as %s", request.method, route_of(request), problem.status)
    return ApiProblem(Kind.INTERNAL)


def _from_store(problem: sqlite3.OperationalError, request: web.Request) -> ApiProblem:
    if problem.sqlite_errorcode == sqlite3.SQLITE_FULL:
        return ApiProblem(Kind.NO_ROOM)
    log.error("%s %s failed", request.method, route_of(request), exc_info=problem)
    return ApiProblem(Kind.INTERNAL)


def _from_system(problem: OSError, request: web.Request) -> ApiProblem:
    if isinstance(problem, ConnectionError):
        raise problem  # the client has gone: nobody reads an answer
    if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return ApiProblem(Kind.NO_ROOM)
    log.error("%s %s failed", request.method, route_of(request), exc_info=problem)
    return ApiProblem(Kind.INTERNAL)
