"""The host's first message, made without anything that is slow to import."""

from __future__ import annotations

from typing import Any

from .. import __version__

PROTOCOL = 1
"""The same as native_messages.PROTOCOL, whose module takes pydantic to import; a test holds them together."""


def state_message(state: str, daemon_version: str | None = None, reason: str | None = None) -> dict[str, Any]:
    """The `state` message; fields without a value are left out."""
    about = {"daemon_version": daemon_version, "reason": reason}
    return {
        "type": "state",
        "protocol": PROTOCOL,
        "host_version": __version__,
        "daemon": state,
        **{name: value for name, value in about.items() if value is not None},
    }
