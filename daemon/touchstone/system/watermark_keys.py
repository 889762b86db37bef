"""The user's own watermark key: in the desktop's keyring where there is one, else in a file of mode 0600.

The file is there in both cases and says which, as for the token (secrets.py). Unlike the token a key is never
replaced by itself: whoever loses it can no longer read the marks made with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from secrets import token_bytes

from ..messages import say
from ..watermark.key import KEY_BYTES, BadKey, Key
from .locks import file_lock
from .paths import Paths, write_private_file
from .secrets import SERVICE, Keyring, SecretsError, kept_in_keyring

ACCOUNT = "watermark-key"
OWN = "own"
"""What the user's key is called."""
_IN_KEYRING = "keyring"
_LOCK_WAIT_S = 10.0


class KeyStore:
    """Reads, makes and takes the user's key.

    Args:
        paths: the file is in `paths.config_dir`.
        keyring: finds the desktop's keyring; asked only when it is needed.
    """

    def __init__(self, paths: Paths, keyring: Callable[[], Keyring | None]) -> None:
        self.file = paths.config_dir / ACCOUNT
        self._lock = paths.config_dir / f"{ACCOUNT}.lock"
        self._keyring = keyring

    def read(self) -> Key | None:
        """The key, or None when there is none yet.

        Raises:
            SecretsError: it is there but cannot be used; the text says why and what to do.
        """
        try:
            content = self.file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as problem:
            raise SecretsError(say("watermark.key.unreadable", path=self.file, reason=problem)) from problem
        if content == _IN_KEYRING:
            content = self._from_keyring()
        elif os.name == "posix" and self.file.stat().st_mode & 0o077:
            raise SecretsError(say("watermark.key.open_to_others", path=self.file))
        try:
            return Key.from_hex(OWN, content)
        except BadKey as problem:
            raise SecretsError(say("watermark.key.damaged", path=self.file)) from problem

    def load(self) -> Key:
        """The key; the first call on a machine makes it."""
        if found := self.read():
            return found
        with file_lock(self._lock, _LOCK_WAIT_S):
            return self.read() or self._keep(Key(OWN, token_bytes(KEY_BYTES)))

    def take(self, key: Key) -> Key:
        """Keep a key that was made elsewhere.

        Raises:
            SecretsError: there is another one already.
        """
        with file_lock(self._lock, _LOCK_WAIT_S):
            there = self.read()
            if there is not None and there.secret != key.secret:
                raise SecretsError(say("watermark.key.another", path=self.file))
            return there or self._keep(Key(OWN, key.secret))

    @property
    def kept_in(self) -> str:
        """`keyring` or `file`; only where there is a key."""
        return "keyring" if self.file.read_text(encoding="ascii").strip() == _IN_KEYRING else "file"

    def _keep(self, key: Key) -> Key:
        content = _IN_KEYRING if kept_in_keyring(self._keyring(), ACCOUNT, key.hex) else key.hex
        write_private_file(self.file, content.encode("ascii") + b"\n")
        return key

    def _from_keyring(self) -> str:
        keyring = self._keyring()
        if keyring is None:
            raise SecretsError(say("watermark.key.no_keyring_here", path=self.file))
        try:
            value = keyring.get_password(SERVICE, ACCOUNT)
        except Exception as problem:  # backends raise what they like
            raise SecretsError(say("watermark.key.keyring_failed", reason=problem)) from problem
        if value is None:
            raise SecretsError(say("watermark.key.gone_from_keyring", path=self.file))
        return value


def key_from_file(path: Path) -> Key:
    """A key from a file of 64 hex digits.

    Raises:
        SecretsError: it cannot be read or is none.
    """
    try:
        return Key.from_hex(OWN, path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError, BadKey) as problem:
        raise SecretsError(say("watermark.key.not_a_key", path=path, reason=problem)) from problem
