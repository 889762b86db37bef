"""Tokens for a worker: one that opens nothing at all, and one to start up with.

A process that opens nothing can't start either. So, as in browsers, it gets the empty token, and its first
thread a fuller one on loan, which it gives back (`RevertToSelf`) once everything is loaded. Source:
"Restricted Tokens" and "Mandatory Integrity Control" in the Windows documentation; Chromium,
docs/design/sandbox.md.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from . import structures as win
from .api import Api

NOBODY = "S-1-0-0"  # the null SID, which no object grants anything
LOW, UNTRUSTED = "S-1-16-4096", "S-1-16-0"  # integrity levels


class Tokens:
    """The two tokens of one worker, made from the daemon's own. Use as a context: they are closed behind it.

    Attributes:
        empty: user and groups for denials only, restricted to `NOBODY`, low integrity, no privileges.
        restricted: the daemon's own rights without privileges, low integrity.
        loan: the daemon's own rights, restricted to its own groups, since a process with a restricted token
            can only be lent a restricted one; low integrity.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._open: list[int] = []
        try:
            own = self._keep("OpenProcessToken", api.value("GetCurrentProcess"), win.TOKEN_EVERYTHING_ASKED)
            user, groups = self._sids(own, win.TOKEN_USER), self._sids(own, win.TOKEN_GROUPS)
            # The buffers that the SIDs lie in have to live until the tokens are made.
            with _sid(api, NOBODY) as nobody:
                self.empty = self._restricted(own, denied=user.sids + groups.sids, restricting=[nobody])
            self.restricted = self._restricted(own, denied=[], restricting=[])
            primary = self._restricted(own, denied=[], restricting=user.sids + groups.sids)
            for token in (self.empty, self.restricted, primary):
                set_integrity(api, token, LOW)
            self.loan = self._keep(
                "DuplicateTokenEx",
                primary,
                win.TOKEN_IMPERSONATE | win.TOKEN_QUERY | win.TOKEN_DUPLICATE,
                None,
                win.SECURITY_IMPERSONATION,
                win.TOKEN_TYPE_IMPERSONATION,
            )
        except OSError:
            self.close()
            raise

    def __enter__(self) -> Tokens:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all handles."""
        while self._open:
            self._api.call("CloseHandle", self._open.pop())

    def _keep(self, function: str, *arguments: object) -> int:
        """Call a function whose last argument receives a handle, and remember the handle."""
        handle = ctypes.c_void_p()
        self._api.call(function, *arguments, ctypes.byref(handle))
        self._open.append(handle.value or 0)
        return handle.value or 0

    def _restricted(self, token: int, *, denied: Sequence[int], restricting: Sequence[int]) -> int:
        return self._keep(
            "CreateRestrictedToken",
            token,
            win.DISABLE_MAX_PRIVILEGE,
            len(denied),
            win.array_of(denied),
            0,
            None,
            len(restricting),
            win.array_of(restricting),
        )

    def _sids(self, token: int, kind: int) -> Sids:
        needed = ctypes.c_uint32()
        self._api.value("GetTokenInformation", token, kind, None, 0, ctypes.byref(needed))
        buffer = ctypes.create_string_buffer(max(needed.value, ctypes.sizeof(win.GroupsHead)))
        size = len(buffer)
        self._api.call("GetTokenInformation", token, kind, buffer, size, ctypes.byref(needed))
        return Sids(buffer, kind)


class Sids:
    """SIDs in what GetTokenInformation wrote, without the integrity level's, which is none to restrict by.

    Args:
        buffer: TOKEN_USER or TOKEN_GROUPS; kept, since the SIDs lie in it.
        kind: which.
    """

    def __init__(self, buffer: ctypes.Array[ctypes.c_char], kind: int) -> None:
        self.buffer = buffer
        if kind == win.TOKEN_USER:
            entries = [win.SidAndAttributes.from_buffer(buffer)]
        else:
            count = min(win.GroupsHead.from_buffer(buffer).count, len(buffer) // 16)
            array = win.SidAndAttributes * count
            entries = list(array.from_buffer(buffer, win.GroupsHead.first.offset)) if count else []
        self.sids: list[int] = [e.sid for e in entries if e.sid and not e.attributes & win.GROUP_INTEGRITY]


def set_integrity(api: Api, token: int, level: str) -> None:
    """Lower a token's integrity level.

    Raises:
        OSError: the system refused.
    """
    with _sid(api, level) as sid:
        label = win.SidAndAttributes(sid, win.GROUP_INTEGRITY)
        size = ctypes.sizeof(label) + api.value("GetLengthSid", sid)
        api.call("SetTokenInformation", token, win.TOKEN_INTEGRITY_LEVEL, ctypes.byref(label), size)


@contextmanager
def _sid(api: Api, text: str) -> Iterator[int]:
    found = ctypes.c_void_p()
    api.call("ConvertStringSidToSidW", text, ctypes.byref(found))
    try:
        yield found.value or 0
    finally:
        api.value("LocalFree", found)
