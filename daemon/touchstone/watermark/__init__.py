"""Touchstone's own video watermark: put it into frames, and find it again after other people's encoders.

`key` holds what is secret, `payload` the message and its error correction, `carrier` the pattern, `embedding`
puts that into pictures, `sight` looks at pictures, `detection` decides by a bound that holds for any picture,
and `geometry` finds frames that were cropped or turned. docs/watermark.md explains the design.

For pipelines that make videos three functions are enough: `mark_frames`, `mark_file` and `read_frames`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .key import WELL_KNOWN, Key

if TYPE_CHECKING:
    from .payload import Statement
    from .pictures import mark_file, mark_frames, read_frames
    from .reading import MarkRead

__all__ = ["WELL_KNOWN", "Key", "MarkRead", "Statement", "mark_file", "mark_frames", "read_frames"]

# Loaded when they are asked for: they bring numpy, and the daemon, which knows keys only, does without.
_LATER = {
    "MarkRead": ".reading",
    "Statement": ".payload",
    "mark_file": ".pictures",
    "mark_frames": ".pictures",
    "read_frames": ".pictures",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name], __name__), name)
