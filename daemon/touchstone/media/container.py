"""What a container says about its video without decoding it.

Pure-Python readers that walk boxes, elements and chunks of a seekable file. They read headers, never
media data, and bound every length, count and depth: the bytes are hostile.
"""

from __future__ import annotations

from dataclasses import dataclass, field


class NotMedia(Exception):
    """The bytes are no video or image that Touchstone reads. The text says what they look like instead."""


class CannotDecode(Exception):
    """No picture of a clip can be had. The text is the reason, in words."""


@dataclass(frozen=True)
class Tag:
    """One piece of metadata as it stands in the file.

    Attributes:
        place: where it was found: `mdta`, `mdir`, `xmp`, `exif`, `png:tEXt`, `riff:INFO`, `mkv:Tag`,
            `flv:onMetaData`, `sei`, `qt:udta`, ...
        key: its name there (for XMP namespace and local name `{ns}name`, for EXIF `0x010f`, for an SEI its
            UUID as hex).
        value: text where the format says it is text, bytes otherwise.
    """

    place: str
    key: str
    value: str | bytes


@dataclass
class Container:
    """What was read from one file."""

    format: str  # mp4, mov, m4v, mkv, webm, avi, flv, png, jpeg, webp, gif, avif, heic, ...
    mime: str
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration_s: float | None = None
    tags: list[Tag] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # what could not be read, in words
