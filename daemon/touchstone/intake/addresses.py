"""Which addresses a fetch may connect to. Pure: nothing is looked up here.

A page chooses the URLs that the daemon fetches, so an address that means something else to this computer
than to the public internet must not be reachable: loopback, the local network, the provider's network, and
every notation that can carry such an address inside another one.

Source: the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890) with the documents named in
the tables. IPv6 is an allowlist: only 2000::/3 is global unicast (RFC 4291 section 2.4; IANA IPv6 Address
Space registry), less the special blocks in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Protocol

IPAddress = IPv4Address | IPv6Address

PORTS = frozenset({80, 443, 8080, 8443})
"""Ports that a fetch may use: the registered web ports and their customary alternates."""


@dataclass(frozen=True)
class Special:
    """Why an address is none of the public internet's.

    Attributes:
        kind: key of the words for it, `intake.address.<kind>`.
        source: the document that sets the block apart.
    """

    kind: str
    source: str


# The first block that holds an address names it, so a block within a larger one stands before it.
_IPV4: tuple[tuple[str, str, str], ...] = (
    ("0.0.0.0/32", "unspecified", "RFC 1122 section 3.2.1.3"),
    ("0.0.0.0/8", "this_network", "RFC 791 section 3.2"),
    ("10.0.0.0/8", "private", "RFC 1918"),
    ("100.64.0.0/10", "carrier", "RFC 6598"),
    ("127.0.0.0/8", "loopback", "RFC 1122 section 3.2.1.3"),
    # A public address that answers only inside one cloud, and there with the machine's own secrets.
    ("168.63.129.16/32", "cloud_metadata", "Microsoft, What is IP address 168.63.129.16?"),
    ("169.254.169.254/32", "cloud_metadata", "RFC 3927; instance metadata of the large clouds"),
    ("169.254.0.0/16", "link_local", "RFC 3927"),
    ("172.16.0.0/12", "private", "RFC 1918"),
    ("192.0.0.0/24", "protocol", "RFC 6890 section 2.1"),
    ("192.0.2.0/24", "documentation", "RFC 5737"),
    ("192.31.196.0/24", "protocol", "RFC 7535"),
    ("192.52.193.0/24", "protocol", "RFC 7450"),
    ("192.88.99.0/24", "tunnel", "RFC 7526"),
    ("192.168.0.0/16", "private", "RFC 1918"),
    ("192.175.48.0/24", "protocol", "RFC 7534"),
    ("198.18.0.0/15", "benchmarking", "RFC 2544"),
    ("198.51.100.0/24", "documentation", "RFC 5737"),
    ("203.0.113.0/24", "documentation", "RFC 5737"),
    ("224.0.0.0/4", "multicast", "RFC 1112 section 4"),
    ("255.255.255.255/32", "broadcast", "RFC 919 section 7"),
    ("240.0.0.0/4", "reserved", "RFC 1112 section 4"),
)

_IPV6: tuple[tuple[str, str, str], ...] = (
    ("::/128", "unspecified", "RFC 4291 section 2.5.2"),
    ("::1/128", "loopback", "RFC 4291 section 2.5.3"),
    ("::/96", "embedded", "RFC 4291 section 2.5.5.1"),  # IPv4-compatible
    ("::ffff:0:0/96", "embedded", "RFC 4291 section 2.5.5.2"),  # IPv4-mapped
    ("::ffff:0:0:0/96", "embedded", "RFC 2765 section 2.1"),  # IPv4-translated
    ("64:ff9b::/96", "translated", "RFC 6052"),  # NAT64, the well-known prefix
    ("64:ff9b:1::/48", "translated", "RFC 8215"),  # NAT64 within one network
    ("100::/64", "discard", "RFC 6666"),
    ("100:0:0:1::/64", "discard", "RFC 9780"),
    ("2001::/32", "tunnel", "RFC 4380"),  # Teredo
    ("2001:2::/48", "benchmarking", "RFC 5180"),
    ("2001:10::/28", "identifier", "RFC 4843"),  # ORCHID
    ("2001:20::/28", "identifier", "RFC 7343"),  # ORCHIDv2
    ("2001:30::/28", "identifier", "RFC 9374"),  # drone remote identification
    ("2001::/23", "protocol", "RFC 2928"),
    ("2001:db8::/32", "documentation", "RFC 3849"),
    ("2002::/16", "tunnel", "RFC 3056"),  # 6to4
    ("2620:4f:8000::/48", "protocol", "RFC 7534"),
    ("3ffe::/16", "reserved", "RFC 3701"),  # 6bone, given back
    ("3fff::/20", "documentation", "RFC 9637"),
    ("5f00::/16", "identifier", "RFC 9602"),  # segment routing
    ("fc00::/7", "private", "RFC 4193"),
    ("fe80::/10", "link_local", "RFC 4291 section 2.5.6"),
    ("fec0::/10", "private", "RFC 3879"),  # site-local, deprecated
    ("ff00::/8", "multicast", "RFC 4291 section 2.7"),
)

_SPECIAL_IPV4 = tuple((IPv4Network(block), Special(kind, source)) for block, kind, source in _IPV4)
_SPECIAL_IPV6 = tuple((IPv6Network(block), Special(kind, source)) for block, kind, source in _IPV6)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_GLOBAL = Special("reserved", "RFC 4291 section 2.4")
_ZONED = Special("link_local", "RFC 4007 section 11")
_ISATAP = Special("tunnel", "RFC 5214 section 6.1")

# The interface identifier of an ISATAP address: 0000:5efe or, with the universal bit, 0200:5efe, and an
# IPv4 address that the packets are tunnelled to.
_ISATAP_IDENTIFIERS = (0x0000_5EFE, 0x0200_5EFE)

_SPECIAL_NAMES: tuple[tuple[str, Special], ...] = (
    ("localhost", Special("loopback", "RFC 6761 section 6.3")),
    ("localhost.localdomain", Special("loopback", "customary in /etc/hosts")),
    ("local", Special("link_local", "RFC 6762")),
    ("home.arpa", Special("private", "RFC 8375")),
    ("internal", Special("private", "ICANN board resolution 2024.07.29.06")),
    ("onion", Special("hidden", "RFC 7686")),
    ("arpa", Special("protocol", "RFC 3172")),
    ("invalid", Special("reserved", "RFC 6761 section 6.4")),
)
_ONE_LABEL = Special("private", "RFC 7085: names without a dot mean something on the local network only")


def special_address(address: IPAddress) -> Special | None:
    """What sets this address apart from the public internet, or None when it is part of it."""
    if isinstance(address, IPv4Address):
        return next((special for block, special in _SPECIAL_IPV4 if address in block), None)
    if address.scope_id is not None:
        return _ZONED
    for block, special in _SPECIAL_IPV6:
        if address in block:
            return special
    if address not in _GLOBAL_UNICAST:
        return _NOT_GLOBAL
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP_IDENTIFIERS:
        return _ISATAP
    return None


def special_name(host: str) -> Special | None:
    """What sets a host name apart, so that it is not even looked up; None for an ordinary one."""
    name = host.lower().rstrip(".")
    for suffix, special in _SPECIAL_NAMES:
        if name == suffix or name.endswith("." + suffix):
            return special
    return None if "." in name else _ONE_LABEL


class AddressPolicy(Protocol):
    """Decides what may be connected to. Handed to whatever connects; there is no switch to turn it off."""

    def allows_port(self, port: int) -> bool: ...

    def refuses_name(self, host: str) -> Special | None: ...

    def refuses_address(self, address: IPAddress, port: int) -> Special | None: ...


class PublicInternet:
    """The policy of the product: public addresses, web ports."""

    def __init__(self, ports: frozenset[int] = PORTS) -> None:
        self._ports = ports

    def allows_port(self, port: int) -> bool:
        return port in self._ports

    def refuses_name(self, host: str) -> Special | None:
        return special_name(host)

    def refuses_address(self, address: IPAddress, port: int) -> Special | None:
        return special_address(address)


def parse_address(text: str) -> IPAddress | None:
    """The address that `text` (as a resolver or a socket gives it) stands for; None when it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None
