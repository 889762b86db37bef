"""`/openapi.json` and `/docs`: the API, described by itself."""

from __future__ import annotations

import json

from aiohttp import web

from ..routing import JSON, Body, Route


async def openapi(_: web.Request) -> web.Response:
    """`GET /openapi.json`"""
    # Imported when it is asked for: making schemas costs memory that an idle daemon need not hold.
    from ..openapi import document

    return web.Response(text=json.dumps(document(), ensure_ascii=False), content_type=JSON)


async def docs(_: web.Request) -> web.Response:
    """`GET /docs`"""
    from ..docs_page import page

    return web.Response(text=page(), content_type="text/html", charset="utf-8")


ROUTES = (
    Route(
        "GET",
        "/openapi.json",
        openapi,
        "This API as an OpenAPI 3.1 document",
        answers=(Body(JSON, schema={"type": "object"}),),
    ),
    Route(
        "GET",
        "/docs",
        docs,
        "This API as a page to read",
        answers=(Body("text/html", schema={"type": "string"}),),
    ),
)
