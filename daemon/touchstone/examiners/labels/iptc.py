"""IPTC metadata about AI: digital source type, AI system and prompt, and the credit line that Google writes.

Sources: IPTC NewsCodes "digitalsourcetype"; IPTC Photo Metadata 2025.1 and Video Metadata Hub 1.7 (AI System
Used, AI System Version Used, AI Prompt Information, AI Prompt Writer Name).
"""

from __future__ import annotations

import re

from ...media.container import Container, Tag
from ...verdict import Supports
from .claims import MAX_NAME, NAMED_TEXT, XMP, Claim, any_of, at, first, text
from .generators import named_by_software

EXT = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"

# The value as a URI of either vocabulary, as the QCode that news systems write, or bare.
VALUE = re.compile(
    r"(?:https?://(?:www\.)?cv\.iptc\.org/newscodes/digitalsourcetype/"
    r"|https?://(?:www\.)?c2pa\.org/digitalsourcetype/"
    r"|digsrctype:|digitalsourcetype:)?([a-z]+)/?",
    re.IGNORECASE,
)
MADE_BY_AI = frozenset({"trainedalgorithmicmedia", "trainedalgorithmicdata"})
PARTLY_AI = frozenset({"compositewithtrainedalgorithmicmedia", "compositesynthetic"})
CAMERA = frozenset({"digitalcapture", "computationalcapture", "negativefilm", "positivefilm", "print"})

is_source_type = any_of(
    at(XMP, f"{EXT}DigitalSourceType"),
    at(NAMED_TEXT, "DigitalSourceType", "Iptc4xmpExt:DigitalSourceType", "XMP-iptcExt:DigitalSourceType"),
)
is_system = at(XMP, f"{EXT}AISystemUsed")
is_about_ai = any_of(
    is_system,
    at(XMP, f"{EXT}AIPromptInformation", f"{EXT}AIPromptWriterName", f"{EXT}AISystemVersionUsed"),
)
is_credit = any_of(at(XMP, f"{PHOTOSHOP}Credit"), at(frozenset({"iptc"}), "2:110"))
GOOGLE_CREDIT = re.compile(r"(made|edited|created) with google ai", re.IGNORECASE)


def source_type(value: str) -> str | None:
    """The term of a digital source type in small letters; None for what is no such value."""
    found = VALUE.fullmatch(value.strip())
    return found.group(1).lower() if found else None


def read_source_type(tag: Tag, container: Container) -> Claim | None:
    """Digital source type. A camera claim without a signature is worth nothing, and is said to be that."""
    value = text(tag)
    if not value:
        return None
    term = source_type(value)
    if term in MADE_BY_AI:
        return Claim("iptc_ai", "iptc", Supports.AI, generator=generator_beside(container))
    if term in PARTLY_AI:
        return Claim("iptc_edited", "iptc", Supports.EDITED, generator=generator_beside(container))
    if term in CAMERA:
        return Claim("iptc_camera", "iptc", Supports.NEITHER, details={"claims_camera": True})
    shown = value.rstrip("/").rpartition("/")[2][:MAX_NAME]
    return Claim("iptc_other", "iptc", Supports.NEITHER, names={"term": shown})


def read_about_ai(tag: Tag, container: Container) -> Claim | None:
    """A named AI system or prompt: AI was used, for all of it unless the source type says for parts."""
    if not text(tag):
        return None
    finding = "iptc_system" if is_system(tag) else "iptc_prompt"
    names = {"system": text(tag)[:MAX_NAME]} if is_system(tag) else {}
    return Claim(finding, "iptc", _extent(container), generator=generator_beside(container), names=names)


def read_credit(tag: Tag, container: Container) -> Claim | None:
    """The credit line of Google's image and video tools, whole."""
    found = GOOGLE_CREDIT.fullmatch(text(tag).rstrip("."))
    if not found:
        return None
    supports = Supports.EDITED if found.group(1).lower() == "edited" else _extent(container)
    finding = "credit_edited" if supports is Supports.EDITED else "credit_ai"
    return Claim(finding, "credit", supports, generator="Google AI")


def _extent(container: Container) -> Supports:
    terms = {source_type(text(tag)) for tag in container.tags if is_source_type(tag)}
    return Supports.EDITED if terms & PARTLY_AI and not terms & MADE_BY_AI else Supports.AI


def generator_beside(container: Container) -> str | None:
    """The generator that the rest of the metadata names, for a claim that names none."""
    if system := first(container, is_system):
        return system[:MAX_NAME]
    if GOOGLE_CREDIT.fullmatch(first(container, is_credit).rstrip(".")):
        return "Google AI"
    return named_by_software(container)
