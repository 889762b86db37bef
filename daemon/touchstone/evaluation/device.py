"""Which camera a file says it comes from: what tells sources apart where a folder does not."""

from __future__ import annotations

from collections.abc import Iterable

from ..media.container import Tag

# Makers' keys: Apple's QuickTime metadata (QuickTime File Format, "Metadata"), Android's (MediaMuxer writes
# com.android.*), EXIF 2.32 (0x010f Make, 0x0110 Model), and the user data of older QuickTime files.
_MAKE = ("com.apple.quicktime.make", "com.android.manufacturer", "0x010f", "\xa9mak")
_MODEL = ("com.apple.quicktime.model", "com.android.model", "0x0110", "\xa9mod")
_LONGEST = 80


def device_of(tags: Iterable[Tag]) -> str | None:
    """Maker and model of the camera, as the file's metadata names them; None where it does not."""
    found: dict[str, str] = {}
    for tag in tags:
        for kind, keys in (("make", _MAKE), ("model", _MODEL)):
            if tag.key.casefold() in keys and isinstance(tag.value, str) and tag.value.strip():
                found.setdefault(kind, " ".join(tag.value.split())[:_LONGEST])
    return " ".join(found[kind] for kind in ("make", "model") if kind in found) or None
