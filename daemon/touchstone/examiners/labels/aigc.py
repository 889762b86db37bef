"""The AIGC label of GB 45438-2025, which services in China write into what their models make.

Sources: GB 45438-2025 annex E (fields, values 1, 2, 3 of `Label`); TC260-PG-20257A (places in video files),
TC260-PG-20259A (places in pictures); producers' codes as seen in files (docs/labels.md).
"""

from __future__ import annotations

import html
import re
from typing import Any

from ...media.container import Container, Tag
from ...verdict import Supports
from .claims import MAX_NAME, NAMED_TEXT, Claim, any_of, at, parsed, parsed_object, scalar, text

NAMESPACE = "{http://www.tc260.org.cn/ns/AIGC/"
FIELDS = frozenset(
    {"ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"}
)

# GB 45438-2025 annex E: made by AI, possibly, suspected (by the platform that spreads it).
CERTAINTY = {"1": "stated", "2": "possible", "3": "suspected"}

# Business code: 001, kind (1: organisation), unified social credit code, five characters of the producer's
# own (TC260 draft on coding service providers). Matched whole: a code is 27 characters or it is none.
CODE = re.compile(r"001[0-9]([0-9A-Z]{18})[0-9A-Z]{5}")
CREDIT_CODES = {
    "91110102MACQD9K640": "Doubao",
    "9144030008867405X2": "Jimeng",
    "91110108335469089C": "Kling",
    "91330106MA2CFLDG4R": "Wan (Tongyi)",
    "91440101MA9Y9T4H7A": "Qwen",
    "91440300708461136T": "Yuanbao",
    "91110000802100433B": "Baidu",
    "91110108MACC4D63XF": "Vidu",
    "91110105MACJ6K1C8A": "LiblibAI",
    "91340100MAEB4N8H76": "RunningHub",
}
# Names that producers write instead of a code, in small letters.
NAMES = {
    "doubao": "Doubao",
    "豆包": "Doubao",
    "jimeng": "Jimeng",
    "即梦": "Jimeng",
    "dreamina": "Dreamina",
    "kling": "Kling",
    "可灵": "Kling",
    "wan": "Wan (Tongyi)",
    "wanx": "Wan (Tongyi)",
    "tongyi": "Wan (Tongyi)",
    "qwen": "Qwen",
    "minimax": "Hailuo (MiniMax)",
    "hailuo": "Hailuo (MiniMax)",
    "vidu": "Vidu",
    "yuanbao": "Yuanbao",
    "picwish": "PicWish",
    "pixverse": "PixVerse",
}
# Kling names its files so; used where the producer is left empty.
KLING_IDS = re.compile(r"SGP_PROD_ai_web_\d{15}|KLingMuse_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_keyed(tag: Tag) -> bool:
    """A place where the label stands under its own name."""
    return _named(tag) or (tag.place == "xmp" and tag.key.startswith(NAMESPACE) and tag.key.endswith("}AIGC"))


_named = any_of(
    at(NAMED_TEXT, "AIGC"),
    at(frozenset({"qt:udta", "jpeg:APP", "mdir"}), "AIGC", "com.apple.iTunes:AIGC"),
)


def is_keyless(tag: Tag) -> bool:
    """A place that has no name for it: an iTunes list (Doubao on iOS), Exif's UserComment (Yuanbao)."""
    return (tag.place == "mdir" and not is_keyed(tag)) or (tag.place, tag.key) == ("exif", "0x9286")


def read_keyed(tag: Tag, _: Container) -> Claim:
    """What stands under the label's name is the label, also when it can't be read."""
    fields = _fields(tag)
    return _claim(fields) if fields is not None else _unreadable()


def read_keyless(tag: Tag, _: Container) -> Claim | None:
    """Without a name the whole value must be a label: text that quotes or mentions one is not."""
    fields = _fields(tag)
    if fields is None or "Label" not in fields or not FIELDS & fields.keys():
        return None
    return _claim(fields)


def _fields(tag: Tag) -> dict[str, Any] | None:
    """The label's JSON object, taken out of an `{"AIGC": ...}` wrapping and of doubly escaped XMP."""
    found = parsed_object(tag.value) or parsed_object(html.unescape(text(tag)))
    if found is not None and "AIGC" in found and "Label" not in found:
        inner = found["AIGC"]
        found = parsed(inner) if isinstance(inner, str) else inner
    return found if isinstance(found, dict) else None


def _claim(fields: dict[str, Any]) -> Claim:
    label = scalar(fields.get("Label"))
    if label not in CERTAINTY:
        return _unreadable()
    producer = scalar(fields.get("ContentProducer"))
    generator = generator_of(producer, scalar(fields.get("ProduceID")))
    details = {"label": label} | ({"producer": producer[:MAX_NAME]} if producer else {})
    propagator = scalar(fields.get("ContentPropagator"))
    if propagator:
        details["propagator"] = propagator[:MAX_NAME]
    return Claim(
        f"aigc_{CERTAINTY[label]}", "aigc", Supports.AI, CERTAINTY[label], generator, details=details
    )


def _unreadable() -> Claim:
    return Claim("aigc_unreadable", "aigc", Supports.NEITHER, details={"unreadable": True})


def generator_of(producer: str, produce_id: str = "") -> str | None:
    """Whose product a producer's code or name stands for; None for one that is not known."""
    if code := CODE.fullmatch(producer):
        return CREDIT_CODES.get(code.group(1))
    if not producer:
        return "Kling" if KLING_IDS.fullmatch(produce_id) else None
    return CREDIT_CODES.get(producer) or NAMES.get(producer.casefold())
