"""Turns any source into bytes on disk: the pipeline's intake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self, assert_never

from ..messages import say
from ..wire import AnySource, FileSource, FramesSource, UploadSource, UrlSource
from . import IntakeError, Material
from .files import check_file, sha256_of
from .uploads import ReceivedFrames, ReceivedUpload

HASH_LIMIT = 1 << 30
"""Longest file in bytes whose SHA-256 is worked out: about two seconds without hardware support."""


class Web(Protocol):
    """Fetches a video from the web into a private file that lives as long as the context is open."""

    def open(self, url: str) -> AbstractAsyncContextManager[Material]: ...

    async def close(self) -> None: ...


class SourceIntake:
    """Opens URLs, files and uploads. Implements `pipeline.Intake`; one instance serves many scans at once.

    Args:
        web: what fetches URLs; None where nothing may ever be fetched.
        fetch_allowed: asked before every fetch, so that the setting takes effect at once.
        hash_limit: longest file in bytes whose SHA-256 is worked out.
    """

    def __init__(
        self,
        web: Web | None = None,
        *,
        fetch_allowed: Callable[[], bool] = lambda: True,
        hash_limit: int = HASH_LIMIT,
    ) -> None:
        self._web = web
        self._fetch_allowed = fetch_allowed
        self._hash_limit = hash_limit

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections; temporary files of scans still open are removed as those scans end."""
        if self._web is not None:
            await self._web.close()

    @asynccontextmanager
    async def open(self, source: AnySource) -> AsyncIterator[Material]:
        """Bytes of one source, for as long as the context is open.

        Raises:
            IntakeError: the bytes could not be had; the reason is in words and names the source.
        """
        match source:
            case UrlSource():
                if self._web is None or not self._fetch_allowed():
                    raise IntakeError("fetch_off", say("intake.fetch.off", url=source.url))
                async with self._web.open(source.url) as material:
                    yield material
            case FileSource():
                yield await self._files(Path(source.path), tuple(map(Path, source.fragments)))
            case ReceivedUpload():
                yield await self._upload(source)
            case ReceivedFrames():
                material = await self._files(source.path, (), name=source.name)
                yield replace(material, name=source.name, pictures=True)
            case UploadSource() | FramesSource():
                raise IntakeError("empty", say("intake.upload.nothing"))
            case _:
                assert_never(source)

    async def _files(self, path: Path, fragments: Sequence[Path], name: str | None = None) -> Material:
        size = await asyncio.to_thread(check_file, path)
        for fragment in fragments:
            await asyncio.to_thread(check_file, fragment)
        sha256 = None
        if size <= self._hash_limit and not fragments:
            sha256 = await asyncio.to_thread(sha256_of, path, self._hash_limit)
        return Material(path, size, tuple(fragments), name=name or path.name, sha256=sha256)

    async def _upload(self, upload: ReceivedUpload) -> Material:
        try:
            return await self._files(upload.path, upload.fragments, name=upload.name or "upload")
        except IntakeError as problem:
            if problem.code == "empty":  # the person knows nothing of our temporary file
                raise IntakeError("empty", say("intake.upload.empty")) from problem
            raise
