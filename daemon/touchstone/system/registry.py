"""The part of the Windows registry that is used here, behind an interface that a test can stand in for."""

from __future__ import annotations

import sys
from typing import Protocol


class Registry(Protocol):
    """Keys under HKEY_CURRENT_USER; a value is the key's default value."""

    def exists(self, key: str) -> bool: ...
    def read(self, key: str, name: str = "") -> str | None: ...
    def write(self, key: str, value: str, name: str = "") -> None: ...
    def delete_key(self, key: str) -> None: ...
    def delete_value(self, key: str, name: str) -> None: ...


if sys.platform == "win32":
    import winreg

    class UserRegistry:
        """HKEY_CURRENT_USER itself."""

        def exists(self, key: str) -> bool:
            """Whether the key is there."""
            try:
                winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CURRENT_USER, key))
            except FileNotFoundError:
                return False
            return True

        def read(self, key: str, name: str = "") -> str | None:
            """A value as text, or None."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as handle:
                    return str(winreg.QueryValueEx(handle, name)[0])
            except FileNotFoundError:
                return None

        def write(self, key: str, value: str, name: str = "") -> None:
            """Set a value; the key is made."""
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as handle:
                winreg.SetValueEx(handle, name, 0, winreg.REG_SZ, value)

        def delete_key(self, key: str) -> None:
            """Delete a key that has no keys below it; none there is no error."""
            try:
                winreg.DeleteKey(winreg.HKEY_CURRENT_USER, key)
            except FileNotFoundError:
                return

        def delete_value(self, key: str, name: str) -> None:
            """Delete one value; none there is no error."""
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE) as handle:
                    winreg.DeleteValue(handle, name)
            except FileNotFoundError:
                return

    def user_registry() -> Registry | None:
        """The registry of this user."""
        return UserRegistry()

else:

    def user_registry() -> Registry | None:
        """There is none on this system."""
        return None
