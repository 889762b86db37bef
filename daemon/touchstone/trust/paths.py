"""From a signer's certificate up to the anchors that it leads to.

Two checks have to agree before a signer is trusted. This one says which anchors a chain leads to, link by
link, so that an anchor's limits can be held against the chain that really leads to it. The C2PA SDK,
given the certificate where this path meets the anchor, says whether the path validates. A certificate that
merely lies in the file, without having issued anything below it, is on no path.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from .anchors import Anchor
from .certificates import (
    fingerprint,
    is_authority,
    issuer_of,
    public_key_of,
    read_certificate,
    signed_by,
    subject_of,
    valid_at,
)

MAX_DEPTH = 8
"""Certificates on a path. The longest genuine one that was seen has four."""
MAX_CHAIN = 32
"""Certificates looked at in one manifest or timestamp."""


@dataclass(frozen=True)
class Arrival:
    """An anchor that a path reached.

    Attributes:
        anchor: which.
        last: the highest certificate of the chain that the path needed: the anchor's own, or the one that
            the anchor's key signed. This is what the SDK is given to trust.
        certificates: the path, signer first, up to and including `last`.
    """

    anchor: Anchor
    last: x509.Certificate
    certificates: tuple[x509.Certificate, ...]

    def valid_at(self, moment: datetime) -> bool:
        """Whether every certificate on the path was valid then."""
        return all(valid_at(certificate, moment) for certificate in self.certificates)


def read_chain(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """The certificates of a chain, signer first; empty where the signer's cannot be read."""
    if not chain or (signer := read_certificate(chain[0])) is None:
        return []
    others = (read_certificate(der) for der in chain[1:MAX_CHAIN])
    return [signer, *(certificate for certificate in others if certificate is not None)]


def arrivals(chain: Sequence[x509.Certificate], anchors: Iterable[Anchor]) -> list[Arrival]:
    """Every anchor that the first certificate of `chain` leads to, nearest first.

    The rest of the chain may be in any order and may hold strangers. Validity in time is not looked at.
    """
    if not chain:
        return []
    by_subject: dict[str, list[Anchor]] = {}
    for anchor in anchors:
        by_subject.setdefault(anchor.subject, []).append(anchor)
    found: list[Arrival] = []
    path = [chain[0]]
    while len(path) <= MAX_DEPTH:
        current = path[-1]
        so_far = tuple(path)
        for anchor in by_subject.get(subject_of(current), ()):
            if anchor.sha256 == fingerprint(current):
                found.append(Arrival(anchor, current, so_far))
        for anchor in by_subject.get(issuer_of(current), ()):
            if signed_by(current, anchor.public_key):
                found.append(Arrival(anchor, current, so_far))
        issuer = _issuer(current, chain[1:], below=len(path) - 1, already=path)
        if issuer is None:
            break
        path.append(issuer)
    return found


def _issuer(
    certificate: x509.Certificate,
    among: Sequence[x509.Certificate],
    *,
    below: int,
    already: Sequence[x509.Certificate],
) -> x509.Certificate | None:
    wanted = issuer_of(certificate)
    for candidate in among:
        if (
            subject_of(candidate) == wanted
            and candidate not in already
            and is_authority(candidate, below)
            and signed_by(certificate, public_key_of(candidate))
        ):
            return candidate
    return None
