"""Looks names up with the system's resolver, in threads that serve nothing else.

A lookup cannot be ended: it lasts until the system gives up. In the event loop's own pool of threads, names
whose servers never answer would hold up everything else that the daemon does in threads.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

THREADS = 8
"""Lookups at once. Those that wait for a thread run into the time limit of their connection."""


class SystemResolver(AbstractResolver):
    """Asks the system for the addresses of a name, as any program of the user's would."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of `host`, in the order the system prefers them.

        Raises:
            OSError: there are none, or the name servers could not be asked.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        return [_result(host, *entry) for entry in found]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


_Entry = tuple[socket.AddressFamily, int, tuple[str | int, ...]]


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[_Entry]:
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    # A Python without IPv6 answers for it with raw bytes, in which the address is a number.
    return [
        (kind, protocol, address) for kind, _, protocol, _, address in found if isinstance(address[0], str)
    ]


def _result(
    host: str, family: socket.AddressFamily, protocol: int, address: tuple[str | int, ...]
) -> ResolveResult:
    text = str(address[0])
    if len(address) > 3 and address[3] and "%" not in text:
        text = f"{text}%{address[3]}"  # an interface, which the guard has to see
    return ResolveResult(
        hostname=host,
        host=text,
        port=int(address[1]),
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
