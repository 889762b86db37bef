"""Fetches what scanning needs of a video on the web.

All of a short file, and of a signed one, since the signature covers all of it. Of a long one the headers
and ranges spread over it; of a playlist a few segments of its best rendition.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp.abc import AbstractResolver

from ..messages import say
from . import IntakeError, Material
from .addresses import AddressPolicy, PublicInternet
from .client import Budget, WebClient
from .dash import read_dash
from .files import sha256_of
from .hls import read_hls
from .layout import find_headers
from .limits import FetchLimits
from .pacing import Pacing
from .playlists import Plan, Segments, broken
from .ranges import spread
from .remote import READ_AHEAD, RemoteFile
from .segments import fetch_segments
from .sniff import Kind, sniff
from .spool import SparseFile, Spool
from .urls import WebUrl, parse_url

SNIFFED = 8192
"""Bytes of the beginning that tell what a file is."""

PLAYLIST_HOPS = 2
"""From a master playlist to a media playlist, or from a manifest to the file it names, and one to spare."""

TAIL = 1 << 20
"""Bytes fetched of the end of a long file: indexes and tags often stand there (Matroska, AVI, MP4 mfra)."""

_NOT_VIDEO = {Kind.WEB_PAGE: "web_page", Kind.TEXT: "text"}


class WebVideos:
    """Fetches videos by URL. Implements `sources.Web`.

    Args:
        folder: where fetched bytes are kept while they are looked at; private to this user.
        limits: what a fetch may cost.
        policy: what may be connected to.
        resolver: looks names up; the system's by default.
        tls: how servers are verified; against the system's authorities by default.
        clock: seconds since the epoch; tells which segments of a live video are there.
    """

    def __init__(
        self,
        folder: Path,
        *,
        limits: FetchLimits | None = None,
        policy: AddressPolicy | None = None,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._limits = limits or FetchLimits()
        self._clock = clock
        self._spool = Spool(folder)
        self._pacing = Pacing(self._limits)
        self._client = WebClient(
            policy or PublicInternet(), self._limits, self._pacing, resolver=resolver, tls=tls
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[Material]:
        """The bytes of the video at `url`, for as long as the context is open.

        Raises:
            IntakeError: the reason they could not be had, naming the URL.
        """
        target = parse_url(url)
        async with self._spool.workspace() as folder:
            async with self._pacing.turn(target.host):
                try:
                    async with asyncio.timeout(self._limits.total_s):
                        material = await self._fetch(target, folder)
                except TimeoutError as problem:
                    seconds = f"{self._limits.total_s:g}"
                    raise IntakeError(
                        "timeout", say("intake.fetch.too_slow", url=target.shown, seconds=seconds)
                    ) from problem
            yield material

    async def _fetch(self, url: WebUrl, folder: Path) -> Material:
        budget = Budget.of(self._limits)
        target = url
        for hop in range(PLAYLIST_HOPS + 1):
            outcome = await self._fetch_one(target, budget, folder / f"video-{hop}")
            if isinstance(outcome, Segments):
                outcome = await fetch_segments(self._client, outcome, budget, folder)
            if isinstance(outcome, Material):
                return replace(outcome, name=url.file_name, url=str(url))
            target = outcome.url
        raise broken(url, "nested")

    async def _fetch_one(self, url: WebUrl, budget: Budget, path: Path) -> Material | Plan:
        with SparseFile(path) as file:
            async with RemoteFile(self._client, url, budget, file, self._limits.head_bytes) as remote:
                kind = sniff(await remote.read(0, SNIFFED))
                if kind in _NOT_VIDEO:
                    raise IntakeError(
                        "not_media", say(f"intake.fetch.{_NOT_VIDEO[kind]}", url=remote.url.shown)
                    )
                if kind in (Kind.HLS, Kind.DASH):
                    return await self._plan(remote, kind)
                try:
                    await self._fetch_enough(remote, kind)
                except IntakeError as reason:
                    if reason.code != "too_large" or not await _will_do(remote, kind):
                        raise
                size = remote.size if remote.size is not None else remote.held
                await file.set_size(size)
                complete = remote.complete
        sha256 = await asyncio.to_thread(sha256_of, path, size) if complete else None
        return Material(
            path, size, complete=complete, sha256=sha256, present=() if complete else file.present
        )

    async def _plan(self, remote: RemoteFile, kind: Kind) -> Plan:
        data = await remote.read(0, self._limits.playlist_bytes)
        if not remote.complete:
            raise broken(remote.url, "too_long")
        count = self._limits.segments
        if kind is Kind.HLS:
            return await asyncio.to_thread(read_hls, data, remote.url, count)
        return await asyncio.to_thread(read_dash, data, remote.url, count, self._clock())

    async def _fetch_enough(self, remote: RemoteFile, kind: Kind) -> None:
        limits = self._limits
        if not remote.ranged or remote.size is None:
            await self._stream_enough(remote, kind)
            return
        if remote.size <= limits.whole_bytes:
            await remote.need(0, remote.size)
            return
        layout = await find_headers(kind, remote.read, remote.size)
        if layout.signed and remote.size <= limits.max_bytes:
            await remote.need(0, remote.size)
            return
        for start, end in layout.headers:
            await remote.need(start, min(end, start + limits.header_bytes))
        await remote.need(max(0, remote.size - TAIL), remote.size)
        for start, end in spread(remote.size, limits.samples, limits.sample_bytes, READ_AHEAD):
            await remote.need(start, end)

    async def _stream_enough(self, remote: RemoteFile, kind: Kind) -> None:
        """A server without ranges: read on from the start, and stop as soon as that will do."""
        limits = self._limits
        await remote.need(0, limits.whole_bytes)
        if remote.complete:
            return
        layout = await find_headers(kind, remote.file.read, remote.held)
        if layout.signed or not layout.has_header or kind is Kind.RIFF:
            # A signature covers all of it, and in RIFF files comes last; without its header nothing of a
            # file can be decoded.
            await remote.need(0, limits.max_bytes)
            layout = await find_headers(kind, remote.file.read, remote.held)
        if not layout.has_header and not remote.complete:
            raise IntakeError("too_large", say("intake.fetch.too_large", url=remote.url.shown))


async def _will_do(remote: RemoteFile, kind: Kind) -> bool:
    """Whether what was fetched before the limit is enough to look at: all headers, and some of the rest."""
    layout = await find_headers(kind, remote.file.read, remote.held)
    return layout.has_header and not any(remote.file.missing(start, end) for start, end in layout.headers)
