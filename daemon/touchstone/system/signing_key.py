"""The key that this machine signs generated clips with, and its certificate; made at first use.

The private key is in the desktop's keyring where there is one, else in a file of mode 0600; the certificate
is beside it and no secret. Nobody vouches for it: it says that one machine made two clips, not whose it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..messages import say
from ..sample import distinguished_name, issue
from .locks import file_lock
from .paths import Paths, write_private_file
from .secrets import SERVICE, Keyring, SecretsError, kept_in_keyring

ACCOUNT = "generator-signing-key"
SIGNER = "Touchstone generator (key made on this machine)"
_IN_KEYRING = "keyring"
_LOCK_WAIT_S = 10.0
_VALID = timedelta(days=3650)


@dataclass(frozen=True)
class Signer:
    """A key with its certificates, its own first."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[x509.Certificate, ...]


class SigningKey:
    """Reads or makes the key.

    Args:
        paths: both files are in `paths.config_dir`.
        keyring: finds the desktop's keyring; asked only when it is needed.
    """

    def __init__(self, paths: Paths, keyring: Callable[[], Keyring | None]) -> None:
        self.file = paths.config_dir / ACCOUNT
        self.certificates = paths.config_dir / f"{ACCOUNT}.pem"
        self._lock = paths.config_dir / f"{ACCOUNT}.lock"
        self._keyring = keyring

    def load(self) -> Signer:
        """The key; the first call on a machine makes it.

        Raises:
            SecretsError: it is there and cannot be used; the text says why and what to do.
        """
        with file_lock(self._lock, _LOCK_WAIT_S):
            return self._read() or self._made()

    def _read(self) -> Signer | None:
        try:
            content = self.file.read_text(encoding="ascii").strip()
            chain = tuple(x509.load_pem_x509_certificates(self.certificates.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as problem:
            raise SecretsError(say("generate.key.unreadable", path=self.file, reason=problem)) from problem
        if content == _IN_KEYRING:
            content = self._from_keyring()
        elif os.name == "posix" and self.file.stat().st_mode & 0o077:
            raise SecretsError(say("generate.key.open_to_others", path=self.file))
        try:
            key = load_pem_private_key(content.encode("ascii"), None)
        except (ValueError, TypeError) as problem:
            raise SecretsError(say("generate.key.unreadable", path=self.file, reason=problem)) from problem
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != chain[0].public_key():
            reason = say("generate.key.other_certificate", path=self.certificates)
            raise SecretsError(say("generate.key.unreadable", path=self.file, reason=reason))
        return Signer(key, chain)

    def _made(self) -> Signer:
        moment = datetime.now(UTC)
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root_name = distinguished_name(SIGNER, "Root of this machine")
        root = issue(
            root_name, root_key.public_key(), root_name, root_key, moment, authority=True, valid_for=_VALID
        )
        name = distinguished_name(SIGNER, "Generator of this machine")
        leaf = issue(name, key.public_key(), root_name, root_key, moment, valid_for=_VALID)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
        content = _IN_KEYRING if kept_in_keyring(self._keyring(), ACCOUNT, pem) else pem
        chain = (leaf, root)
        write_private_file(self.certificates, b"".join(c.public_bytes(Encoding.PEM) for c in chain))
        write_private_file(self.file, content.encode("ascii"))
        return Signer(key, chain)

    def _from_keyring(self) -> str:
        keyring = self._keyring()
        try:
            value = keyring.get_password(SERVICE, ACCOUNT) if keyring else None
        except Exception as problem:  # backends raise what they like
            raise SecretsError(say("generate.key.unreadable", path=self.file, reason=problem)) from problem
        if value is None:
            raise SecretsError(say("generate.key.not_in_keyring", path=self.file))
        return value


def certificate_file(paths: Paths) -> Path:
    """Where the certificate is, for whoever wants to trust this machine's clips."""
    return paths.config_dir / f"{ACCOUNT}.pem"
