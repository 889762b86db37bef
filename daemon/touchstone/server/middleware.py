"""What middlewares are made of."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

__all__ = ["Handler", "Middleware", "route_of"]


def route_of(request: web.Request) -> str:
    """The route a request was for, such as `/v1/scans/{id}`: what may be logged and counted."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "none"
