"""The OpenAPI document as one page of plain HTML: no script, nothing loaded from anywhere."""

from __future__ import annotations

import json
from html import escape
from importlib import resources
from string import Template
from typing import Any

from .openapi import document


def page() -> str:
    """The page."""
    api = document()
    template = Template(resources.files(__package__).joinpath("docs_page.html").read_text(encoding="utf-8"))
    operations = [
        _operation(method, path, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    ]
    return template.substitute(
        title=escape(api["info"]["title"]),
        version=escape(api["info"]["version"]),
        description=_paragraphs(api["info"]["description"]),
        operations="\n".join(operations),
        schemas="\n".join(_schema(name, schema) for name, schema in api["components"]["schemas"].items()),
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [
        _row(f"<code>{escape(p['name'])}</code> ({p['in']})", escape(p["description"]))
        for p in operation.get("parameters", [])
    ]
    rows += [
        _row(f"<code>{escape(kind)}</code> (body)", _type(body["schema"]))
        for kind, body in operation.get("requestBody", {}).get("content", {}).items()
    ]
    for status, response in sorted(operation["responses"].items()):
        types = ", ".join(_type(body["schema"]) for body in response.get("content", {}).values())
        rows.append(_row(status, escape(response["description"]) + (f": {types}" if types else "")))
    heading = f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
    words = f"<p><b>{escape(operation['summary'])}.</b> {escape(operation.get('description', ''))}</p>"
    return f"<section>{heading}{words}<table>{''.join(rows)}</table></section>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> '
        f"{escape(schema.get('description', '').split(chr(10))[0])}</summary><pre>{text}</pre></details>"
    )


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}"><code>{name}</code></a>'
    return f"<code>{escape(str(schema.get('type', 'object')))}</code>"


def _row(left: str, right: str) -> str:
    return f"<tr><th>{left}</th><td>{right}</td></tr>"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
