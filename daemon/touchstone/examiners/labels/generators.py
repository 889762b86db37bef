"""Generators that put their own name where a file names the software or device that made it.

Only names that stand for nothing but a generator are here, and only from the beginning of the value: editors
and encoders, whose names stand in the same fields, say nothing about AI.
"""

from __future__ import annotations

import re
from uuid import UUID

from ...media.container import Container, Tag
from ...verdict import Supports
from .claims import EXIF, NAMED_TEXT, PNG_TEXT, XMP, Claim, any_of, at, first, is_comment, text

SOFTWARE_NAMES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"kling\s?ai\b", "Kling"),
        (r"ideogram\s?ai\b", "Ideogram"),
        (r"luma\s?ai\b", "Luma"),
        (r"black forest labs\b", "FLUX (Black Forest Labs)"),
        (r"midjourney\b", "Midjourney"),
        (r"adobe firefly\b", "Adobe Firefly"),
        (r"dall[·\-. ]?e\b", "DALL·E"),
        (r"novelai\b", "NovelAI"),
        (r"stable[ -]?diffusion\b", "Stable Diffusion"),
        (r"dreamstudio\b", "DreamStudio"),
        (r"leonardo\.ai\b", "Leonardo.Ai"),
        (r"nightcafe\b", "NightCafe"),
        (r"hailuo\s?ai\b", "Hailuo (MiniMax)"),
        (r"image creator from (microsoft )?designer\b", "Microsoft Designer"),
        (r"apple image playground\b", "Apple Image Playground"),
        (r"fooocus\b", "Fooocus"),
    )
)
EXIF_DESCRIPTION, EXIF_MAKE, EXIF_MODEL, EXIF_SOFTWARE, EXIF_ARTIST = (
    "0x010e",
    "0x010f",
    "0x0110",
    "0x0131",
    "0x013b",
)
XMP_CREATOR_TOOL = "{http://ns.adobe.com/xap/1.0/}CreatorTool"

is_software = any_of(
    at(EXIF, EXIF_MAKE, EXIF_SOFTWARE),
    at(
        XMP,
        XMP_CREATOR_TOOL,
        "{http://ns.adobe.com/tiff/1.0/}Software",
        "{http://ns.adobe.com/tiff/1.0/}Make",
    ),
    at(PNG_TEXT, "Software", "Source"),
)
is_exif_software = at(EXIF, EXIF_SOFTWARE)
is_description = any_of(
    is_comment,
    at(EXIF, EXIF_DESCRIPTION),
    at(XMP, "{http://purl.org/dc/elements/1.1/}description"),
)
is_artist = any_of(at(EXIF, EXIF_ARTIST), at(XMP, "{http://purl.org/dc/elements/1.1/}creator"))
is_sei = at(frozenset({"sei"}), "91ca60614aee385486142d5f73f4ae2e")
is_job = at(NAMED_TEXT, "hf-job-id")

# FLUX's own scripts (black-forest-labs/flux, demo_gr.py).
FLUX_SOFTWARE = re.compile(r"AI generated\b.*", re.IGNORECASE | re.DOTALL)
# Midjourney ends a picture's description with its job's id.
MIDJOURNEY_JOB = re.compile(
    r".*\bJob ID: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.?", re.IGNORECASE | re.DOTALL
)
# xAI: a signature over the picture, and the picture's id as artist.
GROK_SIGNATURE = re.compile(r"Signature: [A-Za-z0-9+/]{64,}={0,2}")


def software_name(value: str) -> str | None:
    """The generator that a software or device field names, by its beginning."""
    return next((name for pattern, name in SOFTWARE_NAMES if pattern.match(value)), None)


def named_by_software(container: Container) -> str | None:
    """The generator that any software field names, or Midjourney by its job's id."""
    for tag in container.tags:
        if is_software(tag) and (name := software_name(text(tag))):
            return name
    for tag in container.tags:
        if is_description(tag) and MIDJOURNEY_JOB.fullmatch(text(tag)):
            return "Midjourney"
    return None


def read_software(tag: Tag, _: Container) -> Claim | None:
    """A software or device field that names a generator."""
    name = software_name(text(tag))
    return Claim("software", "software", generator=name, names={"name": name}) if name else None


def read_flux(tag: Tag, container: Container) -> Claim | None:
    """`AI generated;txt2img;flux` as Exif software."""
    value = text(tag)
    if not FLUX_SOFTWARE.fullmatch(value):
        return None
    flux = (
        "flux" in value.casefold() or "black forest labs" in first(container, at(EXIF, EXIF_MAKE)).casefold()
    )
    return Claim("exif_ai_generated", "software", generator="FLUX (Black Forest Labs)" if flux else None)


def read_midjourney(tag: Tag, _: Container) -> Claim | None:
    """A description that ends with a Midjourney job."""
    if not MIDJOURNEY_JOB.fullmatch(text(tag)):
        return None
    return Claim("midjourney", "description", generator="Midjourney")


def read_grok(tag: Tag, container: Container) -> Claim | None:
    """The pair that xAI writes: either alone is something that other software writes too."""
    if not GROK_SIGNATURE.fullmatch(text(tag)) or not _is_uuid(first(container, is_artist)):
        return None
    return Claim("grok", "grok", generator="Grok (xAI)")


def _is_uuid(value: str) -> bool:
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def read_kling(tag: Tag, _: Container) -> Claim | None:
    """The user data message that Kling's encoder puts into the first access unit."""
    value = tag.value.encode() if isinstance(tag.value, str) else tag.value
    if not value.startswith(b"kling-ai"):
        return None
    return Claim("kling_sei", "kling", generator="Kling")


def read_job(tag: Tag, _: Container) -> Claim | None:
    """A Hugging Face job: says where a picture was made, not that a model made it."""
    return Claim("hf_job", "job", Supports.NEITHER)
