"""Second axis: who signed each manifest, and is that someone to believe?

Two have to agree before a signature counts as verified: the SDK, which validates the chain against the
anchors it was given, and `touchstone.trust`, which says what those anchors allow. Time is the third: a
certificate that has expired counts only under a timestamp by a trusted authority.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...trust import May, Standing, Trust, trusted_timestamp
from ...trust.certificates import common_name_of, organisation_of
from .manifest_store import SignedBy
from .report import Codes
from .timestamp_token import BadToken, signer_chains
from .vocabulary import MAX_TEXT

_TIMESTAMP_FAILED = frozenset(
    {"timeStamp.mismatch", "timeStamp.malformed", "timeStamp.outsideValidity", "timeStamp.untrusted"}
)


@dataclass(frozen=True)
class Signer:
    """Who signed one manifest.

    Attributes:
        organisation: what its certificate says, checked by no one unless `known`.
        common_name: likewise.
        known: an anchor vouches for the name, now or in the past.
        trusted: the signature is verified.
        may: what it is believed to know.
        signed_at: time of a trusted timestamp.
        claimed_at: time of any timestamp, trusted or not.
        expired: its certificate was not valid when looked at, and no trusted timestamp says it was before.
        anchor: name of the anchor, for the panel.
    """

    organisation: str
    common_name: str
    known: bool = False
    trusted: bool = False
    may: frozenset[May] = frozenset()
    signed_at: datetime | None = None
    claimed_at: datetime | None = None
    expired: bool = False
    anchor: str | None = None

    @property
    def name(self) -> str:
        """The organisation, for people."""
        return self.organisation or self.common_name


class Signers:
    """The standings of all manifests of one store: first to collect anchors, then to judge reports.

    Args:
        trust: whom to believe.
        credentials: chains and timestamps of each manifest.
    """

    def __init__(self, trust: Trust, credentials: Mapping[str, SignedBy]) -> None:
        self._signers = {label: trust.signer(signed.chain) for label, signed in credentials.items()}
        self._timestampers = {label: _timestampers(trust, signed) for label, signed in credentials.items()}

    def anchors_pem(self) -> list[str]:
        """The certificates of this store that the SDK may trust: those that a path to an anchor needs."""
        standings = [*self._signers.values(), *(s for group in self._timestampers.values() for s in group)]
        return list(dict.fromkeys(pem for standing in standings for pem in standing.anchors_pem))

    def judge(
        self, label: str, manifest: Mapping[str, Any], today: Codes, recorded: Codes, now: datetime
    ) -> Signer:
        """Who signed the manifest `label`, given what the SDK's report says of it.

        Args:
            manifest: the manifest as it stands in the report.
            today: codes of this validation.
            recorded: codes that an outer manifest wrote down and that `today` does not repeat.
            now: aware.
        """
        info = manifest.get("signature_info")
        info = info if isinstance(info, Mapping) else {}
        standing = self._signers.get(label, Standing())
        if not _same_certificate(standing, info):
            standing = Standing()
        stamped = _moment(info.get("time"))
        signed_at = stamped if stamped and self._timestamp_holds(label, stamped, today, recorded) else None
        valid = standing.valid_at(signed_at or now)
        trusted = standing.known and valid and _sdk_trusts(today, recorded)
        return Signer(
            organisation=_text(info.get("issuer")),
            common_name=_text(info.get("common_name")),
            known=standing.known,
            trusted=trusted,
            may=standing.may,
            signed_at=signed_at,
            claimed_at=stamped,
            expired=standing.known and not valid,
            anchor=standing.arrivals[0].anchor.name if standing.arrivals else None,
        )

    def _timestamp_holds(self, label: str, stamped: datetime, today: Codes, recorded: Codes) -> bool:
        # For manifests of version 1 the SDK takes any timestamp authority for trusted, so its
        # `timeStamp.trusted` is not asked; that the token fits the signature is.
        if "timeStamp.validated" not in today.success | recorded.success:
            return False
        if _TIMESTAMP_FAILED & (today.informational | today.failure):
            return False
        return trusted_timestamp(self._timestampers.get(label, ()), stamped)


def _sdk_trusts(today: Codes, recorded: Codes) -> bool:
    if "signingCredential.untrusted" in today.failure or "signingCredential.invalid" in today.failure:
        return False
    if "signingCredential.ocsp.revoked" in today.failure | recorded.failure:
        return False
    if "signingCredential.trusted" in today.success:
        return True
    return (
        "signingCredential.trusted" in recorded.success
        and "signingCredential.untrusted" not in recorded.failure
    )


def _same_certificate(standing: Standing, info: Mapping[str, Any]) -> bool:
    """Whether the SDK and we looked at the same signer: same serial number, organisation and common name."""
    if not standing.certificates:
        return False
    certificate = standing.certificates[0]
    return (
        str(info.get("cert_serial_number")) == str(certificate.serial_number)
        and str(info.get("issuer") or "") == organisation_of(certificate)
        and str(info.get("common_name") or "") == common_name_of(certificate)
    )


def _timestampers(trust: Trust, signed: SignedBy) -> list[Standing]:
    standings = []
    for token in signed.timestamps:
        try:
            standings += [trust.timestamper(chain) for chain in signer_chains(token)]
        except BadToken:
            standings.append(Standing())
    return standings


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""
