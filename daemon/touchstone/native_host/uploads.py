"""Uploads on their way from the browser: chunks in order, kept on disk until their scan has ended.

The bytes are kept after they were handed on, so that a daemon that lost them can be given them again.
"""

from __future__ import annotations

import binascii
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ..frame_batches import BadBatch, read_heads
from ..messages import say
from ..native_messages import UploadBegin, UploadChunk, UploadEnd, UploadScan
from ..system.paths import make_private_dir
from .problems import Code, NativeError

CHUNK_BYTES = 512 << 10
WINDOW = 4
MAX_OPEN = 4
"""Open at a time, of files and of pictures each: pictures come for as long as somebody watches."""
SUFFIX = ".upload"
LEFT_OVER_S = 24 * 3600.0
DEFAULT_LIMIT_BYTES = 1 << 30  # the daemon's own default, settings.py `max_bytes`


@dataclass
class Upload:
    """One upload: what was announced and what has come so far.

    Attributes:
        holders: who still needs the bytes: the upload while it is open, and each scan of it.
    """

    begin: UploadBegin
    path: Path
    file: BinaryIO
    next_seq: int = 0
    received: int = 0
    holders: int = 1

    def hold(self) -> None:
        """One more needs the bytes, and will `close`."""
        self.holders += 1

    def close(self) -> None:
        """One less needs the bytes; the last drops them."""
        self.holders -= 1
        if self.holders > 0:
            return
        # A full disk makes the flush inside close() fail; the file is gone all the same.
        with suppress(OSError):
            self.file.close()
        self.path.unlink(missing_ok=True)


@dataclass
class Uploads:
    """The open uploads of one port.

    Args:
        folder: where the files are made; on the disk, not in memory.
        limit_bytes: largest upload that is taken.
    """

    folder: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES
    _open: dict[str, Upload] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._open)

    def sweep(self, now: float) -> None:
        """Delete what hosts that were killed left behind; `now` in seconds since the epoch."""
        for path in self.folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):  # another host may be sweeping too
                if path.stat().st_mtime < now - LEFT_OVER_S:
                    path.unlink()

    def begin(self, message: UploadBegin) -> Upload:
        """Open an upload."""
        about = {"upload_id": message.upload_id}
        if message.upload_id in self._open:
            raise NativeError(Code.UPLOAD_EXISTS, about, **about)
        alike = [each for each in self._open.values() if bool(each.begin.frames) == bool(message.frames)]
        if len(alike) >= MAX_OPEN:
            raise NativeError(Code.TOO_MANY_UPLOADS, about, limit=MAX_OPEN)
        if message.size is not None and message.size > self.limit_bytes:
            raise NativeError(Code.UPLOAD_TOO_LARGE, about, limit=self.limit_bytes, **about)
        try:
            make_private_dir(self.folder)
            descriptor, name = tempfile.mkstemp(dir=self.folder, prefix=f"{os.getpid()}-", suffix=SUFFIX)
        except OSError as problem:
            raise NativeError(Code.UPLOAD_NOT_STORED, about, reason=problem, **about) from problem
        upload = self._open[message.upload_id] = Upload(message, Path(name), os.fdopen(descriptor, "wb"))
        return upload

    def chunk(self, message: UploadChunk) -> Upload:
        """Take the next chunk."""
        upload = self._find(message.upload_id)
        about = {"upload_id": message.upload_id, "expected_seq": upload.next_seq}
        names = {"upload_id": message.upload_id, "seq": message.seq, "expected": upload.next_seq}
        if message.seq != upload.next_seq:
            code = Code.CHUNK_MISSING if message.seq > upload.next_seq else Code.CHUNK_OUT_OF_ORDER
            raise NativeError(code, about, **names)
        try:
            data = binascii.a2b_base64(message.data, strict_mode=True)
        except ValueError as problem:  # binascii.Error, and ValueError for what is not ASCII
            raise NativeError(Code.CHUNK_NOT_BASE64, about, **names) from problem
        if len(data) > CHUNK_BYTES:
            raise NativeError(Code.CHUNK_TOO_LARGE, about, size=len(data), limit=CHUNK_BYTES, **names)
        limit = self.limit_bytes if upload.begin.size is None else upload.begin.size
        if upload.received + len(data) > limit:
            self._drop(message.upload_id)
            about = {"upload_id": message.upload_id}
            raise NativeError(Code.UPLOAD_TOO_LARGE, about, limit=limit, **about)
        try:
            upload.file.write(data)
        except OSError as problem:
            raise self._not_stored(message.upload_id, problem) from problem
        upload.next_seq += 1
        upload.received += len(data)
        return upload

    def scan(self, message: UploadScan) -> Upload:
        """Pictures have come, and more may: hand what there is to the caller, who closes it."""
        upload = self._find(message.upload_id)
        if message.chunks != upload.next_seq:
            raise self._incomplete(message.upload_id, "chunks", upload.next_seq, message.chunks)
        self._check_frames(upload)
        upload.hold()
        return upload

    def end(self, message: UploadEnd) -> Upload:
        """All has come: hand the upload over to the caller, who closes it."""
        upload = self._find(message.upload_id)
        if message.chunks != upload.next_seq:
            raise self._incomplete(message.upload_id, "chunks", upload.next_seq, message.chunks)
        if upload.begin.size is not None and upload.received != upload.begin.size:
            raise self._incomplete(message.upload_id, "bytes", upload.received, upload.begin.size)
        if upload.begin.frames:
            self._check_frames(upload)
        try:
            upload.file.close()
        except OSError as problem:
            raise self._not_stored(message.upload_id, problem) from problem
        del self._open[message.upload_id]
        return upload

    def abort(self, upload_id: str) -> None:
        """Forget an upload."""
        self._find(upload_id)
        self._drop(upload_id)

    def close(self) -> None:
        """Forget all."""
        for upload_id in list(self._open):
            self._drop(upload_id)

    def _check_frames(self, upload: Upload) -> None:
        """Have the bytes on disk, and see that they are whole batches; half of one may yet be completed."""
        upload_id = upload.begin.upload_id
        try:
            upload.file.flush()
        except OSError as problem:
            raise self._not_stored(upload_id, problem) from problem
        try:
            if upload.begin.frames is None:
                raise BadBatch(say("native.frames.a_file"))
            with upload.path.open("rb") as file:
                for _ in read_heads(file, upload.received):
                    pass
        except BadBatch as problem:
            about = {"upload_id": upload_id}
            raise NativeError(Code.UPLOAD_NOT_FRAMES, about, reason=problem, **about) from problem

    def _find(self, upload_id: str) -> Upload:
        upload = self._open.get(upload_id)
        if upload is None:
            raise NativeError(Code.UPLOAD_UNKNOWN, {"upload_id": upload_id}, upload_id=upload_id)
        return upload

    def _drop(self, upload_id: str) -> None:
        self._open.pop(upload_id).close()

    def _incomplete(self, upload_id: str, what: str, got: int, announced: int) -> NativeError:
        self._drop(upload_id)
        return NativeError(
            Code.UPLOAD_INCOMPLETE,
            {"upload_id": upload_id},
            upload_id=upload_id,
            got=got,
            announced=say(f"native.upload_part.{what}", count=announced),
        )

    def _not_stored(self, upload_id: str, problem: OSError) -> NativeError:
        self._drop(upload_id)
        return NativeError(
            Code.UPLOAD_NOT_STORED, {"upload_id": upload_id}, upload_id=upload_id, reason=problem.strerror
        )
