"""A certificate authority that lives as long as one test run, and signs clips with Content Credentials."""

from __future__ import annotations

import datetime as dt
import io
import json
from dataclasses import dataclass
from pathlib import Path

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def _name(common: str, organization: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: organization, NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts.items()])


@dataclass(frozen=True)
class Authority:
    """A root and one signing certificate below it, as C2PA's certificate profile asks (2.1, 14.5.1)."""

    root_pem: str
    chain_pem: str
    key_pem: str

    @classmethod
    def make(cls, organization: str) -> Authority:
        root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.UTC)
        root_name = _name("Test Root", organization)

        def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
            return (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(root_name)
                .public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(now - dt.timedelta(days=1))
                .not_valid_after(now + dt.timedelta(days=30))
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
                .add_extension(
                    x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
                )
            )

        def usage(*, signs: bool) -> x509.KeyUsage:
            no = dict.fromkeys(
                ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
            )
            return x509.KeyUsage(
                digital_signature=signs,
                key_cert_sign=not signs,
                crl_sign=not signs,
                encipher_only=False,
                decipher_only=False,
                **no,
            )

        root = (
            builder(root_name, root_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage(signs=False), critical=True)
            .sign(root_key, hashes.SHA256())
        )
        leaf = (
            builder(_name("Test Signer", organization), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
            .sign(root_key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        root_pem = root.public_bytes(pem).decode()
        return cls(
            root_pem=root_pem,
            chain_pem=leaf.public_bytes(pem).decode() + root_pem,
            key_pem=key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode(),
        )

    def sign(self, clip: Path, signed: Path, source_type: str, agent: str) -> None:
        """Sign an MP4 as created by `agent`; `source_type` ends an IPTC digital source type."""
        action = {
            "action": "c2pa.created",
            "digitalSourceType": SOURCE_TYPE + source_type,
            "softwareAgent": {"name": agent},
        }
        manifest = {
            "claim_generator_info": [{"name": agent, "version": "1"}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
        }
        info = c2pa.C2paSignerInfo(b"es256", self.chain_pem.encode(), self.key_pem.encode(), None)
        into = io.BytesIO()
        with c2pa.Signer.from_info(info) as signer, clip.open("rb") as source:
            c2pa.Builder(json.dumps(manifest)).sign(signer, "video/mp4", source, into)
        signed.write_bytes(into.getvalue())
