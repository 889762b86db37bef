"""A file on a web server, fetched piece by piece into a sparse private file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Self

from ..messages import say
from . import IntakeError
from .client import Answer, Budget, Validator, WebClient
from .ranges import Range
from .spool import SparseFile
from .urls import WebUrl

WRITE_SIZE = 1 << 20
"""Bytes collected before they are written."""

READ_AHEAD = 1 << 16
"""Least bytes asked for at once: a request costs more than these."""


class RemoteFile:
    """One file of a web server. Enter it to ask for its beginning; then `need` what else is wanted.

    A server that takes no ranges sends the whole file once. It is then read in order, and only as far as
    something is needed. The pieces all belong to one version of the file, or there is an error.

    Attributes:
        url: where it is, after redirects.
        file: what was fetched so far.
        size: its length, or None while a server that does not say it has not come to the end.
        ranged: whether the server gives ranges.
    """

    def __init__(
        self, client: WebClient, url: WebUrl, budget: Budget, file: SparseFile, head_bytes: int
    ) -> None:
        self.url = url
        self.file = file
        self.size: int | None = None
        self.ranged = False
        self._client = client
        self._budget = budget
        self._head_bytes = head_bytes
        self._validator = Validator()
        self._open = AsyncExitStack()
        self._stream: AsyncGenerator[bytes, None] | None = None
        self._streamed = 0
        self._promised: int | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    @property
    def complete(self) -> bool:
        """Whether every byte is there."""
        return self.size is not None and not self.file.missing(0, self.size)

    @property
    def held(self) -> int:
        """Where the last byte that is there ends."""
        return self.file.present[-1][1] if self.file.present else 0

    async def read(self, offset: int, count: int) -> bytes:
        """Up to `count` bytes from `offset`, fetched if need be; shorter only at the end of the file."""
        await self.need(offset, offset + count)
        return await self.file.read(offset, count if self.size is None else min(count, self.size - offset))

    async def need(self, start: int, end: int) -> None:
        """Fetch what is missing of the bytes from `start` to `end` (excluded), as far as the file goes.

        Raises:
            IntakeError: the reason it could not be had.
        """
        if self.size is not None:
            end = min(end, self.size)
        for gap in self.file.missing(start, end):
            if self.ranged and self.size is not None:
                await self._fetch(gap, self.size)
            else:
                await self._advance(gap[1])

    async def _begin(self) -> None:
        answer = await self._open.enter_async_context(
            self._client.get(self.url, self._budget, span=(0, self._head_bytes))
        )
        refused = answer.status == 416 and answer.total != 0
        if refused or (answer.status == 206 and answer.total is None):
            # Some servers refuse any range of a file whose length they do not know. All of it, then.
            await self._open.aclose()
            answer = await self._open.enter_async_context(self._client.get(self.url, self._budget))
        self.url = answer.url
        self._validator = answer.validator
        self.ranged = answer.status == 206
        if answer.total == 0 or answer.length == 0:
            raise IntakeError("empty", say("intake.fetch.empty", url=self.url.shown))
        if self.ranged:
            self.size = answer.total
            await self._store(answer)
            await self._open.aclose()
            return
        self.size = self._promised = answer.total
        self._stream = await self._open.enter_async_context(aclosing(answer.body()))
        await self._advance(self._head_bytes)

    async def _fetch(self, gap: Range, size: int) -> None:
        start, stop = gap
        while start < stop:
            span = (start, min(size, max(stop, start + READ_AHEAD)))
            async with self._client.get(
                self.url, self._budget, span=span, validator=self._validator
            ) as answer:
                if (
                    answer.status != 206
                    or answer.total != size
                    or answer.validator.contradicts(self._validator)
                ):
                    raise IntakeError("truncated", say("intake.fetch.changed", url=self.url.shown))
                start += await self._store(answer)

    async def _store(self, answer: Answer) -> int:
        """Write a range's body where it belongs; the count of bytes, which is never zero."""
        written = 0
        async with aclosing(_batches(answer.body())) as batches:
            async for batch in batches:
                await self.file.write(answer.start + written, batch)
                written += len(batch)
        if written != answer.length or written == 0:
            raise IntakeError("truncated", say("intake.fetch.truncated", url=self.url.shown))
        return written

    async def _advance(self, end: int) -> None:
        """Read on in a body that comes in order, at least to `end` or to where it ends."""
        if self._stream is None:
            return
        batch = bytearray()
        ended = False
        while self._streamed + len(batch) < end and not ended:
            piece = await anext(self._stream, None)
            ended = piece is None
            batch += piece or b""
            if len(batch) >= WRITE_SIZE or ended or self._streamed + len(batch) >= end:
                await self.file.write(self._streamed, batch)
                self._streamed += len(batch)
                batch = bytearray()
        if ended:
            self._end_of_stream()

    def _end_of_stream(self) -> None:
        self._stream = None
        if self._promised is not None and self._streamed != self._promised:
            raise IntakeError("truncated", say("intake.fetch.truncated", url=self.url.shown))
        if self._streamed == 0:
            raise IntakeError("empty", say("intake.fetch.empty", url=self.url.shown))
        self.size = self._streamed


async def _batches(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytearray, None]:
    batch = bytearray()
    async for piece in pieces:
        batch += piece
        if len(batch) >= WRITE_SIZE:
            yield batch
            batch = bytearray()
    if batch:
        yield batch
