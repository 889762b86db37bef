"""What Touchstone trusts: anchors, what each may attest, and the ones that come with the program.

`pins.toml` holds facts about certificates: name, SHA-256 fingerprint, public key. In the words of RFC 5280,
6.1.1 (d), a trust anchor is a name and a public key; that is what a pin is. It holds no certificate: those
come with the file that is being looked at.
"""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from cryptography import x509

from .certificates import fingerprint, organisation_of, public_key_of, subject_of


class Role(StrEnum):
    """What an anchor stands for."""

    SIGNER = "signer"  # an authority (or one certificate) for those who sign manifests
    TIMESTAMP = "timestamp"  # an authority for those who sign timestamps


class May(StrEnum):
    """What a signer is believed to know about a video."""

    AI = "ai"  # that AI made it
    EDIT = "edit"  # that it was edited, with AI or without
    CAMERA = "camera"  # that a camera recorded it


EVERYTHING = frozenset(May)


@dataclass(frozen=True)
class Anchor:
    """A name and a key that trust starts from.

    Attributes:
        name: for people.
        subject: distinguished name, RFC 4514.
        public_key: DER SubjectPublicKeyInfo.
        sha256: fingerprint of the certificate, 64 hex digits.
        roles: what it stands for.
        may: what the signers under it may attest.
        organisations: if any are named, only signers whose certificate names one of these organisations
            are trusted. For public authorities that issue to everyone.
        why: why it is trusted.
        source: where the facts come from.
    """

    name: str
    subject: str
    public_key: bytes
    sha256: str
    roles: frozenset[Role]
    may: frozenset[May]
    organisations: frozenset[str] = frozenset()
    why: str = ""
    source: str = ""

    def admits(self, signer: x509.Certificate) -> bool:
        """Whether its limits let it stand for this signer's certificate."""
        if not self.organisations:
            return True
        # Compared without case and outer space only: "Stability AI Ltd" is not "Stability AI Ltd.co".
        wanted = {name.strip().casefold() for name in self.organisations}
        return organisation_of(signer).strip().casefold() in wanted


class BadPins(Exception):
    """Pins cannot be read. The text names the file, the pin and what is wrong."""


def anchor_for(
    certificate: x509.Certificate,
    *,
    roles: Iterable[Role],
    may: Iterable[May] = (),
    source: str,
    why: str = "",
) -> Anchor:
    """The anchor that a whole certificate makes."""
    subject = subject_of(certificate)
    return Anchor(
        name=subject,
        subject=subject,
        public_key=public_key_of(certificate),
        sha256=fingerprint(certificate),
        roles=frozenset(roles),
        may=frozenset(may),
        why=why,
        source=source,
    )


@cache
def pinned_anchors() -> tuple[Anchor, ...]:
    """The anchors that come with the program.

    Raises:
        BadPins: the file is damaged.
    """
    return parse_pins((resources.files(__package__) / "pins.toml").read_text(encoding="utf-8"), "pins.toml")


def read_pins(path: Path) -> tuple[Anchor, ...]:
    """The anchors in a file like `pins.toml`.

    Raises:
        BadPins: it cannot be read.
    """
    try:
        return parse_pins(path.read_text(encoding="utf-8"), str(path))
    except OSError as problem:
        raise BadPins(f"{path}: {problem.strerror or problem}") from problem


def parse_pins(text: str, source: str) -> tuple[Anchor, ...]:
    """The anchors in the text of such a file.

    Raises:
        BadPins: it is no TOML, or a pin lacks something.
    """
    try:
        pins = tomllib.loads(text).get("pin", [])
    except tomllib.TOMLDecodeError as problem:
        raise BadPins(f"{source}: not TOML ({problem})") from problem
    return tuple(_read_pin(pin, source) for pin in pins)


def _read_pin(pin: dict[str, Any], source: str) -> Anchor:
    try:
        return Anchor(
            name=str(pin["name"]),
            subject=str(pin["subject"]),
            public_key=base64.b64decode(pin["public_key"], validate=True),
            sha256=str(pin["sha256"]).lower(),
            roles=frozenset(Role(role) for role in pin["roles"]),
            may=frozenset(May(what) for what in pin.get("may", ())),
            organisations=frozenset(map(str, pin.get("organisations", ()))),
            why=str(pin["why"]),
            source=str(pin["source"]),
        )
    except (KeyError, ValueError) as problem:
        raise BadPins(f"{source}: pin {pin.get('name', '?')!r}: {problem}") from problem
