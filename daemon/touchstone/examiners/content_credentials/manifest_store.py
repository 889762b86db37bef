"""Who signed what in a C2PA manifest store: certificate chains and timestamp tokens, from the raw bytes.

The SDK validates; it does not hand out the certificates. They are read here (JUMBF boxes, ISO 19566-5;
COSE_Sign1, RFC 9052; C2PA 2.2, 13 and 14) only to find out which anchors a chain leads to. Whatever is
ambiguous (a label twice, a chain in two headers) has no chain, and so no trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import cbor

MAX_DEPTH = 8
MAX_BOXES = 20_000
MAX_MANIFESTS = 1000

_X5CHAIN = 33  # RFC 9360
_COSE_SIGN1 = 18


@dataclass
class SignedBy:
    """The credentials that came with one manifest's signature.

    Attributes:
        chain: certificates (DER), signer first; empty where there are none or more than one chain.
        timestamps: timestamp tokens or responses (RFC 3161, DER), from the signature and from
            `c2pa.time-stamp` assertions that name this manifest.
    """

    chain: list[bytes] = field(default_factory=list)
    timestamps: list[bytes] = field(default_factory=list)


def read_signers(store: bytes) -> dict[str, SignedBy]:
    """Manifest label to its credentials. Manifests that cannot be read are left out; never raises."""
    found: dict[str, SignedBy] = {}
    ambiguous: set[str] = set()
    named: list[tuple[str, bytes]] = []
    for root in _superboxes(memoryview(store), 0, [MAX_BOXES]):
        for manifest in root.children[:MAX_MANIFESTS]:
            if manifest.label in found:
                ambiguous.add(manifest.label)
            found[manifest.label] = _credentials(manifest)
            named.extend(_named_timestamps(manifest))
    for label, token in named:
        if label in found:
            found[label].timestamps.append(token)
    for label in ambiguous:
        found[label] = SignedBy()
    return found


# --- JUMBF ------------------------------------------------------------------------------------


@dataclass
class _Superbox:
    label: str
    children: list[_Superbox]
    contents: list[tuple[bytes, bytes]]  # type and payload of the boxes that are no superboxes


def _boxes(data: memoryview, budget: list[int]) -> Iterator[tuple[bytes, memoryview]]:
    at = 0
    while at + 8 <= len(data) and budget[0] > 0:
        budget[0] -= 1
        size, kind, start = int.from_bytes(data[at : at + 4], "big"), bytes(data[at + 4 : at + 8]), 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < start or at + size > len(data):
            return
        yield kind, data[at + start : at + size]
        at += size


def _superboxes(data: memoryview, depth: int, budget: list[int]) -> list[_Superbox]:
    if depth > MAX_DEPTH:
        return []
    found = []
    for kind, payload in _boxes(data, budget):
        if kind == b"jumb" and (box := _superbox(payload, depth, budget)) is not None:
            found.append(box)
    return found


def _superbox(payload: memoryview, depth: int, budget: list[int]) -> _Superbox | None:
    inner = list(_boxes(payload, budget))
    if not inner or inner[0][0] != b"jumd":
        return None
    children, contents = [], []
    for kind, content in inner[1:]:
        if kind == b"jumb":
            if depth < MAX_DEPTH and (child := _superbox(content, depth + 1, budget)) is not None:
                children.append(child)
        else:
            contents.append((kind, bytes(content)))
    return _Superbox(_label(bytes(inner[0][1])), children, contents)


def _label(description: bytes) -> str:
    """The label in a description box: 16 bytes type, one of toggles (bit 1: label present), a C string."""
    if len(description) < 17 or not description[16] & 2:
        return ""
    return description[17:].split(b"\0", 1)[0].decode("utf-8", "replace")


# --- COSE -------------------------------------------------------------------------------------


def _content(box: _Superbox, kind: bytes) -> bytes | None:
    payloads = [payload for found, payload in box.contents if found == kind]
    return payloads[0] if len(payloads) == 1 else None


def _credentials(manifest: _Superbox) -> SignedBy:
    signatures = [child for child in manifest.children if child.label == "c2pa.signature"]
    raw = _content(signatures[0], b"cbor") if len(signatures) == 1 else None
    if raw is None:
        return SignedBy()
    try:
        protected, unprotected = _headers(cbor.decode(raw))
    except (cbor.BadCbor, ValueError):
        return SignedBy()
    # In unprotected headers only the name is read, as the SDK does (c2pa-rs, cose/sign1.rs).
    chains = [
        header
        for header in (protected.get(_X5CHAIN), protected.get("x5chain"), unprotected.get("x5chain"))
        if header
    ]
    chain = _certificates(chains[0]) if len(chains) == 1 else []
    header = unprotected.get("sigTst2") or unprotected.get("sigTst")
    return SignedBy(chain, list(_tokens(header)))


def _headers(signature: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    if isinstance(signature, cbor.Tagged) and signature.tag == _COSE_SIGN1:
        signature = signature.value
    match signature:
        case [bytes() as protected, dict() as unprotected, _, bytes()]:
            inner = cbor.decode(protected) if protected else {}
            if isinstance(inner, dict):
                return inner, unprotected
    raise ValueError("not a COSE_Sign1 structure")


def _certificates(value: Any) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, list):
        return [item for item in value if isinstance(item, bytes)]
    return []


def _tokens(header: Any) -> Iterator[bytes]:
    if isinstance(header, dict) and isinstance(header.get("tstTokens"), list):
        for token in header["tstTokens"]:
            if isinstance(token, dict) and isinstance(token.get("val"), bytes):
                yield token["val"]


def _named_timestamps(manifest: _Superbox) -> Iterator[tuple[str, bytes]]:
    """`c2pa.time-stamp` assertions: timestamps for other manifests, made later (C2PA 2.2, 18.17)."""
    for assertions in manifest.children:
        if assertions.label != "c2pa.assertions":
            continue
        for assertion in assertions.children:
            raw = _content(assertion, b"cbor")
            if raw is None or not assertion.label.startswith("c2pa.time-stamp"):
                continue
            try:
                tokens = cbor.decode(raw)
            except cbor.BadCbor:
                continue
            if isinstance(tokens, dict):
                yield from ((k, v) for k, v in tokens.items() if isinstance(k, str) and isinstance(v, bytes))
