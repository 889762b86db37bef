"""What one piece of metadata claims, and the shape of a rule that recognises it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...media.container import Container, Tag
from ...messages import say
from ...verdict import Evidence, Supports

MAX_SHOWN = 500  # characters of a raw value that go into the evidence
MAX_NAME = 80  # characters of a generator's name as a file spells it

# Places where a key names its value, whatever the container.
PNG_TEXT = frozenset({"png:tEXt", "png:iTXt", "png:zTXt", "png:comf"})
NAMED_TEXT = PNG_TEXT | {"mdta", "mkv:Tag", "riff:INFO", "flv:onMetaData", "ogg:comment"}
EXIF = frozenset({"exif"})
XMP = frozenset({"xmp"})

# Where containers keep a free comment or description: (place, key in small letters).
COMMENTS = frozenset(
    {("mdir", "©cmt"), ("mdir", "desc"), ("mdir", "©des"), ("qt:udta", "©cmt"), ("riff:INFO", "icmt")}
    | {("exif", "0x9286"), ("jpeg:COM", "comment"), ("gif:comment", "comment")}
    | {(place, key) for place in NAMED_TEXT for key in ("comment", "description", "usercomment")}
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """What one tag says about the clip.

    Attributes:
        finding: name of the message `labels.finding.<finding>`.
        claimed_by: name of the message `labels.claimed_by.<claimed_by>`: who claims it.
        supports: what the claim speaks for.
        certainty: `stated`, `possible` or `suspected`, in the meaning of GB 45438-2025.
        generator: the model or service that the claim names.
        names: what the finding's message needs.
        details: more that a person may want to see, as it stands in the file.
    """

    finding: str
    claimed_by: str
    supports: Supports = Supports.AI
    certainty: str = "stated"
    generator: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def evidence(self, tag: Tag, rule: str) -> Evidence:
        """The claim as evidence of the examiner `labels`: never verified, never measured."""
        details: dict[str, Any] = {
            "rule": rule,
            "claimed_by": say(f"labels.claimed_by.{self.claimed_by}"),
            "place": tag.place,
            "key": tag.key,
            "value": shown(tag.value),
            **{name: _sendable(value) for name, value in self.details.items()},
        }
        if self.supports is not Supports.NEITHER:
            details["certainty"] = self.certainty
        if self.generator:
            details["generator"] = _sendable(self.generator)
        return Evidence(
            examiner="labels",
            finding=say(f"labels.finding.{self.finding}", **{k: _sendable(v) for k, v in self.names.items()}),
            supports=self.supports,
            details=details,
        )


@dataclass(frozen=True)
class Rule:
    """One kind of label: where it may stand, and what reads it.

    Attributes:
        name: stable, for the evidence's details and the documentation.
        applies: whether a tag stands where this label belongs.
        read: what the tag claims; None for a tag that only looks alike.
    """

    name: str
    applies: Callable[[Tag], bool]
    read: Callable[[Tag, Container], Claim | None]


def shown(value: str | bytes) -> str:
    """A raw value as text for people, at most `MAX_SHOWN` characters."""
    text = value[: MAX_SHOWN + 1] if isinstance(value, str) else value[:MAX_SHOWN].hex()
    return str(_sendable(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"))


def _sendable(value: Any) -> Any:
    """Text that can be sent as UTF-8: JSON may escape half a character (a lone surrogate)."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode("utf-8")
    return [_sendable(entry) for entry in value] if isinstance(value, list) else value


def text(tag: Tag) -> str:
    """A tag's value as text; empty for bytes."""
    return tag.value.strip() if isinstance(tag.value, str) else ""


def at(places: frozenset[str], *keys: str) -> Callable[[Tag], bool]:
    """Whether a tag stands in one of the places under one of the keys; Matroska writes keys in capitals."""
    wanted = frozenset(key.casefold() for key in keys)
    return lambda tag: tag.place in places and tag.key.casefold() in wanted


def any_of(*tests: Callable[[Tag], bool]) -> Callable[[Tag], bool]:
    """Whether one of the tests holds."""
    return lambda tag: any(test(tag) for test in tests)


def is_comment(tag: Tag) -> bool:
    """Whether a tag is a free comment or description."""
    return (tag.place, tag.key.casefold()) in COMMENTS


def first(container: Container, applies: Callable[[Tag], bool]) -> str:
    """The text of the first tag that passes; empty without one."""
    return next((text(tag) for tag in container.tags if applies(tag) and text(tag)), "")


def parsed(value: str | bytes) -> Any:
    """A JSON value, or None: writers wrap it in byte-order marks, NULs and blanks.

    Python's reader also takes NaN and Infinity, which ComfyUI writes for changed widgets.
    """
    if not isinstance(value, str):
        return None
    try:
        return json.loads(value.strip("\ufeff\0 \t\r\n"))
    except (ValueError, RecursionError):  # broken, or nested to the interpreter's limit
        return None


def scalar(value: object) -> str:
    """Text or a whole number as text; empty for every other JSON value."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def parsed_object(value: str | bytes) -> dict[str, Any] | None:
    """A JSON object, or None."""
    found = parsed(value)
    return found if isinstance(found, dict) else None
