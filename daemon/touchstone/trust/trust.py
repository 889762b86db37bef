"""Who is believed: the policy that an examiner holds a signer's chain against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from .anchors import Anchor, May, Role, pinned_anchors, read_pins
from .certificates import as_pem, extended_usages, fingerprint, is_authority, valid_at
from .lists import BadList, TrustList, read_list, read_lists
from .paths import Arrival, arrivals, read_chain


@dataclass(frozen=True)
class Standing:
    """What is known of whoever holds one certificate.

    Attributes:
        certificates: the chain as it came, signer first; empty where it could not be read.
        arrivals: the trusted anchors that it leads to, limits respected.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    arrivals: tuple[Arrival, ...] = ()

    @property
    def known(self) -> bool:
        """Whether an anchor vouches for who it is (whether or not the certificate is still valid)."""
        return bool(self.arrivals)

    @property
    def may(self) -> frozenset[May]:
        """What it is believed to know."""
        return frozenset(what for arrival in self.arrivals for what in arrival.anchor.may)

    def valid_at(self, moment: datetime) -> bool:
        """Whether one of its paths was valid at that moment."""
        return any(arrival.valid_at(moment) for arrival in self.arrivals)

    @property
    def anchors_pem(self) -> list[str]:
        """The certificates that the SDK is to trust so that it can validate these paths.

        Only authorities: trust in a signer's certificate itself is never asked for.
        """
        tops = {fingerprint(a.last): a.last for a in self.arrivals if is_authority(a.last, 0)}
        return [as_pem(certificate) for certificate in tops.values()]


class Trust:
    """The anchors that are in force: the ones that come with the program, and the user's lists.

    Cheap to build; reads lists when first asked. A worker process gets it as `to_dict()`.

    Args:
        pins: whether to use the anchors that come with the program, or a file with others in their place.
        official: folder where `touchstone trust update` keeps the official lists; may be missing.
        lists: files or folders of lists that the user chose.
    """

    def __init__(
        self, *, pins: bool | Path = True, official: Path | None = None, lists: Sequence[Path] = ()
    ) -> None:
        self.pins = pins
        self.official = official
        self.lists = tuple(lists)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Trust:
        """The policy that `to_dict` described. Paths are strings in it."""
        official, pins = settings.get("official"), settings.get("pins", True)
        return cls(
            pins=Path(pins) if isinstance(pins, str) else bool(pins),
            official=Path(official) if official else None,
            lists=[Path(place) for place in settings.get("lists", ())],
        )

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` needs to build the same policy elsewhere: plain JSON values."""
        return {
            "pins": str(self.pins) if isinstance(self.pins, Path) else self.pins,
            "official": str(self.official) if self.official else None,
            "lists": [str(place) for place in self.lists],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        # Sent to workers as settings: they read the lists for themselves.
        return Trust.from_dict, (self.to_dict(),)

    @cached_property
    def _read(self) -> tuple[list[TrustList], list[TrustList], list[str]]:
        """Official lists, the user's lists, and what could not be read."""
        problems: list[str] = []
        official: list[TrustList] = []
        if self.official is not None and self.official.is_dir():
            for file in sorted(self.official.glob("*.pem")):
                try:
                    official.append(read_list(file, may=_OFFICIAL_MAY))
                except BadList as problem:
                    problems.append(str(problem))
        chosen: list[TrustList] = []
        for place in self.lists:
            try:
                chosen.extend(read_lists(place))
            except BadList as problem:
                problems.append(str(problem))
        return official, chosen, problems

    @property
    def official_lists(self) -> list[TrustList]:
        """The lists that an update stored."""
        return self._read[0]

    @property
    def chosen_lists(self) -> list[TrustList]:
        """The lists that the user chose."""
        return self._read[1]

    @property
    def problems(self) -> list[str]:
        """Lists that could not be read, in words. They are left out; the rest stays in force."""
        return self._read[2]

    @cached_property
    def anchors(self) -> tuple[Anchor, ...]:
        """Every anchor in force."""
        pinned = (
            read_pins(self.pins) if isinstance(self.pins, Path) else pinned_anchors() if self.pins else ()
        )
        listed = (anchor for trust_list in (*self._read[0], *self._read[1]) for anchor in trust_list.anchors)
        return (*pinned, *listed)

    def signer(self, chain: Sequence[bytes]) -> Standing:
        """The standing of whoever signed with the first certificate (DER) of `chain`."""
        certificates = read_chain(chain)
        found = arrivals(certificates, (a for a in self.anchors if Role.SIGNER in a.roles))
        admitted = tuple(arrival for arrival in found if arrival.anchor.admits(certificates[0]))
        return Standing(tuple(certificates), admitted)

    def timestamper(self, chain: Sequence[bytes]) -> Standing:
        """The standing of the authority that made a timestamp with the first certificate of `chain`."""
        certificates = read_chain(chain)
        if not certificates or _TIME_STAMPING not in extended_usages(certificates[0]):
            return Standing(tuple(certificates))
        found = arrivals(certificates, (a for a in self.anchors if Role.TIMESTAMP in a.roles))
        return Standing(tuple(certificates), tuple(found))


_TIME_STAMPING = ExtendedKeyUsageOID.TIME_STAMPING.dotted_string

# The official list admits authorities for every kind of product; which of them sign for cameras it does not
# say. That comes from the pins, or from a list that the user chose.
_OFFICIAL_MAY = frozenset({May.AI, May.EDIT})


def trusted_timestamp(standings: Iterable[Standing], moment: datetime) -> bool:
    """Whether every authority that signed a timestamp was trusted and valid at `moment`; false for none."""
    standings = list(standings)
    return bool(standings) and all(
        standing.known and valid_at(standing.certificates[0], moment) for standing in standings
    )
