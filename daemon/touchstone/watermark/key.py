"""Keys: what makes one person's mark another pattern than everybody else's.

All that looks random in a mark (which chip carries what, every sign, the check of the message) is drawn from
the key with SHAKE-256 (FIPS 202), so it is the same on every machine and unrelated to any picture.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEY_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")


class BadKey(ValueError):
    """What was given is no key. The text says what one looks like, never what was given."""


@dataclass(frozen=True)
class Key:
    """A watermark key.

    Attributes:
        name: what people call it: `touchstone` for the well-known one.
        secret: 32 bytes; whoever has them can read the mark, and can also put it into any video.
    """

    name: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise BadKey(f"a watermark key has {KEY_BYTES} bytes, not {len(self.secret)}")

    @classmethod
    def from_hex(cls, name: str, text: str) -> Key:
        """A key from 64 hex digits.

        Raises:
            BadKey: it is anything else.
        """
        if not _HEX.fullmatch(text.strip().lower()):
            raise BadKey("a watermark key is 64 hex digits")
        return cls(name, bytes.fromhex(text.strip()))

    @property
    def hex(self) -> str:
        """The secret as 64 hex digits."""
        return self.secret.hex()

    def stream(self, purpose: str, length: int) -> NDArray[np.uint8]:
        """`(length,) uint8` that only this key gives, different for each purpose."""
        import numpy as np  # only here: the daemon, which hands keys on, does without

        seed = b"touchstone watermark 1\0" + self.secret + purpose.encode("ascii")
        return np.frombuffer(hashlib.shake_256(seed).digest(length), dtype=np.uint8)


WELL_KNOWN = Key("touchstone", hashlib.sha256(b"Touchstone's well-known watermark key, version 1").digest())
"""Marks made with it can be read by every copy of Touchstone, and copied by anyone who can read this."""
