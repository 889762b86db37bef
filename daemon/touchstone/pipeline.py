"""The one way through a scan: intake -> media -> examiners -> verdict.

The command line and the daemon both run this, so the same input gets the same answer.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from .inference.uses import merged
from .intake import IntakeError, Material
from .media.container import Container
from .media.workers import (
    Checked,
    ContainerRead,
    Found,
    Message,
    ModelsRan,
    Sampled,
    Skipped,
    Unreadable,
    Workers,
)
from .verdict import (
    DEFAULT_PRIOR,
    Evidence,
    ModelUse,
    Scan,
    Seen,
    Source,
    SourceKind,
    Verdict,
    unreadable,
    weigh,
)
from .wire import (
    AnySource,
    EvidenceFound,
    FileSource,
    FramesSource,
    Progress,
    ScanEvent,
    UploadSource,
    VerdictReached,
    WorkerSandbox,
)

READ_HEADERS = ("content_credentials", "labels")
LOOK_AT_PICTURES = ("watermarks", "visible_marks")
EXAMINERS = (*READ_HEADERS, *LOOK_AT_PICTURES)
"""Every examiner that needs no model of ours, cheap to dear."""
DETECTOR = "detector"
"""The one that does: it takes part where its model is here."""
IMPORTED_DETECTORS = "imported_detectors"
"""Those of the user: they take part where there are any."""

if TYPE_CHECKING:
    from .calibration import Traits

OnEvent = Callable[[ScanEvent], Awaitable[None]]


class Intake(Protocol):
    """Turns a source into bytes on disk for as long as the context is open."""

    def open(self, source: AnySource) -> AbstractAsyncContextManager[Material]: ...


class Weights(Protocol):
    """What evidence is weighed by, where this computer has something of its own; see calibration.in_force."""

    @property
    def id(self) -> str | None:
        """What a scan names it by; None where what came with the program counts."""

    def weighed(self, evidence: Evidence, traits: Traits | None) -> Evidence:
        """Evidence with the weight that is in force."""


class _Shipped:
    """What came with the program: evidence keeps the weight that its examiner gave it."""

    id = None

    def weighed(self, evidence: Evidence, _: Traits | None) -> Evidence:
        return evidence


SHIPPED = _Shipped()


async def _ignore(_: ScanEvent) -> None:
    return None


@dataclass
class _Findings:
    examiners: Sequence[str]
    weights: Weights = SHIPPED
    size: int | None = None  # bytes of the material, where it is a whole file
    container: Container | None = None
    evidence: list[Evidence] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    models: dict[str, ModelUse] = field(default_factory=dict)
    seen: Seen | None = None
    unreadable: str | None = None
    problem: str | None = None  # code of an IntakeError

    @property
    def done(self) -> float:
        """The share of examiners that have ended, from 0 to 1."""
        return (len(self.checked) + len(self.skipped)) / len(self.examiners)

    def weighed(self, evidence: Evidence) -> Evidence:
        """Evidence with the weight that is in force for such a clip."""
        if self.weights.id is None:
            return evidence
        from .calibration import Traits  # only here: most people have no calibration of their own

        read = self.container
        if read is None:
            return self.weights.weighed(evidence, None)
        traits = Traits.of(read.width, read.height, read.fps, read.duration_s, self.size, read.codec)
        return self.weights.weighed(evidence, traits)

    def note(self, message: Message) -> None:
        """Keep what a worker said."""
        match message:
            case ContainerRead(container):
                self.container = container
            case Found(evidence):
                self.evidence.append(evidence)
            case Checked(name):
                self.checked.append(name)
            case Skipped(name, reason):
                self.skipped[name] = reason
            case Sampled(seen):
                self.seen = Seen(
                    runs=seen.runs,
                    runs_wanted=seen.runs_wanted,
                    frames=seen.frames,
                    first_s=seen.first_s,
                    last_s=seen.last_s,
                    ended=seen.ended,
                )
            case ModelsRan(models):
                self.models = merged(self.models, models)
            case Unreadable(reason):
                self.unreadable = reason

    @property
    def calibration(self) -> str | None:
        """What the evidence was weighed by: that of this computer, else that of the detector."""
        own = self.weights.id
        told = (e.details.get("calibration") for e in self.evidence if e.examiner == DETECTOR)
        return own or next(told, None)

    def in_order(self) -> None:
        """Bring what was found side by side into one order: the same clip, the same answer."""
        order = {name: number for number, name in enumerate(self.examiners)}
        self.evidence.sort(key=lambda evidence: order.get(evidence.examiner, len(order)))
        self.checked.sort(key=lambda name: order.get(name, len(order)))
        self.skipped = dict(sorted(self.skipped.items(), key=lambda item: order.get(item[0], len(order))))


class Pipeline:
    """Scans sources. One instance serves any number of scans at once.

    Args:
        intake: where bytes come from.
        workers: what reads them.
        prior: the user's prior probability that a video is AI-made, in (0, 1).
        examiners: names of those to run, in the order in which their evidence is told.
        weights: gives what evidence is weighed by; asked once for each scan.
    """

    def __init__(
        self,
        intake: Intake,
        workers: Workers,
        *,
        prior: float = DEFAULT_PRIOR,
        examiners: Sequence[str] = EXAMINERS,
        weights: Callable[[], Weights] = lambda: SHIPPED,
    ) -> None:
        self._intake = intake
        self._workers = workers
        self._prior = prior
        self._examiners = tuple(examiners)
        self._weights = weights

    async def scan(
        self,
        source: AnySource,
        on_event: OnEvent = _ignore,
        scan_id: str | None = None,
        *,
        automatic: bool = False,
    ) -> Scan:
        """Scan one source. Bad input ends as a scan with the label `unreadable`, never as an exception.

        Args:
            automatic: nobody asked for it; models serve those first that somebody asked for.
        """
        started = time.perf_counter()
        findings = _Findings(self._examiners, self._weights())
        material: Material | None = None
        await on_event(Progress(stage="intake"))
        await self._workers.warm()  # they start while bytes are on their way
        try:
            async with self._intake.open(source) as material:
                findings.size = _whole_size(source, material)
                await self._examine(replace(material, automatic=automatic), findings, on_event)
        except IntakeError as reason:
            findings.unreadable, findings.problem = str(reason), reason.code
        findings.in_order()
        verdict = self._verdict(findings)
        scan = Scan(
            id=scan_id or new_scan_id(),
            source=_describe(source, material, findings),
            verdict=verdict,
            evidence=findings.evidence,
            checked=findings.checked,
            skipped=findings.skipped,
            models=dict(sorted(findings.models.items())),
            seen=findings.seen,
            calibration=findings.calibration,
            took_ms=round((time.perf_counter() - started) * 1000, 2),
        )
        await on_event(VerdictReached(scan=scan))
        return scan

    def sandboxes(self) -> list[WorkerSandbox]:
        """What confines the workers that have been started so far."""
        return [
            WorkerSandbox(
                examiners=list(confined.examiners),
                kind=confined.report.kind,
                complete=confined.report.complete,
                confined=confined.report.confined,
                missing=confined.report.missing,
            )
            for confined in self._workers.sandboxes()
        ]

    async def _examine(self, material: Material, findings: _Findings, on_event: OnEvent) -> None:
        await on_event(Progress(stage="examine", fraction=0.0))
        # Closed at once when the scan is cancelled, so that its workers are free.
        async with aclosing(self._workers.examine(material, self._examiners)) as messages:
            async for message in messages:
                if isinstance(message, Found):
                    message = Found(findings.weighed(message.evidence))
                findings.note(message)
                if isinstance(message, Found):
                    await on_event(EvidenceFound(evidence=message.evidence))
                if isinstance(message, Checked | Skipped):
                    await on_event(
                        Progress(stage="examine", fraction=findings.done, examiner=message.examiner)
                    )

    def _verdict(self, findings: _Findings) -> Verdict:
        if findings.unreadable is not None and not findings.evidence:
            return unreadable(findings.unreadable)
        return weigh(findings.evidence, findings.checked, findings.skipped, prior=self._prior)


def new_scan_id() -> str:
    """A fresh scan id: 32 hex digits."""
    return uuid.uuid4().hex


def _describe(source: AnySource, material: Material | None, findings: _Findings) -> Source:
    container = findings.container
    url = getattr(source, "url", None)
    name = source.path if isinstance(source, FileSource) else None
    if isinstance(source, UploadSource):
        name = source.name
    return Source(
        kind=SourceKind(source.kind),
        url=url,
        name=name or (material.name if material else None),
        sha256=material.sha256 if material else None,
        size_bytes=material.size if material else None,
        # Pictures from a browser have no container: what they came in is ours.
        container=container.format if container and not isinstance(source, FramesSource) else None,
        codec=container.codec if container else None,
        width=container.width if container else None,
        height=container.height if container else None,
        fps=container.fps if container else None,
        duration_s=_duration_s(source, container),
        problem=findings.problem,
    )


def _whole_size(source: AnySource, material: Material) -> int | None:
    """Bytes of a clip of which all is there; None for pictures from a browser and parts of a video."""
    whole = material.complete and not material.fragments and not material.present
    return material.size if whole and not isinstance(source, FramesSource) else None


def _duration_s(source: AnySource, container: Container | None) -> float | None:
    if isinstance(source, FramesSource):
        return source.duration_s
    return container.duration_s if container else None
