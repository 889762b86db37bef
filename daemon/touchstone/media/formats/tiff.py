"""TIFF 6.0: size, text fields and XMP of the first directory."""

from __future__ import annotations

from .bounded import MAX_VALUE, Reading
from .exif import IMAGE_HEIGHT, IMAGE_WIDTH, tag_exif

SIGNATURES = (b"II*\0", b"MM\0*")


def read_tiff(reading: Reading) -> None:
    """Read the directories in the first megabytes; one behind a large file's picture data is missed."""
    container = reading.container
    container.format, container.mime, container.codec = "tiff", "image/tiff", "tiff"
    numbers = tag_exif(reading, reading.bytes_at(0, MAX_VALUE))
    container.width, container.height = numbers.get(IMAGE_WIDTH), numbers.get(IMAGE_HEIGHT)
