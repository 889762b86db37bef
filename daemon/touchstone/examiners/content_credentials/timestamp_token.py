"""Which certificates signed a timestamp token (RFC 3161, CMS of RFC 5652), from its DER bytes.

The SDK has checked the token's signature; read here are only the signers' certificates, so that it can be
asked whether a trusted authority stands behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509

from ...trust.certificates import read_certificate

MAX_ELEMENTS = 2000

_SEQUENCE, _SET, _OID, _INTEGER = 0x30, 0x31, 0x06, 0x02
_CONTEXT_0, _IMPLICIT_0 = 0xA0, 0x80  # constructed and primitive [0]
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2


class BadToken(ValueError):
    """The bytes are no timestamp token."""


@dataclass(frozen=True)
class _Element:
    tag: int
    content: bytes
    raw: bytes


def signer_chains(token: bytes) -> list[list[bytes]]:
    """For each signer of the token, its certificate followed by all others in the token (DER).

    Raises:
        BadToken: malformed, without certificates, or signed by someone whose certificate is not in it.
    """
    certificates, signers = _signed_data(token)
    chains = []
    for signer in signers:
        own = [der for der in certificates if _is_of(signer, der)]
        if len(own) != 1:
            raise BadToken("a signer whose certificate is missing or there twice")
        chains.append([own[0], *(der for der in certificates if der != own[0])])
    if not chains:
        raise BadToken("no signer")
    return chains


def _elements(data: bytes) -> Iterator[_Element]:
    at = count = 0
    while at < len(data):
        count += 1
        if count > MAX_ELEMENTS or at + 2 > len(data):
            raise BadToken("malformed DER")
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:  # indefinite lengths are BER; RFC 3161 wants DER
                raise BadToken("a length that is no DER")
            length, start = int.from_bytes(data[start : start + size], "big"), start + size
        end = start + length
        if end > len(data):
            raise BadToken("ends in the middle of an element")
        yield _Element(tag, data[start:end], data[at:end])
        at = end


def _only(data: bytes, tag: int) -> _Element:
    first = next(_elements(data), None)
    if first is None or first.tag != tag:
        raise BadToken("not the expected structure")
    return first


def _signed_data(token: bytes) -> tuple[list[bytes], list[_Element]]:
    parts = list(_elements(_only(token, _SEQUENCE).content))
    if len(parts) >= 2 and parts[0].tag == _SEQUENCE:  # a TimeStampResp: status, then the token
        parts = list(_elements(parts[1].content))
    if (
        len(parts) < 2
        or parts[0].tag != _OID
        or parts[0].content != _SIGNED_DATA
        or parts[1].tag != _CONTEXT_0
    ):
        raise BadToken("not signed data")
    fields = list(_elements(_only(parts[1].content, _SEQUENCE).content))
    certificates = [
        element.raw
        for field in fields
        if field.tag == _CONTEXT_0
        for element in _elements(field.content)
        if element.tag == _SEQUENCE
    ]
    if not fields or fields[-1].tag != _SET:
        raise BadToken("no signers")
    return certificates, list(_elements(fields[-1].content))


def _is_of(signer: _Element, der: bytes) -> bool:
    """Whether it is the certificate that a SignerInfo names, by issuer and serial or by key identifier."""
    fields = list(_elements(signer.content))
    certificate = read_certificate(der)
    if len(fields) < 2 or certificate is None:
        return False
    identifier = fields[1]
    if identifier.tag == _SEQUENCE:
        parts = list(_elements(identifier.content))
        return (
            len(parts) == 2
            and parts[1].tag == _INTEGER
            and parts[0].raw == certificate.issuer.public_bytes()
            and int.from_bytes(parts[1].content, "big") == certificate.serial_number
        )
    if identifier.tag == _IMPLICIT_0:
        try:
            named = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        except (x509.ExtensionNotFound, ValueError):
            return False
        return named.digest == identifier.content
    return False
