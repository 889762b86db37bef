"""The guarded HTTP client: one GET, with every redirect checked anew.

What it sends is the same for everyone: no cookies, credentials, referrer or proxy settings of the user.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver

from .. import __version__
from ..messages import say
from . import IntakeError
from .addresses import AddressPolicy, Special
from .coding import decoder_of
from .guard import AddressRefused, guarded_connector
from .limits import FetchLimits
from .pacing import Pacing
from .problems import explain, refused, status_problem
from .urls import WebUrl

USER_AGENT = f"Touchstone/{__version__} (checks where a video came from, on the viewer's own computer)"

READ_SIZE = 1 << 16

_REDIRECTS = {301, 302, 303, 307, 308}
_CONTENT_RANGE = re.compile(
    r"bytes\s+(?:(?P<start>[0-9]{1,18})-(?P<end>[0-9]{1,18})|\*)/(?P<total>[0-9]{1,18}|\*)"
)


@dataclass
class Budget:
    """What one scan may still fetch, over all its requests."""

    bytes: int
    requests: int

    @classmethod
    def of(cls, limits: FetchLimits) -> Budget:
        return cls(limits.max_bytes, limits.requests)

    def spend_request(self, url: WebUrl) -> None:
        """Raises IntakeError (`too_large`) when there have been too many."""
        self.requests -= 1
        if self.requests < 0:
            raise IntakeError("too_large", say("intake.fetch.too_many_requests", url=url.shown))

    def spend_bytes(self, url: WebUrl, count: int) -> None:
        """Raises IntakeError (`too_large`) when there have been too many."""
        self.bytes -= count
        if self.bytes < 0:
            raise IntakeError("too_large", say("intake.fetch.too_large", url=url.shown))


@dataclass(frozen=True)
class Validator:
    """Tells one version of a file from another (RFC 9110 section 8.8); empty where the server is silent."""

    etag: str = ""
    modified: str = ""

    @property
    def if_range(self) -> str:
        """Value for `If-Range`: a strong entity tag or a date; empty where there is neither."""
        return self.etag if self.etag.startswith('"') else self.modified

    def contradicts(self, other: Validator) -> bool:
        """Whether both say something and not the same. Servers of one site may say different amounts."""
        if self.etag and other.etag:
            return self.etag.removeprefix("W/") != other.etag.removeprefix("W/")
        return bool(self.modified and other.modified) and self.modified != other.modified


@dataclass
class Answer:
    """A server's answer whose body is still to be read.

    Attributes:
        url: where it came from, after redirects.
        status: 200, 206 or 416.
        start: first byte of the body within the file.
        total: length of the whole file, where the server says it.
        length: bytes of the body, where the server says it.
    """

    url: WebUrl
    status: int
    start: int
    total: int | None
    length: int | None
    content_type: str
    validator: Validator
    _response: aiohttp.ClientResponse
    _budget: Budget

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces, decoded, as far as it is asked for.

        Raises:
            IntakeError: `truncated`, `timeout`, `connection`, `unsupported` or `too_large`.
        """
        decode = decoder_of(self.url, self._response.headers.get("Content-Encoding", ""))
        with explain(self.url):
            async for raw in self._response.content.iter_chunked(READ_SIZE):
                for piece in decode(raw):
                    self._budget.spend_bytes(self.url, len(piece))
                    yield piece


class WebClient:
    """Fetches from the web what the policy allows, within the limits.

    Args:
        policy: what may be connected to.
        limits: what it may cost.
        pacing: how fast.
        resolver: looks names up; the system's by default.
        tls: how servers are verified; against the system's authorities by default.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        limits: FetchLimits,
        pacing: Pacing,
        *,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._pacing = pacing
        self._resolver = resolver
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def get(
        self,
        url: WebUrl,
        budget: Budget,
        *,
        span: tuple[int, int] | None = None,
        validator: Validator | None = None,
    ) -> AsyncIterator[Answer]:
        """Ask for a file, or for the bytes `span` (end excluded) of it.

        Answers with status 200 (all of it, whatever was asked for), 206 (the span, checked) or 416.

        Raises:
            IntakeError: the reason no answer could be had, naming the URL.
        """
        headers = {}
        if span is not None:
            headers["Range"] = f"bytes={span[0]}-{span[1] - 1}"
            if validator is not None and validator.if_range:
                headers["If-Range"] = validator.if_range
        for _ in range(self._limits.redirects + 1):
            self._check(url)
            budget.spend_request(url)
            await self._pacing.request(url.host)
            with explain(url):
                response = await self._session_now().get(
                    url.to_yarl(), headers=headers, allow_redirects=False
                )
            try:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    url = self._follow(url, response.headers["Location"])
                    continue
                yield self._answer(url, response, budget, span)
                return
            finally:
                # Closed, not released: draining an unread body is what a hostile server would like.
                response.close()
        raise IntakeError("too_many_redirects", say("intake.fetch.too_many_redirects", url=url.shown))

    def _check(self, url: WebUrl) -> None:
        if not self._policy.allows_port(url.port):
            raise IntakeError("refused_address", say("intake.fetch.port", url=url.shown, port=str(url.port)))
        special: Special | None
        if url.address is not None:
            special = self._policy.refuses_address(url.address, url.port)
        else:
            special = self._policy.refuses_name(url.host)
        if special is not None:
            raise refused(url, AddressRefused(url.host, special))

    def _follow(self, url: WebUrl, location: str) -> WebUrl:
        target = url.join(location)
        if url.secure and not target.secure:
            raise IntakeError(
                "refused_address", say("intake.fetch.downgrade", url=url.shown, target=target.shown)
            )
        return target

    def _answer(
        self, url: WebUrl, response: aiohttp.ClientResponse, budget: Budget, span: tuple[int, int] | None
    ) -> Answer:
        headers = response.headers
        validator = Validator(headers.get("ETag", ""), headers.get("Last-Modified", ""))
        encoded = bool(headers.get("Content-Encoding"))
        length = None if encoded else response.content_length
        answer = Answer(
            url, response.status, 0, length, length, response.content_type, validator, response, budget
        )
        if response.status == 200:
            return answer
        if response.status in (204, 205):
            raise IntakeError("empty", say("intake.fetch.empty", url=url.shown))
        if response.status not in (206, 416) or span is None:
            raise status_problem(url, response.status, headers.get("Retry-After"))
        found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        answer.total = int(found["total"]) if found and found["total"] != "*" else None
        if response.status == 416:
            return answer
        if (
            encoded
            or found is None
            or found["start"] is None
            or int(found["start"]) != span[0]
            or not span[0] <= int(found["end"]) < span[1]
        ):
            raise IntakeError("http_status", say("intake.fetch.wrong_range", url=url.shown))
        answer.start = span[0]
        answer.length = int(found["end"]) + 1 - span[0]
        return answer

    def _session_now(self) -> aiohttp.ClientSession:
        # Made on first use: a session belongs to the running loop, and most scans need none.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=guarded_connector(self._policy, resolver=self._resolver, tls=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                requote_redirect_url=False,
                headers={"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(
                    total=None,
                    connect=self._limits.connect_s,
                    sock_connect=self._limits.connect_s,
                    sock_read=self._limits.idle_s,
                ),
            )
        return self._session
