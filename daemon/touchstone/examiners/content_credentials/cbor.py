"""CBOR (RFC 8949), as much as COSE signatures and C2PA assertions need, from hostile bytes.

Definite and indefinite lengths, no floats wider than needed to skip them. Every count and depth is bounded,
and a map with a repeated key is refused: two readers must never see two different values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 32
MAX_ITEMS = 50_000


class BadCbor(ValueError):
    """The bytes are no CBOR that is read here."""


@dataclass(frozen=True)
class Tagged:
    """A tagged item (major type 6)."""

    tag: int
    value: Any


def decode(data: bytes) -> Any:
    """The first item in `data`: int, bytes, str, list, dict, `Tagged`, bool or None. Bytes after it are
    ignored.

    Raises:
        BadCbor: malformed, too deep or too large.
    """
    try:
        return _Reader(data).item(0)
    except _Break as problem:
        raise BadCbor("a stop code where nothing began") from problem


class _Break(Exception):
    """The stop code of an item of indefinite length."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.items = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise BadCbor("ends in the middle of an item")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def item(self, depth: int) -> Any:
        self.items += 1
        if depth > MAX_DEPTH or self.items > MAX_ITEMS:
            raise BadCbor("nested too deep or too many items")
        head = self.take(1)[0]
        major, info = head >> 5, head & 31
        if major == 7:
            return self.simple(info)
        length = self.length(info)
        if major in (0, 1):
            if length is None:
                raise BadCbor("an integer of indefinite length")
            return length if major == 0 else -1 - length
        if major in (2, 3):
            return self.string(major, length, depth)
        if major == 4:
            return self.array(length, depth)
        if major == 5:
            return self.mapping(length, depth)
        if length is None:
            raise BadCbor("a tag of indefinite length")
        return Tagged(length, self.item(depth + 1))

    def length(self, info: int) -> int | None:
        if info < 24:
            return info
        if info < 28:
            return int.from_bytes(self.take(1 << (info - 24)), "big")
        if info == 31:
            return None
        raise BadCbor(f"reserved length {info}")

    def simple(self, info: int) -> Any:
        match info:
            case 20 | 21:
                return info == 21
            case 22 | 23:
                return None
            case 31:
                raise _Break
            case 24 | 25 | 26 | 27:
                self.take(1 << (info - 24))  # a float or an unassigned simple value: nobody here asks for it
                return None
        raise BadCbor(f"reserved simple value {info}")

    def string(self, major: int, length: int | None, depth: int) -> bytes | str:
        if length is not None:
            raw = self.take(length)
        else:
            parts: list[bytes] = []
            for part in self.until_break(depth):
                if not isinstance(part, bytes if major == 2 else str):
                    raise BadCbor("a string whose parts are of another kind")
                parts.append(part if isinstance(part, bytes) else part.encode())
            raw = b"".join(parts)
        if major == 2:
            return raw
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise BadCbor("text that is not UTF-8") from problem

    def array(self, length: int | None, depth: int) -> list[Any]:
        if length is None:
            return self.until_break(depth)
        if length > len(self.data) - self.at:
            raise BadCbor("an array longer than the bytes that are left")
        return [self.child(depth) for _ in range(length)]

    def mapping(self, length: int | None, depth: int) -> dict[Any, Any]:
        if length is None:
            flat = self.until_break(depth)
        elif 2 * length > len(self.data) - self.at:
            raise BadCbor("a map longer than the bytes that are left")
        else:
            flat = [self.child(depth) for _ in range(2 * length)]
        if len(flat) % 2:
            raise BadCbor("a map with a key and no value")
        result: dict[Any, Any] = {}
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if not isinstance(key, int | str | bytes):
                raise BadCbor("a map key that is neither number nor text nor bytes")
            if key in result:
                raise BadCbor(f"the map key {key!r} twice")
            result[key] = value
        return result

    def child(self, depth: int) -> Any:
        try:
            return self.item(depth + 1)
        except _Break as problem:
            raise BadCbor("a stop code inside a definite length") from problem

    def until_break(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while True:
            try:
                items.append(self.item(depth + 1))
            except _Break:
                return items
