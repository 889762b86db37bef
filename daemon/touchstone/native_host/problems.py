"""What can go wrong between a browser and the native host: the numbered table of docs/native-messaging.md.

Numbers and names are part of the protocol and never change their meaning. Standard library only: this is on
the way to the host's first message.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from ..messages import say


class Code(IntEnum):
    """1xx the message itself, 2xx the daemon, 3xx uploads; sent with the member's name in lower case."""

    MESSAGE_TOO_LARGE = 101
    MESSAGE_TRUNCATED = 102
    NOT_UTF8 = 103
    NOT_JSON = 104
    UNKNOWN_TYPE = 105
    INVALID_MESSAGE = 106
    NOT_GREETED = 107
    PROTOCOL_MISMATCH = 108
    TOO_MANY_SCANS = 109
    HOST_FAILED = 110

    DAEMON_ABSENT = 201
    TOKEN_REFUSED = 202
    SCAN_UNKNOWN = 203
    DAEMON_BUSY = 204
    DAEMON_REFUSED = 205
    DAEMON_FAILED = 206
    SCAN_PUT_OFF = 207

    UPLOAD_UNKNOWN = 301
    UPLOAD_EXISTS = 302
    CHUNK_OUT_OF_ORDER = 303
    CHUNK_MISSING = 304
    CHUNK_TOO_LARGE = 305
    CHUNK_NOT_BASE64 = 306
    UPLOAD_TOO_LARGE = 307
    UPLOAD_INCOMPLETE = 308
    TOO_MANY_UPLOADS = 309
    UPLOAD_NOT_STORED = 310
    UPLOAD_NOT_FRAMES = 311


FATAL = frozenset({Code.MESSAGE_TRUNCATED})
"""After these the stream has no next message; the host ends. An absurd length is fatal too (`fatal=True`)."""


class NativeError(Exception):
    """A problem that is told to the browser and ends nothing else.

    Args:
        code: which.
        about: fields of the error message beside its text: `request`, `scan_id`, `upload_id`, `expected_seq`,
            `retry_after_s`, `fatal`.
        names: places of the text in messages/en/native.toml.
    """

    def __init__(self, code: Code, about: dict[str, Any] | None = None, /, **names: Any) -> None:
        super().__init__(say(f"native.error.{code.name.lower()}", **names))
        self.code = code
        self.about = dict(about or {})

    def message(self, request: str | None = None) -> dict[str, Any]:
        """The error as it goes to the browser."""
        about = {"request": request, **self.about}
        fatal = bool(about.pop("fatal", False)) or self.code in FATAL
        return {
            "type": "error",
            "code": int(self.code),
            "name": self.code.name.lower(),
            "message": str(self),
            **{key: value for key, value in about.items() if value is not None},
            "fatal": fatal,
        }
