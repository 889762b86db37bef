"""What stands between every page of the web and the daemon: small middlewares, each with one rule.

Any page can send requests to a port of this machine, and by pointing a name of its own at 127.0.0.1 (DNS
rebinding) it can even read the answers. The token is what really keeps them out; the other rules turn away
what no client of ours would send, before anything is looked at. `guards(access)` is in the order in which
they run. None of them reads a body.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from aiohttp import hdrs, web

from .middleware import Handler, Middleware, route_of
from .problems import ApiProblem, Kind
from .routing import FRAMES_PATH, OCTETS

OPEN_PATHS = frozenset({"/v1/health"})
"""Answered without a token, and then with nothing worth knowing."""

# Firefox gives an extension a random UUID in each profile, so no list of them can be written down.
_FIREFOX_ORIGIN = re.compile(r"moz-extension://[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Measured: the background of an extension sends `none` in Chromium and `same-origin` in Firefox; no browser
# sends anything else for a request that no web page had a part in.
_OWN_FETCH_SITES = frozenset({"none", "same-origin"})

_BODY_TYPES = frozenset({"application/json", "multipart/form-data"})
_BODY_TYPES_OF_ROUTE = {FRAMES_PATH: frozenset({OCTETS})}


@dataclass(frozen=True)
class Access:
    """Who may talk to the daemon, and how they must address it.

    Attributes:
        token: the bearer token.
        port: where the daemon listens.
        chromium_ids: ids of the extensions whose origin is allowed.
    """

    token: str = field(repr=False)
    port: int
    chromium_ids: frozenset[str] = frozenset()

    @property
    def hosts(self) -> frozenset[str]:
        """The Host headers of those who know that they talk to this machine."""
        return frozenset(f"{name}:{self.port}" for name in ("127.0.0.1", "[::1]", "localhost"))

    def is_own_origin(self, origin: str) -> bool:
        """Whether an Origin header is that of our extension."""
        scheme, _, host = origin.partition("://")
        if scheme == "chrome-extension":
            return host in self.chromium_ids
        return _FIREFOX_ORIGIN.fullmatch(origin) is not None

    def is_token(self, header: str) -> bool:
        """Whether an Authorization header carries the token; takes as long whatever it carries."""
        scheme, _, given = header.partition(" ")
        # aiohttp decodes headers with surrogateescape; compare_digest takes text only if it is ASCII.
        same = compare_digest(given.strip().encode("utf-8", "surrogateescape"), self.token.encode())
        return same and scheme.lower() == "bearer"


def host_guard(access: Access) -> Middleware:
    """Only our own names for this machine: a rebound name of a web page is turned away (CWE-350)."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.getall(hdrs.HOST, [])
        if len(given) != 1 or given[0].lower() not in access.hosts:
            raise ApiProblem(Kind.WRONG_HOST, port=access.port)
        return await handler(request)

    return guard


def fetch_site_guard(_: Access) -> Middleware:
    """No request that a browser says was made by a page of another site."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not set(request.headers.getall("Sec-Fetch-Site", [])) <= _OWN_FETCH_SITES:
            raise ApiProblem(Kind.FOREIGN_ORIGIN)
        return await handler(request)

    return guard


def origin_guard(access: Access) -> Middleware:
    """An Origin, where there is one, is our extension's. Programs and extensions' GETs send none."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not all(map(access.is_own_origin, request.headers.getall(hdrs.ORIGIN, []))):
            raise ApiProblem(Kind.FOREIGN_ORIGIN)
        return await handler(request)

    return guard


def token_guard(access: Access) -> Middleware:
    """The bearer token, on every route but the open ones, and never a wrong one there either."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        known = len(given) == 1 and access.is_token(given[0])
        if not known and (given or request.path not in OPEN_PATHS):
            raise ApiProblem(Kind.UNAUTHORIZED, {"WWW-Authenticate": 'Bearer realm="touchstone"'})
        return await handler(request)

    return guard


def content_guard(_: Access) -> Middleware:
    """A POST says that it is JSON or an upload: a page may send text/plain anywhere without being asked.

    Compressed bodies are not taken: what they unfold to is not bounded by what was sent.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in (hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH):
            encoding = request.headers.get(hdrs.CONTENT_ENCODING, "identity")
            allowed = _BODY_TYPES_OF_ROUTE.get(route_of(request), _BODY_TYPES)
            # Without the header aiohttp says application/octet-stream, and pages may leave it out.
            told = hdrs.CONTENT_TYPE in request.headers and request.content_type in allowed
            if not told or encoding.lower() != "identity":
                raise ApiProblem(Kind.UNSUPPORTED_CONTENT, allowed=" / ".join(sorted(allowed)))
        return await handler(request)

    return guard


def expect_guard(_: Access) -> Middleware:
    """No expectations but the one that HTTP knows. It is met only by what passed the other guards."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get(hdrs.EXPECT, "100-continue").lower() != "100-continue":
            raise ApiProblem(Kind.EXPECTATION_FAILED)
        return await handler(request)

    return guard


def is_trusted(request: web.Request) -> bool:
    """Whether a request that passed the guards carried the token, which open routes do not ask for."""
    return hdrs.AUTHORIZATION in request.headers


RESPONSE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "touchstone",
}


async def add_response_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: no answer of ours is sniffed, framed, embedded or kept."""
    response.headers.update(RESPONSE_HEADERS)


def guards(access: Access) -> Sequence[Middleware]:
    """All of them, outermost first."""
    makers = (host_guard, fetch_site_guard, origin_guard, token_guard, content_guard, expect_guard)
    return [make(access) for make in makers]
