"""Detectors that the user imported: their scores, and a vote for those that an evaluation lets vote.

Each looks at one stretch of frames of every run, as its card says, and its logits are averaged over the clip.
What a score is worth was worked out before, from the counts of its evaluation (zoo/evaluation.py); without
one it is shown and weighs nothing. Like every detector it never speaks against AI.

What they and the `detector` say together is capped as one (verdict/weighing.py), since they may err alike.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..inference import InferenceClient, NoAnswer, Pending
from ..inference.in_process import Ready
from ..inference.sessions import Session
from ..inference.uses import ModelFile, merged, taken
from ..media.frames import Run
from ..messages import say
from ..verdict import CAP_LOG10_LR, Evidence, ModelUse, Span, Supports
from ..zoo.arrays import prepared, scores
from ..zoo.entry import Model, Variant
from ..zoo.evaluation import Evaluation, Vote, vote_of
from . import Clip, Needs, Skip

_log = logging.getLogger(__name__)


class UnusableModel(Exception):
    """A model file cannot be used. The text names it and the remedy."""


class ImportedDetector:
    """One loaded detector. It is tried once when it is made, and loads nothing later.

    Args:
        model: its card.
        variant: which file it is.
        path: where that is; None where the inference process runs it.
        vote: what its scores are worth.

    Raises:
        UnusableModel: it cannot be read, is another file, or does not do what its card says.
    """

    def __init__(self, model: Model, variant: Variant, path: Path | None, vote: Vote) -> None:
        self.model = model
        self.vote = vote
        self.file = ModelFile(model.name, model.version, variant.name, variant.sha256)
        self.session = None if path is None else self._loaded(path)

    def _loaded(self, path: Path) -> Session:
        try:
            content = path.read_bytes()
        except OSError as problem:
            raise UnusableModel(f"{path}: {problem.strerror}; `touchstone models verify`") from problem
        if hashlib.sha256(content).hexdigest() != self.file.sha256:
            raise UnusableModel(f"{path}: is not the file that was imported; `touchstone models verify`")
        try:
            session = Session(content, output=self.model.output.name)
            scores(session(np.zeros(self.model.input.shape(), np.float32)), self.model.output)
        except Exception as problem:
            # onnxruntime raises kinds of its own for every way in which a file can be no model.
            raise UnusableModel(f"{path}: does not do what its card says ({problem})") from problem
        session.take_ms()
        return session

    def ask(self, run: Run, client: InferenceClient | None) -> Pending | None:
        """Start on one run; None where it has too few frames or they are too small.

        Raises:
            NoAnswer: the inference process does not have it.
        """
        wanted = self.model.input
        if len(run.frames) < wanted.frames:
            return None
        frames = [frame.rgb() for frame in run.frames[: wanted.frames]]
        height, width = frames[0].shape[:2]
        if wanted.fit == "crop" and (height < wanted.height or width < wanted.width):
            return None
        rows = prepared(frames, wanted)
        if self.session is not None:
            return Ready(self.session(rows))
        if client is None:
            raise NoAnswer(say("inference.no_such_model", name=self.model.name))
        return client.submit(self.model.name, rows)

    def score(self, asked: Pending) -> float | None:
        """The logit of one run; None where it is no number.

        Raises:
            NoAnswer: there is none.
        """
        logit = float(scores(asked.result(), self.model.output)[0])
        return logit if np.isfinite(logit) else None


class ImportedDetectors:
    """All of them; see examiners.Examiner.

    Args:
        detectors: in the order in which they are told.
    """

    name = "imported_detectors"
    needs = Needs.FRAMES

    def __init__(self, detectors: Sequence[ImportedDetector]) -> None:
        self._detectors = detectors

    def examine(self, clip: Clip) -> Iterator[Evidence]:
        """Yield one piece of evidence for each detector that could look.

        Raises:
            Skip: none could.
            NoAnswer: the inference process was lost.
            CannotDecode: there are no frames.
        """
        asked: list[tuple[int, Run, Pending]] = []
        for run in clip.frames:
            # The next run is decoded while the models are at work on this one, where they run apart.
            for place, detector in enumerate(self._detectors):
                if (pending := detector.ask(run, clip.inference)) is not None:
                    asked.append((place, run, pending))
        seen: list[list[Span]] = [[] for _ in self._detectors]
        for place, run, pending in asked:
            if (logit := self._detectors[place].score(pending)) is not None:
                seen[place].append(Span(start_s=run.start_s, end_s=run.end_s, score=round(logit, 3)))
        if not any(seen):
            raise Skip(say("models.imported_detector.cannot_look"))
        for detector, spans in zip(self._detectors, seen, strict=True):
            if spans:
                yield _evidence(detector, spans)

    def take_uses(self) -> Mapping[str, ModelUse]:
        """See examiners.UsesModels."""
        return merged(*(taken([(d.file, d.session)]) for d in self._detectors if d.session is not None))


def _evidence(detector: ImportedDetector, spans: Sequence[Span]) -> Evidence:
    score = float(np.mean([span.score for span in spans]))
    log10_lr = detector.vote.log10_lr(score)
    outcome = "counts" if log10_lr is not None else "below" if detector.vote.stages else "no_vote"
    finding = say(
        f"models.imported_detector.{outcome}",
        title=detector.model.title,
        score=f"{score:+.2f}",
        ratio=f"{10 ** (log10_lr or 0):.0f}",
        reason=detector.vote.reason,
    )
    return Evidence(
        examiner=ImportedDetectors.name,
        finding=finding,
        supports=Supports.NEITHER if log10_lr is None else Supports.AI,
        log10_lr=None if log10_lr is None else round(log10_lr, 2),
        details={
            "score": round(score, 4),
            "imported": True,
            "title": detector.model.title,
            "outcome": outcome,
            "reason": detector.vote.reason or None,
            "model": {"name": detector.file.name, "version": detector.file.version},
        },
        spans=list(spans),
    )


def from_settings(settings: Mapping[str, Any]) -> ImportedDetectors:
    """The examiner for a worker.

    Args:
        settings: `{"models": [{"model": Model.as_json(), "variant": name, "path": file, "apart": whether the
            inference process runs it, "evaluation": Evaluation as JSON values or None, "reason": why there
            is none}]}`. One that cannot be used is left out, with a line in the log; `touchstone doctor`
            finds it.
    """
    detectors = []
    for entry in settings.get("models", ()):
        model = Model.from_json(entry["model"])
        variant = next(v for v in model.variants if v.name == entry["variant"])
        evaluation = Evaluation.model_validate(entry["evaluation"]) if entry.get("evaluation") else None
        vote = vote_of(evaluation, variant, cap=CAP_LOG10_LR["detector"])
        if evaluation is None and entry.get("reason"):
            vote = Vote(reason=entry["reason"])
        try:
            path = None if entry.get("apart") else Path(entry["path"])
            detectors.append(ImportedDetector(model, variant, path, vote))
        except UnusableModel as problem:
            _log.warning("not used: %s", problem)
    return ImportedDetectors(detectors)
