"""Domain types of a scan: the pydantic models that `touchstone.scan/1` is made of.

They are the single source of the wire format: the OpenAPI document and the extension's TypeScript types are
generated from them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Literal["touchstone.scan/1"] = "touchstone.scan/1"


class Label(StrEnum):
    """What is said about a video."""

    AI_GENERATED = "ai_generated"
    AI_EDITED = "ai_edited"
    CAMERA_ORIGINAL = "camera_original"
    NO_SIGNS = "no_signs"
    INCONCLUSIVE = "inconclusive"
    UNREADABLE = "unreadable"


class Basis(StrEnum):
    """The kind of evidence a verdict rests on, strongest first."""

    SIGNED = "signed"
    DECLARED = "declared"
    WATERMARK = "watermark"
    VISIBLE_MARK = "visible_mark"
    DETECTOR = "detector"
    NONE = "none"


class Strength(StrEnum):
    """How strongly the evidence supports the label.

    The words for measured evidence follow the ENFSI verbal scale for likelihood ratios:
    1-10 limited, 10-100 moderate, 100-10,000 strong, above that very strong.
    `verified` is kept for valid signatures by a trusted signer.
    """

    VERIFIED = "verified"
    VERY_STRONG = "very_strong"
    STRONG = "strong"
    MODERATE = "moderate"
    LIMITED = "limited"
    NONE = "none"


class Supports(StrEnum):
    """What a piece of evidence speaks for."""

    AI = "ai"
    EDITED = "edited"
    CAMERA = "camera"
    NEITHER = "neither"


class SourceKind(StrEnum):
    """How the video reached Touchstone."""

    URL = "url"
    FILE = "file"
    UPLOAD = "upload"
    FRAMES = "frames"


class Model(BaseModel):
    """Base of all wire types: unknown fields are an error, instances do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_enum_values=False)


class Span(Model):
    """A stretch of the clip, in seconds from its start, and what was measured there."""

    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    score: float | None = None


class Evidence(Model):
    """One finding of one examiner.

    `log10_lr` is a measured log10 likelihood ratio (positive: supports AI) or null where nothing was
    measured. `verified` is true only for a valid signature by a trusted signer.
    """

    examiner: str
    finding: str
    supports: Supports
    log10_lr: float | None = None
    verified: bool = False
    details: dict[str, Any] = Field(default_factory=dict)
    spans: list[Span] = Field(default_factory=list)
    took_ms: float = Field(default=0, ge=0)


class Source(Model):
    """Where the video came from and what its container says about it. Unknown fields are null.

    `problem` is the stable code of why its bytes could not be had (docs/threat-model.md, "How it ends"); null
    where they could.
    """

    kind: SourceKind
    url: str | None = None
    name: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    container: str | None = None
    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration_s: float | None = None
    problem: str | None = None


class Verdict(Model):
    """What can honestly be said, in a label, its basis, its strength and a sentence."""

    label: Label
    basis: Basis = Basis.NONE
    strength: Strength = Strength.NONE
    probability: float | None = Field(default=None, ge=0, le=1)
    generator: str | None = None
    headline: str


class ModelUse(Model):
    """Which model file took part, where it ran (onnxruntime's name of it), and for how long in all.

    `sha256` is of the file; null where the model is no file of its own.
    """

    version: str
    variant: str
    provider: str
    sha256: str | None = None
    ms: float = Field(default=0, ge=0)


class Seen(Model):
    """How much of the clip was looked at by those who need pictures.

    `runs` short runs of consecutive frames, `frames` in all, between `first_s` and `last_s`; `ended` says why
    there were fewer than `runs_wanted`.
    """

    runs: int = Field(ge=0)
    runs_wanted: int = Field(ge=0)
    frames: int = Field(ge=0)
    first_s: float | None = None
    last_s: float | None = None
    ended: str | None = None


class Scan(Model):
    """One scan from end to end: `touchstone.scan/1`."""

    schema_: Annotated[Literal["touchstone.scan/1"], Field(alias="schema")] = SCHEMA
    id: str
    source: Source
    verdict: Verdict
    evidence: list[Evidence] = Field(default_factory=list)
    checked: list[str] = Field(default_factory=list)
    skipped: dict[str, str] = Field(default_factory=dict)
    models: dict[str, ModelUse] = Field(default_factory=dict)
    seen: Seen | None = None
    calibration: str | None = None
    took_ms: float = Field(default=0, ge=0)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
