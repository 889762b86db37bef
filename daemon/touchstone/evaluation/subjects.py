"""What is evaluated: a detector that comes with the program, one that the user imported, or an ONNX file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..calibration import Calibration, parse
from ..examiners.detector.examiner import UnusableModel, from_settings
from ..examiners.detector.settings import settings, settings_of
from ..messages import say
from ..zoo.bundled import bundled
from ..zoo.entry import Task
from ..zoo.registry import Zoo

DETECTOR = "detector"
IMPORTED = "imported_detectors"


class NoSubject(Exception):
    """There is nothing to evaluate under that name. The text says what there is."""


@dataclass(frozen=True)
class Subject:
    """A detector to evaluate.

    Attributes:
        examiner: which examiner runs it.
        settings: of that examiner.
        model: name, version, variant and sha256 of its file.
        calibration: what its scores are worth so far; None for one that has none.
        folder: where an evaluation of it is kept; None for what comes with the program.
    """

    examiner: str
    settings: Mapping[str, Any]
    model: Mapping[str, str]
    calibration: Calibration | None = None
    folder: Path | None = None


def subject_of(wanted: str | None, zoo: Zoo) -> Subject:
    """The detector called `wanted` (`NAME` or `NAME:VARIANT`), or in that ONNX file; else the bundled one.

    Raises:
        NoSubject: there is none, or its file cannot be used.
    """
    if wanted and wanted.endswith(".onnx"):
        return _ours(_of_file(Path(wanted)))
    name, _, variant = (wanted or "").partition(":")
    for file in bundled(Task.DETECTOR):
        if name in ("", file.model.name) and variant in ("", file.variant.name) and (s := settings_of(file)):
            return _ours(s)
    if not wanted:
        raise NoSubject(say("evaluate.no_detector"))
    for found in zoo.installed(Task.DETECTOR):
        if name == found.model.name and variant in ("", found.variant.name):
            entry = {
                "model": found.model.as_json(),
                "variant": found.variant.name,
                "path": str(found.path),
                "evaluation": None,
            }
            model = {
                "name": found.model.name,
                "version": found.model.version,
                "variant": found.variant.name,
                "sha256": found.variant.sha256,
            }
            return Subject(IMPORTED, {"models": [entry]}, model, folder=found.path.parent)
    known = [f"{file.model.name}:{file.variant.name}" for file in bundled(Task.DETECTOR)]
    known += [found.model.name for found in zoo.installed(Task.DETECTOR)]
    raise NoSubject(say("evaluate.no_model", name=wanted, known=", ".join(known) or "-"))


@dataclass(frozen=True)
class Fold:
    """A model and the groups that it has not met.

    Attributes:
        settings: of the examiner with that model.
        groups: of the manifest.
    """

    settings: Mapping[str, Any]
    groups: frozenset[str]


def folds_of(path: Path) -> list[Fold]:
    """The folds in a JSON file: `{"folds": [{"file": ONNX, "groups": [...]}]}`, files relative to it.

    Raises:
        NoSubject: it is no such file, two folds hold the same group, or a model cannot be used.
    """
    try:
        listed = [(str(fold["file"]), [str(g) for g in fold["groups"]]) for fold in _json(path)["folds"]]
    except (KeyError, TypeError) as problem:
        raise NoSubject(say("evaluate.bad_folds", file=path, reason=repr(problem))) from problem
    groups = [group for _, several in listed for group in several]
    if twice := {group for group in groups if groups.count(group) > 1}:
        reason = say("evaluate.folds_overlap", groups=", ".join(sorted(twice)))
        raise NoSubject(say("evaluate.bad_folds", file=path, reason=reason))
    return [Fold(_ours(_of_file(path.parent / name)).settings, frozenset(held)) for name, held in listed]


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise NoSubject(say("evaluate.bad_folds", file=path, reason=reason)) from problem


def _of_file(path: Path) -> dict[str, Any]:
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        reason = problem.strerror or problem
        raise NoSubject(say("evaluate.bad_model", file=path, reason=reason)) from problem
    return settings(path.absolute(), path.stem, "0", "fp32", sha256)


def _ours(chosen: dict[str, Any]) -> Subject:
    """The subject, once a detector could be made of it: better here than in every worker."""
    try:
        from_settings(chosen)
    except UnusableModel as problem:
        raise NoSubject(str(problem)) from problem
    text = chosen.get("calibration")
    calibration = parse(text.encode(), "calibration") if text else None
    return Subject(DETECTOR, {**chosen, "views": True}, chosen["model"], calibration)
