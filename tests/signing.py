"""Throw-away authorities, and files signed under them: what tests of Content Credentials are made of."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from touchstone.sample import distinguished_name, issue
from touchstone.trust.certificates import fingerprint, public_key_of, subject_of

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Authority:
    """A certificate authority; `above` are the authorities that its files carry, nearest first."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class Signer:
    """A certificate with its key, and the chain that goes into a signature: the certificate itself first."""

    chain: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey

    @property
    def ders(self) -> list[bytes]:
        return [certificate.public_bytes(Encoding.DER) for certificate in self.chain]

    def carrying(self, *more: x509.Certificate) -> Signer:
        """The same signer with further certificates stuffed into the chain."""
        return Signer((*self.chain, *more), self.key)


def now() -> datetime:
    return datetime.now(UTC)


def make_authority(
    organisation: str = "Test Authority", name: str = "Test Root", *, under: Authority | None = None
) -> Authority:
    """A root, or an authority `under` another."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = distinguished_name(organisation, name)
    issuer, issuer_key = (under.certificate.subject, under.key) if under else (subject, key)
    certificate = issue(subject, key.public_key(), issuer, issuer_key, now(), authority=True, valid_for=_LONG)
    return Authority(certificate, key, (under.certificate, *under.above) if under else ())


_LONG = timedelta(days=3650)


def make_signer(
    authority: Authority,
    organisation: str = "Test Maker",
    name: str = "Test Signer",
    *,
    usages: Sequence[ObjectIdentifier] = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    valid_for: timedelta = timedelta(days=30),
    with_root: bool = False,
) -> Signer:
    """A certificate issued by `authority`. As C2PA wants, the root stays out of the chain by default."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = distinguished_name(organisation, name)
    leaf = issue(
        subject,
        key.public_key(),
        authority.certificate.subject,
        authority.key,
        now(),
        usages=usages,
        valid_for=valid_for,
    )
    carried = (authority.certificate, *authority.above)
    return Signer((leaf, *(carried if with_root else carried[:-1] or carried)), key)


@dataclass
class Pin:
    """A pin for a test's own authority, as TOML."""

    certificate: x509.Certificate
    roles: Sequence[str] = ("signer",)
    may: Sequence[str] = ("ai", "edit")
    organisations: Sequence[str] = ()

    def toml(self) -> str:
        pin = {
            "name": subject_of(self.certificate),
            "sha256": fingerprint(self.certificate),
            "subject": subject_of(self.certificate),
            "public_key": base64.b64encode(public_key_of(self.certificate)).decode(),
            "roles": list(self.roles),
            "may": list(self.may),
            "organisations": list(self.organisations),
            "why": "a test",
            "source": "a test",
        }
        return "[[pin]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in pin.items())


def write_pins(path: Path, *pins: Pin) -> Path:
    """A file of pins for `Trust(pins=...)`."""
    path.write_text("\n".join(pin.toml() for pin in pins), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Part:
    """An ingredient: the file that it comes from, and how it relates."""

    path: Path
    relationship: str = "parentOf"
    mime: str = "video/mp4"
    data: dict[str, Any] = field(default_factory=dict)


def action(name: str, source_type: str | None = None, **more: Any) -> dict[str, Any]:
    """One action; the source type by the last part of its URI."""
    uri = source_type if source_type is None or ":" in source_type else IPTC + source_type
    typed = {"digitalSourceType": uri} if uri else {}
    return {"action": name, **typed, **more}


def manifest(
    *actions: dict[str, Any],
    generator: str = "test-maker",
    assertions: Sequence[dict[str, Any]] = (),
    version: int = 2,
) -> dict[str, Any]:
    """A manifest definition for the SDK's builder."""
    listed: list[dict[str, Any]] = list(assertions)
    if actions:
        listed.insert(0, {"label": "c2pa.actions", "data": {"actions": list(actions)}})
    return {
        "claim_version": version,
        "claim_generator": generator,
        "claim_generator_info": [{"name": generator, "version": "1"}],
        "assertions": listed,
    }


def sign(
    source: Path,
    target: Path,
    definition: dict[str, Any],
    signer: Signer,
    *,
    mime: str = "video/mp4",
    parts: Sequence[Part] = (),
    timestamps: str | None = None,
    intent: c2pa.C2paBuilderIntent | None = None,
    remote_url: str | None = None,
    embed: bool = True,
) -> Path:
    """Sign `source` into `target`.

    Args:
        timestamps: address of a timestamp authority.
        intent: lets the SDK take `source` in as the parent: to edit it, or for an update manifest.
    """
    settings: dict[str, Any] = {
        "verify": {"verify_after_sign": False, "remote_manifest_fetch": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    info = c2pa.C2paSignerInfo(
        alg="es256",
        sign_cert="".join(c.public_bytes(Encoding.PEM).decode() for c in signer.chain).encode(),
        private_key=signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ta_url=timestamps,
    )
    with (
        c2pa.Context(c2pa.Settings.from_dict(settings)) as context,
        c2pa.Builder(json.dumps(definition), context=context) as builder,
        c2pa.Signer.from_info(info) as sdk_signer,
        source.open("rb") as plain,
        target.open("w+b") as signed,
    ):
        if intent is not None:
            builder.set_intent(intent)
        if remote_url:
            builder.set_remote_url(remote_url)
        if not embed:
            builder.set_no_embed()
        for part in parts:
            with part.path.open("rb") as file:
                data = {"title": part.path.name, "relationship": part.relationship, **part.data}
                builder.add_ingredient(json.dumps(data), part.mime, file)
        builder.sign(sdk_signer, mime, plain, signed)
    return target
