"""HKEY_CURRENT_USER, as far as it is used here."""

from __future__ import annotations


class FakeRegistry:
    """Keys and their values; a key is there when it was written or one below it is."""

    def __init__(self, *keys: str) -> None:
        self.values: dict[tuple[str, str], str] = {}
        self.keys = set(keys)

    def exists(self, key: str) -> bool:
        return any(known == key or known.startswith(key + "\\") for known in self.keys)

    def read(self, key: str, name: str = "") -> str | None:
        return self.values.get((key, name))

    def write(self, key: str, value: str, name: str = "") -> None:
        self.keys.add(key)
        self.values[key, name] = value

    def delete_key(self, key: str) -> None:
        self.keys.discard(key)
        self.values = {place: value for place, value in self.values.items() if place[0] != key}

    def delete_value(self, key: str, name: str) -> None:
        self.values.pop((key, name), None)
