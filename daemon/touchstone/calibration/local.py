"""A calibration made on somebody's own machine: one file for all examiners, with what it was made from.

The file holds counts, never bounds, and is checked when it is read: it names the models that took part by
checksum, and carries a digest of itself, so that an edited file is noticed. `making/` makes one; docs/
calibration.md describes it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from ..messages import say
from ..zoo.evaluation import LEAST_GENERATORS, LEAST_SOURCES, Subject
from . import BadCalibration, Calibration, _Fields
from .marks import Mark, Outcome, judged

SCHEMA: Literal["touchstone.local-calibration/1"] = "touchstone.local-calibration/1"
MAX_FILE = 4 << 20
"""Bytes of a file; one with all marks and ten conditions has 40 KiB."""


class OfClass(_Fields):
    """How many clips and independent sources (of AI-made ones, generators) a class has."""

    clips: int = Field(ge=0)
    sources: int = Field(ge=0)


class Data(_Fields):
    """What a calibration was made from.

    Attributes:
        real, cgi, generated: clips of the three classes, made ones among them.
        marked: copies that were given a mark.
        rendered, reconstructed, made: of those, drawn by the world, passed through an autoencoder, and made
            by the bundled generator.
        trained_on: groups that the detector has met, whose clips say nothing about it.
        unreadable: clips that could not be looked at.
        conditions: by name, how clips were encoded again.
        clips_sha256: of the sorted names of all clips and conditions that were looked at.
        complete: whether all that was planned was measured; false where the time ran out.
    """

    real: OfClass
    cgi: OfClass
    generated: OfClass
    marked: OfClass
    rendered: int = Field(default=0, ge=0)
    reconstructed: int = Field(default=0, ge=0)
    made: int = Field(default=0, ge=0)
    trained_on: int = Field(default=0, ge=0)
    unreadable: int = Field(default=0, ge=0)
    conditions: tuple[str, ...]
    clips_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    complete: bool = True


class LocalCalibration(_Fields):
    """One file.

    Attributes:
        id: date and the start of the digest; scans name it.
        made_at: ISO 8601 date.
        made_by: the command, without folders.
        touchstone: version of the program.
        models: every model that took part.
        data: what it was made from.
        detector: counts of the learned detector; None where nothing was scored.
        detector_refutes: whether they contradict what the shipped calibration claims.
        detector_reason: why it counts or not, in words, as it was when the file was made.
        marks: counts of the marks.
        digest: SHA-256 of all the above.
    """

    schema_: Literal["touchstone.local-calibration/1"] = Field(alias="schema", default=SCHEMA)
    id: str = Field(default="", max_length=40)
    made_at: str
    made_by: str
    touchstone: str
    models: tuple[Subject, ...]
    data: Data
    detector: Calibration | None = None
    detector_refutes: bool = False
    detector_reason: str = ""
    marks: tuple[Mark, ...] = ()
    digest: str = ""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def detector_counts(self) -> bool:
        """Whether the detector is weighed by it: enough sources and generators, or a refutation."""
        if self.detector is None:
            return False
        everything = self.detector.conditions[0]
        enough = everything.sources >= LEAST_SOURCES and everything.generators >= LEAST_GENERATORS
        return enough or self.detector_refutes

    @property
    def changes(self) -> list[str]:
        """What is weighed otherwise than by the shipped calibration: `detector`, and marks by name."""
        changed = ["detector"] if self.detector_counts else []
        for mark in self.marks:
            everything, *parts = (judged(mark.claim, counts).outcome for counts in mark.conditions)
            if everything in (Outcome.REFUTED, Outcome.BETTER) or Outcome.REFUTED in parts:
                changed.append(f"{mark.examiner}: {mark.name}")
        return changed


def sealed(calibration: LocalCalibration) -> LocalCalibration:
    """The same with its id and digest."""
    bare = calibration.model_copy(update={"id": "", "digest": ""})
    named = bare.model_copy(update={"id": f"{bare.made_at}-{_digest(bare)[:8]}"})
    return named.model_copy(update={"digest": _digest(named)})


def _digest(calibration: LocalCalibration) -> str:
    tree = calibration.model_dump(mode="json", by_alias=True)
    tree.pop("digest")
    return hashlib.sha256(json.dumps(tree, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def as_json(calibration: LocalCalibration) -> str:
    """The text of its file."""
    return json.dumps(calibration.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> LocalCalibration:
    """The calibration in a file.

    Raises:
        BadCalibration: there is none, it is of another kind or version, or it was changed by hand.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise BadCalibration(say("calibrate.bad.large", file=path, most=MAX_FILE >> 20))
        tree = json.loads(path.read_bytes())
    except OSError as problem:
        reason = problem.strerror or problem
        raise BadCalibration(say("calibrate.bad.unreadable", file=path, reason=reason)) from problem
    except (ValueError, RecursionError) as problem:
        raise BadCalibration(say("calibrate.bad.not_json", file=path, reason=problem)) from problem
    return parse(tree, path)


def parse(tree: Any, source: Path) -> LocalCalibration:
    """A calibration from the JSON values of its file; see `read`."""
    schema = tree.get("schema") if isinstance(tree, dict) else None
    if schema != SCHEMA:
        raise BadCalibration(say("calibrate.bad.schema", file=source, found=schema, wanted=SCHEMA))
    try:
        found = LocalCalibration.model_validate(tree)
    except ValidationError as problem:
        error = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, error["loc"])) or "file"
        raise BadCalibration(
            say("calibrate.bad.field", file=source, where=where, reason=error["msg"])
        ) from problem
    if found.digest != _digest(found):
        raise BadCalibration(say("calibrate.bad.edited", file=source))
    return found
