"""What the tests of Content Credentials share: an authority, its signers, a plain clip, and a way to look."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from signing import Authority, Part, Pin, Signer, make_authority, make_signer, sign, write_pins
from touchstone.examiners import Clip
from touchstone.examiners.content_credentials import ContentCredentials
from touchstone.media.container import Container
from touchstone.sample import draw_clip
from touchstone.trust import Trust
from touchstone.verdict import Evidence

MIMES = {
    ".mp4": "video/mp4",
    ".m4v": "video/x-m4v",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".mkv": "video/x-matroska",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".tiff": "image/tiff",
}


def container(path: Path) -> Container:
    """What the probe says of a file, as far as this examiner asks: its kind."""
    return Container(format=path.suffix[1:], mime=MIMES.get(path.suffix, "application/octet-stream"))


def look(path: Path, trust: Trust, **more: Any) -> list[Evidence]:
    """All evidence of one file."""
    with path.open("rb") as file:
        clip = Clip(file, path.stat().st_size, container(path), **more)
        return list(ContentCredentials(trust).examine(clip))


def look_at_bytes(data: bytes, trust: Trust, mime: str = "video/mp4") -> list[Evidence]:
    """All evidence in some bytes."""
    file: BinaryIO = io.BytesIO(data)
    return list(ContentCredentials(trust).examine(Clip(file, len(data), Container("mp4", mime))))


def only(found: Sequence[Evidence]) -> Evidence:
    """The one piece of evidence that there has to be."""
    (evidence,) = found
    return evidence


@dataclass
class Workshop:
    """A folder with a plain clip, and authorities of which `root` is pinned for everything."""

    folder: Path
    plain: Path
    root: Authority
    maker: Signer
    trust: Trust

    @classmethod
    def set_up(cls, folder: Path) -> Workshop:
        plain = folder / "plain.mp4"
        draw_clip(plain, width=64, height=48, seconds=0.2)
        root = make_authority()
        maker = make_signer(make_authority(name="Test Issuer", under=root))
        pins = write_pins(folder / "pins.toml", Pin(root.certificate, may=("ai", "edit", "camera")))
        return cls(folder, plain, root, maker, Trust(pins=pins))

    def trusting(self, *pins: Pin) -> Trust:
        """A policy with these pins alone."""
        number = len(list(self.folder.glob("pins-*.toml")))
        return Trust(pins=write_pins(self.folder / f"pins-{number}.toml", *pins))

    def signed(
        self,
        definition: dict[str, Any],
        *,
        by: Signer | None = None,
        source: Path | None = None,
        parts: Sequence[Part] = (),
        **more: Any,
    ) -> Path:
        """A new signed file, by the maker and from the plain clip if nothing else is said."""
        start = source or self.plain
        number = len(list(self.folder.glob("signed-*")))
        target = self.folder / f"signed-{number}{start.suffix}"
        mime = MIMES[start.suffix]
        return sign(start, target, definition, by or self.maker, mime=mime, parts=parts, **more)
