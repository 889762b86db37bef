"""The bearer token that every request to the daemon carries.

It lives in the desktop's keyring where there is a real one, else in a file that only the user can read. The
file is there in both cases and says which: a shell without a desktop session (ssh, cron) must not make up a
second token beside the one in the keyring. The native host hands requests on with the token; no web page
ever sees it.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from ..messages import say
from .locks import file_lock
from .paths import Paths, write_private_file

SERVICE = "org.touchstone"
ACCOUNT = "daemon-token"
TOKEN_BYTES = 32
_IN_KEYRING = "keyring"  # content of the file when the token itself is in the keyring
_LOCK_WAIT_S = 10.0
# token_urlsafe(32): 43 characters of the URL-safe base64 alphabet.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Keyring(Protocol):
    """The part of a `keyring` backend that is used here."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


class SecretsError(Exception):
    """The token can be neither read nor kept; the text says where and why."""


@dataclass(frozen=True)
class StoredToken:
    """The token and where it is kept."""

    value: str
    kept_in: Literal["keyring", "file"]

    def __repr__(self) -> str:
        return f"StoredToken(kept_in={self.kept_in!r})"  # the value never gets into a log or a traceback


class TokenStore:
    """Reads, makes and rotates the token.

    Args:
        paths: `paths.token_file` holds the token, or the word `keyring`.
        keyring: finds the desktop's keyring; asked only when it is needed, since that is slow.
    """

    def __init__(self, paths: Paths, keyring: Callable[[], Keyring | None]) -> None:
        self._file = paths.token_file
        self._lock = paths.token_file.with_name("token.lock")
        self._keyring = keyring

    def read(self) -> StoredToken | None:
        """The token as it is kept, or None when there is none yet.

        Raises:
            SecretsError: it is there but cannot be used: others may read it, it is damaged, or its keyring is
                out of reach.
        """
        try:
            content = self._file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as problem:
            raise SecretsError(say("system.token.unreadable", path=self._file, reason=problem)) from problem
        if content == _IN_KEYRING:
            return self._from_keyring()
        if not _TOKEN.fullmatch(content):
            raise SecretsError(say("system.token.damaged", path=self._file))
        if os.name == "posix" and self._file.stat().st_mode & 0o077:
            raise SecretsError(say("system.token.open_to_others", path=self._file))
        return StoredToken(content, "file")

    def load(self) -> StoredToken:
        """The token; the first call on a machine makes it. Several processes may call this at once."""
        if found := self.read():
            return found
        with file_lock(self._lock, _LOCK_WAIT_S):
            return self.read() or self._make()

    def rotate(self) -> StoredToken:
        """Replace the token. A running daemon keeps the old one until it is started again."""
        with file_lock(self._lock, _LOCK_WAIT_S):
            return self._make()

    def _make(self) -> StoredToken:
        value = secrets.token_urlsafe(TOKEN_BYTES)
        kept_in: Literal["keyring", "file"] = (
            "keyring" if kept_in_keyring(self._keyring(), ACCOUNT, value) else "file"
        )
        content = _IN_KEYRING if kept_in == "keyring" else value
        write_private_file(self._file, content.encode("ascii") + b"\n")
        return StoredToken(value, kept_in)

    def _from_keyring(self) -> StoredToken:
        keyring = self._keyring()
        if keyring is None:
            raise SecretsError(say("system.token.no_keyring_here"))
        try:
            value = keyring.get_password(SERVICE, ACCOUNT)
        except Exception as problem:  # backends raise what they like
            raise SecretsError(say("system.token.keyring_failed", reason=problem)) from problem
        if value is None or not _TOKEN.fullmatch(value):
            raise SecretsError(say("system.token.gone_from_keyring"))
        return StoredToken(value, "keyring")


def kept_in_keyring(keyring: Keyring | None, account: str, value: str) -> bool:
    """Puts a secret into the keyring; whether it is there afterwards."""
    if keyring is None:
        return False
    try:
        keyring.set_password(SERVICE, account, value)
        # A locked or read-only keyring may take the call and keep nothing.
        return keyring.get_password(SERVICE, account) == value
    except Exception:  # noqa: BLE001 - backends raise what they like; the file serves as well
        return False


def system_keyring() -> Keyring | None:
    """The desktop's keyring, or None where there is none (a server, a container, a locked-down session)."""
    import keyring
    from keyring.backends import chainer, fail, null
    from keyring.errors import KeyringError

    try:
        backend = keyring.get_keyring()
    except (KeyringError, RuntimeError, OSError):
        return None
    if isinstance(backend, fail.Keyring | null.Keyring):
        return None
    # keyrings.alt and its like keep passwords in a plain file with no protection we could vouch for.
    if backend.priority < 1 or (isinstance(backend, chainer.ChainerBackend) and not backend.backends):
        return None
    return cast(Keyring, backend)
