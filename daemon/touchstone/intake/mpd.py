"""Reads the XML of a DASH manifest into mpegdash's objects, without trusting a byte of it. Pure.

The library's own entry point opens URLs and files that it is given in place of XML, so only its node
classes are used, on a document that was read here.
"""

from __future__ import annotations

import re
from xml.dom import minidom
from xml.parsers import expat

from mpegdash.nodes import MPEGDASH

from .playlists import MAX_ENTRIES, broken
from .urls import WebUrl

MAX_DEPTH = 24
"""Nesting of elements: the schema needs eight."""

MAX_DIGITS = 20
"""Digits of 2**64."""

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?"
)
_SECONDS = {
    "years": 31_557_600,
    "months": 2_629_800,
    "days": 86_400,
    "hours": 3600,
    "minutes": 60,
    "seconds": 1,
}


class _Refused(Exception):
    """The document has something in it that no manifest needs; the argument is a key of `intake.playlist`."""


def read_manifest(data: bytes, url: WebUrl) -> MPEGDASH:
    """The manifest found at `url`.

    Raises:
        IntakeError: `unsupported` or `too_large`.
    """
    try:
        _check(data)
        # Safe after the check: without a DTD there are no entities, and the tree is of bounded size.
        document = minidom.parseString(data)  # noqa: S318
        root = document.documentElement
        if root is None or root.localName != "MPD":
            raise broken(url, "unreadable")
        manifest = MPEGDASH()
        manifest.parse(root)
    except _Refused as problem:
        raise broken(url, str(problem)) from problem
    except (expat.ExpatError, ValueError, AttributeError, TypeError, LookupError) as problem:
        # The library converts attributes as it goes and takes the schema for granted.
        raise broken(url, "unreadable") from problem
    return manifest


def seconds(duration: str | None) -> float | None:
    """An xs:duration in seconds; None where there is none or it is not one (ISO 8601; XML Schema 2)."""
    found = _DURATION.fullmatch(duration.strip()) if duration else None
    if found is None:
        return None
    return sum(float(value) * _SECONDS[name] for name, value in found.groupdict().items() if value)


def _too_large(value: str) -> bool:
    """Whether an attribute is a number beyond the schema's largest, xs:unsignedLong."""
    return len(value) > MAX_DIGITS and all(letter.isdecimal() or letter in "+-_ \t\r\n" for letter in value)


def _check(data: bytes) -> None:
    """Refuse document types (whose entities can grow without bound or name files) and endless trees."""
    depth = entries = 0

    def start(_: str, attributes: dict[str, str]) -> None:
        nonlocal depth, entries
        depth += 1
        entries += 1
        if depth > MAX_DEPTH or any(map(_too_large, attributes.values())):
            raise _Refused("unreadable")
        if entries > MAX_ENTRIES:
            raise _Refused("too_long")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def document_type(*_: object) -> None:
        raise _Refused("document_type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = document_type
    parser.Parse(data, True)
