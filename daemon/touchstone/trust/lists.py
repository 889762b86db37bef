"""Trust lists: files of certificates that the user or an update put there.

Formats: PEM bundles; the official C2PA trust list in JSON (ETSI TS 119 602, `LoTE`); JSON trust lists with
`x5c` keys (RFC 7517). A list is read whole or not at all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from .anchors import EVERYTHING, Anchor, May, Role, anchor_for
from .certificates import extended_usages, is_authority, read_certificate

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".json"})
MAX_LIST = 4 * 1024 * 1024
"""Bytes. The official list has under 80 KB."""
MAX_FILES = 200
MAX_CERTIFICATES = 5000
MAX_JSON_DEPTH = 16

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,100000}?)-----END CERTIFICATE-----")
_TIMESTAMPS = re.compile(r"(^|[^a-z])(tsa|time-?stamp)", re.IGNORECASE)


class BadList(Exception):
    """A trust list cannot be used. The text names the list, what is wrong with it and what would be right."""


@dataclass(frozen=True)
class TrustList:
    """One list as it was read.

    Attributes:
        path: the file.
        roles: what its anchors stand for.
        anchors: its authorities.
        left_out: certificates of signers themselves: a list can only name authorities.
    """

    path: Path
    roles: frozenset[Role]
    anchors: tuple[Anchor, ...]
    left_out: int = 0


def read_lists(place: Path) -> list[TrustList]:
    """All lists at `place`, a file or a folder (and the folders in it), in the order of their names.

    Raises:
        BadList: one of them cannot be used.
    """
    if place.is_file():
        return [read_list(place)]
    if not place.is_dir():
        raise BadList(f"{place}: there is no such file or folder of trust lists")
    files = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if len(files) > MAX_FILES:
        raise BadList(f"{place}: holds {len(files)} files; a folder of trust lists holds at most {MAX_FILES}")
    read = (read_list(file, needs_certificates=False) for file in files)
    return [trust_list for trust_list in read if trust_list.anchors or trust_list.left_out]


def read_list(path: Path, *, may: frozenset[May] = EVERYTHING, needs_certificates: bool = True) -> TrustList:
    """One list. Its name says what it is for: `tsa` or `timestamp` in it stands for timestamp authorities.

    Raises:
        BadList: it cannot be read, or holds no certificate although it has to.
    """
    try:
        if path.stat().st_size > MAX_LIST:
            raise BadList(f"{path}: larger than {MAX_LIST // 2**20} MiB; no trust list is that large")
        data = path.read_bytes()
    except OSError as problem:
        raise BadList(f"{path}: {problem.strerror or problem}") from problem
    certificates = parse_list(data, str(path))
    if needs_certificates and not certificates:
        raise BadList(f"{path}: holds no certificate; expected PEM blocks or a trust list in JSON")
    named_for_time = bool(_TIMESTAMPS.search(path.stem))
    authorities = [certificate for certificate in certificates if is_authority(certificate, 0)]
    anchors = tuple(_anchor(certificate, named_for_time, may, path) for certificate in authorities)
    return TrustList(
        path=path,
        roles=frozenset(role for anchor in anchors for role in anchor.roles),
        anchors=anchors,
        left_out=len(certificates) - len(authorities),
    )


def parse_list(data: bytes, source: str) -> list[x509.Certificate]:
    """The certificates in the bytes of a list.

    Raises:
        BadList: they are no list, or one certificate in it cannot be read.
    """
    found = list(
        _json_certificates(data, source) if data.lstrip()[:1] in (b"{", b"[") else _pem_certificates(data)
    )
    if len(found) > MAX_CERTIFICATES:
        raise BadList(
            f"{source}: names {len(found)} certificates; a trust list names at most {MAX_CERTIFICATES}"
        )
    certificates = []
    for number, der in enumerate(found, 1):
        certificate = read_certificate(der)
        if certificate is None:
            raise BadList(f"{source}: certificate {number} of {len(found)} cannot be read")
        certificates.append(certificate)
    return certificates


def _anchor(certificate: x509.Certificate, named_for_time: bool, may: frozenset[May], path: Path) -> Anchor:
    only_time = extended_usages(certificate) == {ExtendedKeyUsageOID.TIME_STAMPING.dotted_string}
    role = Role.TIMESTAMP if named_for_time or only_time else Role.SIGNER
    return anchor_for(
        certificate,
        roles=(role,),
        may=may if role is Role.SIGNER else (),
        source=str(path),
        why="on this list",
    )


def _pem_certificates(data: bytes) -> Iterator[bytes]:
    for block in _PEM.finditer(data):
        try:
            yield base64.b64decode(b"".join(block.group(1).split()), validate=True)
        except binascii.Error:
            yield b""


def _json_certificates(data: bytes, source: str) -> Iterator[bytes]:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise BadList(f"{source}: neither PEM nor JSON ({problem})") from problem
    yield from _walk(tree, 0)


def _walk(node: Any, depth: int) -> Iterator[bytes]:
    """Certificates in `X509Certificates: [{val}]` (ETSI TS 119 602) and `x5c: [...]` (RFC 7517, 4.7)."""
    if depth > MAX_JSON_DEPTH:
        return
    if isinstance(node, list):
        for item in node:
            yield from _walk(item, depth + 1)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("X509Certificates", "x5c") and isinstance(value, list):
                yield from map(_encoded, value)
            else:
                yield from _walk(value, depth + 1)


def _encoded(item: Any) -> bytes:
    text = item.get("val") if isinstance(item, Mapping) else item
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return b""
