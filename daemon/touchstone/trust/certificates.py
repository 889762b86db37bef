"""X.509 certificates: reading them from hostile bytes, and checking one link of a chain.

Only what a trust decision needs; the validation of a whole path is the C2PA SDK's, see `paths.py`.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

# Imported by cryptography itself at the first signature that it checks, when a confined worker can read no
# module any more: so it is imported with us.
from cryptography.hazmat.backends.openssl import backend as _backend  # noqa: F401
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import NameOID

MAX_CERTIFICATE = 64 * 1024
"""Bytes. The largest certificate seen in any manifest is under 3 KB."""

# What reading a hostile certificate may raise, from parsing as a whole to one extension.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def read_certificate(der: bytes) -> x509.Certificate | None:
    """The certificate in `der`, or None where the bytes are none or one that cannot be used."""
    if not 0 < len(der) <= MAX_CERTIFICATE:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Names and keys are parsed lazily: ask for them here, so that nothing raises later.
        certificate.subject.rfc4514_string()
        certificate.issuer.rfc4514_string()
        certificate.public_key()
    except UNREADABLE:
        return None
    return certificate


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER encoding, 64 lower-case hex digits."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def public_key_of(certificate: x509.Certificate) -> bytes:
    """The DER SubjectPublicKeyInfo."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def as_pem(certificate: x509.Certificate) -> str:
    """The certificate as one PEM block."""
    body = base64.encodebytes(certificate.public_bytes(Encoding.DER)).decode("ascii")
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def subject_of(certificate: x509.Certificate) -> str:
    """The subject's distinguished name in the form of RFC 4514."""
    return certificate.subject.rfc4514_string()


def issuer_of(certificate: x509.Certificate) -> str:
    """The issuer's distinguished name in the form of RFC 4514."""
    return certificate.issuer.rfc4514_string()


def organisation_of(certificate: x509.Certificate) -> str:
    """The last organisation (O) of the subject, as C2PA viewers show it; empty where it names none."""
    values = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(values[-1].value) if values else ""


def common_name_of(certificate: x509.Certificate) -> str:
    """The last common name (CN) of the subject; empty where it names none."""
    values = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(values[-1].value) if values else ""


def is_authority(certificate: x509.Certificate, below: int) -> bool:
    """Whether it may have issued a certificate with `below` authorities under it (RFC 5280, 6.1.4 k to n)."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca:
            return False
        if constraints.path_length is not None and below > constraints.path_length:
            return False
    except UNREADABLE:
        return False
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except UNREADABLE:
        return False
    return usage.key_cert_sign


def extended_usages(certificate: x509.Certificate) -> frozenset[str]:
    """The extended key usages as dotted OIDs; empty where the certificate names none."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except UNREADABLE:
        return frozenset()
    return frozenset(usage.dotted_string for usage in usages)


def valid_at(certificate: x509.Certificate, moment: datetime) -> bool:
    """Whether `moment` (aware) lies within the certificate's validity."""
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


@lru_cache(maxsize=2048)  # the same authorities stand in manifest after manifest
def signed_by(certificate: x509.Certificate, public_key: bytes) -> bool:
    """Whether `public_key` (DER SubjectPublicKeyInfo) made the certificate's signature."""
    try:
        key = load_der_public_key(public_key)
        signature, body = certificate.signature, certificate.tbs_certificate_bytes
        parameters = certificate.signature_algorithm_parameters
        digest = certificate.signature_hash_algorithm
        if isinstance(key, rsa.RSAPublicKey):
            if digest is None or not isinstance(parameters, padding.PKCS1v15 | padding.PSS):
                return False
            key.verify(signature, body, parameters, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            if not isinstance(parameters, ec.ECDSA):
                return False
            key.verify(signature, body, parameters)
        elif isinstance(key, ed25519.Ed25519PublicKey):
            if parameters is not None:
                return False
            key.verify(signature, body)
        else:
            return False
    except (InvalidSignature, *UNREADABLE):
        return False
    return True
