"""Where uploads lie between being received and being scanned: private files, bounded in size and in all.

They are named after their scan, so a daemon that is started again finds the bytes of a scan it takes up.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from ..system.paths import PRIVATE_FILE, make_private_dir

WRITE_BYTES = 1 << 20
"""Bytes gathered before they are hashed and written on another thread."""


class UploadTooLarge(Exception):
    """The body is longer than one upload may be: `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"longer than {limit} bytes")
        self.limit = limit


class SpoolFull(Exception):
    """The uploads that wait to be scanned take all the room there is for them."""


class Incoming:
    """An upload that is being received. `write` it piece by piece, then `finish` it."""

    def __init__(self, spool: Spool, scan_id: str) -> None:
        self._spool = spool
        self._scan_id = scan_id
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        descriptor = os.open(spool.path(scan_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self.size = 0

    async def write(self, piece: bytes) -> None:
        """Append bytes.

        Raises:
            UploadTooLarge, SpoolFull: a limit was reached.
            OSError: the disk does not take them.
        """
        self.size += len(piece)
        self._spool.claim(self._scan_id, self.size)
        self._buffer += piece
        if len(self._buffer) >= WRITE_BYTES:
            await self._flush()

    async def finish(self) -> str:
        """Write what is left and return the SHA-256 of all of it, as hex."""
        await self._flush()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def _flush(self) -> None:
        piece, self._buffer = bytes(self._buffer), bytearray()
        await asyncio.to_thread(self._put, piece)

    def _put(self, piece: bytes) -> None:
        self._digest.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]


class Spool:
    """A folder of uploads.

    Args:
        folder: private; made when missing.
        max_file_bytes: longest upload.
        max_total_bytes: of all uploads there at a time.
    """

    def __init__(self, folder: Path, *, max_file_bytes: int, max_total_bytes: int) -> None:
        make_private_dir(folder)
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._max_total_bytes = max_total_bytes
        self._held: dict[str, int] = {}

    def path(self, scan_id: str) -> Path:
        """Where the upload of a scan lies. The id is one of ours, never a client's."""
        return self._folder / f"{scan_id}.upload"

    def claim(self, scan_id: str, size: int) -> None:
        """Note that an upload is `size` bytes long by now, or will be.

        Raises:
            UploadTooLarge, SpoolFull: that is more than may be.
        """
        if size > self._max_file_bytes:
            raise UploadTooLarge(self._max_file_bytes)
        if sum(self._held.values()) - self._held.get(scan_id, 0) + size > self._max_total_bytes:
            raise SpoolFull
        self._held[scan_id] = size

    @asynccontextmanager
    async def receive(self, scan_id: str) -> AsyncIterator[Incoming]:
        """A new upload; what was written is removed again if the block is left by an exception."""
        incoming = await asyncio.to_thread(Incoming, self, scan_id)
        try:
            yield incoming
        except BaseException:
            incoming.close()
            self._delete(scan_id)
            raise
        incoming.close()

    async def remove(self, scan_id: str) -> None:
        """Delete the upload of a scan, if it has one."""
        if scan_id in self._held:
            await asyncio.to_thread(self._delete, scan_id)

    def sweep(self, keep: Collection[str]) -> None:
        """Delete what an earlier daemon left behind, but for the uploads of the scans in `keep`."""
        for path in self._folder.iterdir():
            scan_id = path.name.removesuffix(".upload")
            if scan_id in keep:
                self._held[scan_id] = path.stat().st_size
            else:
                path.unlink(missing_ok=True)

    def _delete(self, scan_id: str) -> None:
        self.path(scan_id).unlink(missing_ok=True)
        self._held.pop(scan_id, None)
