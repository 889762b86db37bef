"""What describes the API is made from it, and true."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import wire_types
from touchstone.server.docs_page import page
from touchstone.server.openapi import document
from touchstone.server.problems import Kind
from touchstone.server.routes import ROUTES

OPERATIONS = [(route.method, route.path) for route in ROUTES]


async def test_every_route_is_in_the_document_and_the_other_way_round(served: Any) -> None:
    async with served.client.get("/openapi.json") as response:
        assert response.content_type == "application/json"
        described = await response.json()
    in_document = {
        (method.upper(), path) for path, methods in described["paths"].items() for method in methods
    }
    in_router = {
        (route.method, route.resource.canonical)
        for route in served.runner.app.router.routes()
        if route.resource is not None
    }
    assert in_document == in_router == set(OPERATIONS)


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_every_reference_leads_somewhere() -> None:
    described = json.loads(json.dumps(document()))
    known = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    found = references(described)
    assert found <= known
    assert {"Scan", "ScanState", "ScanRequest", "ScanEvent", "Problem"} <= set(
        described["components"]["schemas"]
    )


def test_operations_are_told_apart() -> None:
    ids = [
        operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()
    ]
    assert len(ids) == len(set(ids)) == len(ROUTES)


def test_only_health_needs_no_token() -> None:
    free = {
        path
        for path, methods in document()["paths"].items()
        for operation in methods.values()
        if {} in operation.get("security", [])
    }
    assert free == {"/v1/health"}


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_path_parameters_are_declared(method: str, path: str) -> None:
    operation = document()["paths"][path][method.lower()]
    declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
    assert declared == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_route_is_on_the_page_in_docs(method: str, path: str, repository: Path) -> None:
    assert f"`{method} {path}`" in (repository / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_page_in_docs_has_no_problem_that_does_not_exist(repository: Path) -> None:
    text = (repository / "docs" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", text, re.MULTILINE)
    assert {(slug, int(status)) for slug, status in listed} == {(kind.slug, kind.status) for kind in Kind}


class Page(HTMLParser):
    """Notes what a page would load, and whether every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        self.loads += [tag for name in ("src", "srcset", "data") if name in names]
        if tag in ("script", "link", "iframe", "img"):
            self.loads.append(tag)
        self.ids.add(names.get("id") or "")
        if tag == "a":
            self.links.add((names["href"] or "").removeprefix("#"))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_docs_page_is_whole_and_loads_nothing() -> None:
    parser = Page()
    parser.feed(page())
    assert not parser.loads and not parser.open
    assert parser.links and parser.links <= parser.ids


def test_the_schema_of_the_extension_is_that_of_the_models() -> None:
    assert wire_types.drifted() == [], "run python tools/wire_types.py"
