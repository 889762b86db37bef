"""A route with all that the OpenAPI document says about it, so that neither can be without the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

from .problems import Kind

JSON = "application/json"
OCTETS = "application/octet-stream"

FRAMES_PATH = "/v1/scans/{id}/frames"


@dataclass(frozen=True)
class Parameter:
    """A parameter in the path, the query or a header; `schema` is JSON Schema."""

    name: str
    place: str
    description: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True)
class Body:
    """A body of a request or response: a model, or a JSON Schema where there is none."""

    content_type: str
    model: type[BaseModel] | None = None
    schema: Mapping[str, object] | None = None


@dataclass(frozen=True)
class Route:
    """One method on one path.

    Attributes:
        status: of a good answer.
        answers: bodies of a good answer; empty where there is none.
        takes: bodies of the request, any one of them.
        problems: kinds of its own, beside those that every route may answer with.
        open: needs no token.
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    description: str = ""
    status: int = 200
    answers: tuple[Body, ...] = ()
    takes: tuple[Body, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[Kind, ...] = ()
    open: bool = False


def json_of(model: type[BaseModel]) -> Body:
    """A JSON body."""
    return Body(JSON, model)


def answer(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A model as the response."""
    return web.Response(
        status=status, text=model.model_dump_json(by_alias=True), content_type=JSON, headers=headers
    )
