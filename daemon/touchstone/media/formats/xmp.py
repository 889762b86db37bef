"""XMP packets (ISO 16684-1), read without ever expanding an entity.

Properties become tags with place `xmp` and the key `{namespace}name`: namespaces go by their URI, never by
their prefix. Elements and attributes, `rdf:resource`, arrays and nested structures are all flattened to
(innermost property, text) pairs.
"""

from __future__ import annotations

from xml.parsers import expat

from ...messages import say
from .bounded import Reading

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ENVELOPES = frozenset({RDF, "adobe:ns:meta/", "http://www.w3.org/XML/1998/namespace", ""})
HAS_EXTENDED = "{http://ns.adobe.com/xmp/note/}HasExtendedXMP"

MAX_PACKET = 4 * 2**20
MAX_DEPTH = 64
MAX_ELEMENTS = 50_000


class _Refused(Exception):
    """The packet declares a document type or an entity, or nests or counts beyond the limits."""


class _Packet:
    """Collects properties from expat's callbacks."""

    def __init__(self) -> None:
        self.properties: list[tuple[str, str]] = []
        self._open: list[tuple[str | None, list[str]]] = []  # key of each open element, and its text
        self._elements = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._parser = parser

    def parse(self, packet: bytes) -> None:
        self._parser.Parse(packet, True)

    def _refuse(self, *_: object) -> None:
        raise _Refused

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _Refused
        key = _property(name)
        # An array item or a structure speaks for the property it stands in.
        holder = key or next((k for k, _ in reversed(self._open) if k), None)
        for attribute, value in attributes.items():
            if own := _property(attribute):
                self.properties.append((own, value))
            elif attribute == f"{RDF} resource" and holder:
                self.properties.append((holder, value))
        self._open.append((holder, []))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1][1].append(text)

    def _end(self, _: str) -> None:
        holder, parts = self._open.pop()
        text = "".join(parts).strip()
        if holder and text:
            self.properties.append((holder, text))


def _property(name: str) -> str | None:
    """`{namespace}local` of a property; None for RDF's and XMP's own wrapping."""
    namespace, _, local = name.rpartition(" ")
    return None if namespace in ENVELOPES else f"{{{namespace}}}{local}"


def properties(packet: bytes) -> tuple[list[tuple[str, str]], str | None]:
    """All (key, text) pairs of a packet, and what is wrong with it, if anything.

    What stands before a mistake in the XML is still returned; a packet with a DOCTYPE or an entity
    declaration gives nothing.
    """
    packet = _trimmed(packet)
    if len(packet) > MAX_PACKET:
        return [], say("container.problem.xmp_too_large")
    reader = _Packet()
    try:
        reader.parse(packet)
    except _Refused:
        return [], say("container.problem.xmp_refused")
    except (expat.ExpatError, ValueError, LookupError) as problem:  # LookupError: an unknown encoding
        return reader.properties, say("container.problem.xmp_broken", reason=str(problem))
    return reader.properties, None


def _trimmed(packet: bytes) -> bytes:
    """The packet without padding and byte-order marks that expat would stumble over."""
    packet = packet.strip(b"\0 \t\r\n")
    packet = packet.removeprefix(b"\xef\xbb\xbf")
    end = packet.rfind(b">")
    if packet.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in packet[:4]:
        return packet + b"\0" if len(packet) % 2 else packet  # UTF-16: expat reads its mark
    return packet[packet.find(b"<") : end + 1] if end >= 0 and b"<" in packet else packet


def tag_xmp(reading: Reading, packet: bytes) -> None:
    """Keep every property of a packet as a tag."""
    found, problem = properties(packet)
    for key, value in found:
        reading.tag("xmp", key, value)
    if problem:
        reading.note(problem)
