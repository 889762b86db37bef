"""Connects only where the address policy allows, however the address was come by.

Two checks, since each covers what the other cannot see. The resolver refuses a name as soon as one of its
addresses is forbidden: an honest site has none, and a mixed answer is how rebinding begins. The socket
factory refuses the very address that is about to be connected to: an answer that changes after the first
check, an address written as a host, or a way around the resolver ends there.
"""

from __future__ import annotations

import socket
import ssl

from aiohttp import AddrInfoType, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from .addresses import AddressPolicy, Special, parse_address
from .names import SystemResolver

_UNREADABLE = Special("reserved", "no address at all")


class AddressRefused(OSError):
    """An address that the policy forbids. aiohttp carries it as the `os_error` of its own exceptions."""

    def __init__(self, address: str, special: Special) -> None:
        super().__init__(f"{address}: {special.kind} ({special.source})")
        self.address = address
        self.special = special


class GuardedResolver(AbstractResolver):
    """Resolves through another resolver and refuses the answer unless all of it is allowed."""

    def __init__(self, inner: AbstractResolver, policy: AddressPolicy) -> None:
        self._inner = inner
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await self._inner.resolve(host, port, family)
        if not answers:
            raise OSError(f"{host} has no address")
        for answer in answers:
            check_address(self._policy, answer["host"], port)
        return answers

    async def close(self) -> None:
        await self._inner.close()


def check_address(policy: AddressPolicy, text: str, port: int) -> None:
    """Let an address pass, or refuse it.

    Raises:
        AddressRefused: the policy forbids it, or it is no address.
    """
    address = parse_address(text)
    special = _UNREADABLE if address is None else policy.refuses_address(address, port)
    if special is not None:
        raise AddressRefused(text, special)


def guarded_connector(
    policy: AddressPolicy,
    *,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
    connections: int = 16,
    connections_per_host: int = 4,
) -> TCPConnector:
    """A connector that can reach only what `policy` allows.

    Args:
        policy: what may be connected to.
        resolver: looks names up; the system's by default.
        tls: how servers are verified; against the system's authorities by default.
        connections: most connections open at once.
        connections_per_host: of these, to one host.
    """

    def open_socket(info: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        host = str(address[0])
        if len(address) > 3 and address[3]:  # an IPv6 scope id: only local addresses have one
            host = f"{host.partition('%')[0]}%{address[3]}"
        check_address(policy, host, int(address[1]))
        return socket.socket(family, kind, protocol)

    return TCPConnector(
        resolver=GuardedResolver(resolver or SystemResolver(), policy),
        use_dns_cache=False,  # the system caches; an answer is used where it was checked and nowhere else
        ssl=tls or True,
        limit=connections,
        limit_per_host=connections_per_host,
        socket_factory=open_socket,
    )
