"""TikTok's label, as it stands in files that TikTok serves (docs/labels.md)."""

from __future__ import annotations

from ...media.container import Container, Tag
from ...verdict import Supports
from .claims import NAMED_TEXT, Claim, at, parsed_object, scalar

is_label = at(NAMED_TEXT | {"mdir", "qt:udta"}, "aigc_info", "com.apple.iTunes:aigc_info", "©inf")

# aigc_label_type: 1 set by who uploaded it, 2 by TikTok: recognised, or read from Content Credentials.
FINDINGS = {"1": "tiktok_creator", "2": "tiktok_platform"}
NO_LABEL = "0"


def read_label(tag: Tag, _: Container) -> Claim | None:
    """`{"aigc_label_type": 1}`."""
    fields = parsed_object(tag.value)
    if fields is None or "aigc_label_type" not in fields:
        named = "aigc_info" in tag.key.casefold()  # ©inf is anybody's
        return Claim("tiktok_unreadable", "tiktok", Supports.NEITHER) if named else None
    value = scalar(fields["aigc_label_type"])
    if value == NO_LABEL:
        return None
    if value not in FINDINGS:
        return Claim("tiktok_unreadable", "tiktok", Supports.NEITHER)
    return Claim(FINDINGS[value], "tiktok", details={"label": value})
