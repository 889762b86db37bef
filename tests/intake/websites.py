"""A web server on loopback whose answers a test writes itself, and a policy that lets exactly it through."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from touchstone.intake.addresses import IPAddress, PublicInternet, Special

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LOOPBACK = ip_address("127.0.0.1")


class OnlyThisServer(PublicInternet):
    """The product's policy with one exception: a server of the test, at 127.0.0.1 and its ports."""

    def __init__(self, *ports: int) -> None:
        super().__init__()
        self.mine = set(ports)

    def allows_port(self, port: int) -> bool:
        return port in self.mine or super().allows_port(port)

    def refuses_address(self, address: IPAddress, port: int) -> Special | None:
        if address == LOOPBACK and port in self.mine:
            return None
        return super().refuses_address(address, port)


@dataclass
class Names(AbstractResolver):
    """A name server of the test: the answers for each name, one after the other, the last one for good."""

    answers: Mapping[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        turn = min(self.asked.count(host), len(self.answers[host]) - 1)
        self.asked.append(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self.answers[host][turn]
        ]

    async def close(self) -> None:
        return None


@dataclass
class Site:
    """A running server.

    Attributes:
        port: where it listens on 127.0.0.1.
        requests: what it was asked, in order.
    """

    port: int
    requests: list[web.Request] = field(default_factory=list)

    def url(self, path: str = "/v.mp4", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def policy(self) -> OnlyThisServer:
        return OnlyThisServer(self.port)

    @property
    def ranges(self) -> list[str]:
        return [request.headers.get("Range", "") for request in self.requests]


@asynccontextmanager
async def site(handler: Handler) -> AsyncIterator[Site]:
    """Serve `handler` for every path."""
    running: Site

    async def record(request: web.Request) -> web.StreamResponse:
        running.requests.append(request)
        return await handler(request)

    server = web.Server(record, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    assert listener._server is not None
    running = Site(listener._server.sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        await runner.cleanup()


def serve_bytes(body: bytes, *, etag: str = '"1"', content_type: str = "video/mp4") -> Handler:
    """A well-behaved server of one file, with ranges."""

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {"ETag": etag, "Accept-Ranges": "bytes", "Content-Type": content_type}
        wanted = request.headers.get("Range")
        if wanted is None:
            return web.Response(body=body, headers=headers)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(body) - 1), len(body) - 1)
        if start >= len(body):
            return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
        headers["Content-Range"] = f"bytes {start}-{end}/{len(body)}"
        return web.Response(status=206, body=body[start : end + 1], headers=headers)

    return handle


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def raw_site(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """Serve bytes that no HTTP library would send: `talk` reads and writes them once a request has come."""
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has had enough, which is what most of these tests are about
        finally:
            talks.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield Site(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
