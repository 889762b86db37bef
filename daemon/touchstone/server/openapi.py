"""The OpenAPI 3.1 document, made from the table of routes and the pydantic models."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from .. import __version__
from ..messages import say
from ..wire import (
    CalibrationState,
    FrameBatch,
    Health,
    History,
    Problem,
    ScanEvent,
    ScanFeedback,
    ScanRequest,
    ScanState,
    UploadSource,
)
from .problems import CONTENT_TYPE, Kind
from .routes import ROUTES
from .routing import Body, Parameter, Route

EVERYWHERE = (Kind.UNAUTHORIZED, Kind.FOREIGN_ORIGIN, Kind.WRONG_HOST, Kind.INTERNAL)
"""Problems that any route may answer with."""

REF = "#/components/schemas/{model}"

_MODELS: tuple[tuple[Any, JsonSchemaMode], ...] = (
    (ScanRequest, "validation"),
    (UploadSource, "validation"),
    (ScanFeedback, "validation"),
    (ScanState, "serialization"),
    (ScanEvent, "serialization"),
    (History, "serialization"),
    (Health, "serialization"),
    (Problem, "serialization"),
    (CalibrationState, "serialization"),
    (FrameBatch, "validation"),
)


@cache
def document() -> dict[str, Any]:
    """The document as JSON values."""
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Touchstone",
            "version": __version__,
            "summary": say("server.api.summary"),
            "description": say("server.api.description"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def _schemas() -> dict[str, Any]:
    inputs = [(name, mode, TypeAdapter(model).core_schema) for name, (model, mode) in enumerate(_MODELS)]
    references, definitions = GenerateJsonSchema(ref_template=REF).generate_definitions(inputs)
    schemas: dict[str, Any] = {str(name): schema for name, schema in definitions.items()}
    # A union has no name of its own in pydantic.
    schemas["ScanEvent"] = references[(4, "serialization")]
    return dict(sorted(schemas.items()))


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.handler.__module__.rpartition('.')[2]}_{route.handler.__name__}",
        "responses": {str(route.status): _response(route)},
    }
    if route.description:
        operation["description"] = route.description
    if route.open:
        operation["security"] = [{}, {"token": []}]
    if route.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if route.takes:
        operation["requestBody"] = {"required": True, "content": _content(route.takes)}
    for status, kinds in _by_status((*route.problems, *EVERYWHERE)).items():
        operation["responses"][str(status)] = {
            "description": "; ".join(say(f"server.problem.{kind.slug}.title") for kind in kinds),
            "content": {CONTENT_TYPE: {"schema": {"$ref": REF.format(model="Problem")}}},
        }
    return operation


def _by_status(kinds: tuple[Kind, ...]) -> dict[int, list[Kind]]:
    found: dict[int, list[Kind]] = {}
    for kind in sorted(set(kinds), key=lambda kind: (kind.status, kind.slug)):
        found.setdefault(kind.status, []).append(kind)
    return found


def _response(route: Route) -> dict[str, Any]:
    response: dict[str, Any] = {"description": route.summary}
    if route.answers:
        response["content"] = _content(route.answers)
    if route.status == 202:
        response["headers"] = {"Location": {"description": "Path of the scan.", "schema": {"type": "string"}}}
    return response


def _content(bodies: tuple[Body, ...]) -> dict[str, Any]:
    return {
        body.content_type: {
            "schema": body.schema if body.model is None else {"$ref": REF.format(model=body.model.__name__)}
        }
        for body in bodies
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.place == "path",
        "schema": dict(parameter.schema),
    }
