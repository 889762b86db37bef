"""The one way through a scan, with the parts around it scripted: what a scan says of what it was given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from touchstone.calibration import Traits
from touchstone.intake import IntakeError, Material
from touchstone.media.container import Container
from touchstone.media.frames import Seen
from touchstone.media.sandbox import SandboxReport
from touchstone.media.workers import (
    Checked,
    Confined,
    ContainerRead,
    Found,
    Message,
    ModelsRan,
    Sampled,
    Skipped,
    Unreadable,
)
from touchstone.pipeline import EXAMINERS, SHIPPED, Pipeline, Weights
from touchstone.verdict import Evidence, Label, ModelUse, Supports
from touchstone.wire import AnySource, EvidenceFound, Progress, ScanEvent, UrlSource, VerdictReached

CLIP = UrlSource(url="https://media.example/clip.mp4")
AI = Evidence(examiner="labels", finding="says so", supports=Supports.AI, details={"generator": "Kling"})
READ = ContainerRead(Container("mp4", "video/mp4", codec="h264", width=640, height=360))


class Scripted:
    """Intake and workers that do what a test says."""

    def __init__(self, *messages: Message, refusal: IntakeError | None = None) -> None:
        self._messages = messages
        self._refusal = refusal
        self.closed = False
        self.warmed = False

    @asynccontextmanager
    async def open(self, source: AnySource) -> AsyncIterator[Material]:
        assert self.warmed, "workers start while bytes are fetched"
        if self._refusal:
            raise self._refusal
        yield Material(Path("unused"), 5, name="clip.mp4", sha256="ab")

    async def examine(self, material: Material, examiners: Sequence[str]) -> AsyncGenerator[Message, None]:
        try:
            for message in self._messages:
                yield message
        finally:
            self.closed = True

    async def warm(self) -> None:
        self.warmed = True

    def sandboxes(self) -> list[Confined]:
        report = SandboxReport(
            {"landlock": "on, ABI 6", "seccomp": "off: why"}, refused={"open_file": True, "socket": False}
        )
        return [Confined(("labels",), report)]

    async def close(self) -> None:
        return None


def pipeline(*messages: Message, refusal: IntakeError | None = None) -> Pipeline:
    script = Scripted(*messages, refusal=refusal)
    return Pipeline(script, script)


async def test_models_of_all_workers_are_named_and_their_times_add_up() -> None:
    reader = ModelUse(version="1", variant="fp32", provider="CPUExecutionProvider", sha256="ab", ms=20)
    decoder = ModelUse(version="2", variant="int8", provider="CUDAExecutionProvider", ms=1)
    script = (READ, ModelsRan({"reader": reader}), ModelsRan({"reader": reader, "decoder": decoder}))
    scan = await pipeline(*script).scan(CLIP)
    assert list(scan.models) == ["decoder", "reader"]
    assert scan.models["reader"] == reader.model_copy(update={"ms": 40})
    assert scan.models["decoder"] == decoder


async def test_a_scan_tells_what_was_found_checked_skipped_and_seen() -> None:
    seen = Seen(runs_wanted=8, runs=7, frames=21, first_s=0.0, last_s=9.5, ended="the clip is short")
    script = (READ, Checked("labels"), Found(AI), Skipped("watermarks", "too small"), Sampled(seen))
    events: list[ScanEvent] = []

    async def on_event(event: ScanEvent) -> None:
        events.append(event)

    scan = await pipeline(*script).scan(CLIP, on_event, scan_id="7")
    assert scan.id == "7"
    assert (scan.verdict.label, scan.verdict.generator) == (Label.AI_GENERATED, "Kling")
    assert (scan.source.container, scan.source.width, scan.source.sha256) == ("mp4", 640, "ab")
    assert (scan.checked, scan.skipped) == (["labels"], {"watermarks": "too small"})
    assert scan.seen is not None
    assert (scan.seen.runs, scan.seen.frames, scan.seen.ended) == (7, 21, "the clip is short")
    assert scan.source.problem is None
    kinds = [type(event) for event in events]
    assert kinds[0] is Progress
    assert kinds[-1] is VerdictReached
    assert EvidenceFound(evidence=AI) in events
    fractions = [e.fraction for e in events if isinstance(e, Progress) and e.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 2 / len(EXAMINERS)


async def test_a_scan_tells_it_in_the_same_order_whoever_was_faster() -> None:
    mark = Evidence(examiner="visible_marks", finding="a mark", supports=Supports.AI, log10_lr=1.0)
    quick = (READ, Found(AI), Checked("labels"), Found(mark), Checked("visible_marks"))
    slow = (READ, Found(mark), Checked("visible_marks"), Found(AI), Checked("labels"))
    one, other = [await pipeline(*script).scan(CLIP, scan_id="7") for script in (quick, slow)]
    assert one.evidence == other.evidence == [AI, mark]
    assert one.checked == other.checked == ["labels", "visible_marks"]


@pytest.mark.parametrize("code", ["refused_address", "protected", "timeout"])
async def test_bytes_that_could_not_be_had_are_named_by_code_and_words(code: str) -> None:
    scan = await pipeline(refusal=IntakeError(code, "not to be had")).scan(CLIP)
    assert scan.verdict.label is Label.UNREADABLE
    assert "not to be had" in scan.verdict.headline
    assert scan.source.problem == code
    assert scan.source.url == CLIP.url
    assert scan.source.size_bytes is None


class Own:
    """Weights of this computer: marks are worth a tenth there, and nothing in clips of unknown traits."""

    id = "2026-11-30-12345678"

    def __init__(self) -> None:
        self.asked: list[Traits | None] = []

    def weighed(self, evidence: Evidence, traits: Traits | None) -> Evidence:
        self.asked.append(traits)
        return evidence.model_copy(update={"log10_lr": 0.1}) if evidence.log10_lr else evidence


async def test_evidence_is_weighed_by_what_is_in_force_and_the_scan_names_it() -> None:
    mark = Evidence(examiner="visible_marks", finding="a mark", supports=Supports.AI, log10_lr=3.0)
    script = Scripted(READ, Found(mark), Checked("visible_marks"))
    own = Own()
    events: list[ScanEvent] = []

    async def on_event(event: ScanEvent) -> None:
        events.append(event)

    weights: list[Weights] = [own]
    pipeline = Pipeline(script, script, weights=lambda: weights[0])
    scan = await pipeline.scan(CLIP, on_event)
    assert [evidence.log10_lr for evidence in scan.evidence] == [0.1]
    assert [e.evidence.log10_lr for e in events if isinstance(e, EvidenceFound)] == [0.1]
    assert scan.calibration == own.id
    assert scan.verdict.label is not Label.AI_GENERATED
    assert own.asked == [Traits(360, None, "h264")], "without frames and seconds nothing is known of bits"
    weights[0] = SHIPPED
    scan = await pipeline.scan(CLIP)
    assert (scan.evidence, scan.calibration) == ([mark], None)
    assert scan.verdict.label is Label.AI_GENERATED


async def test_without_a_calibration_of_ones_own_a_scan_names_that_of_the_detector() -> None:
    score = Evidence(
        examiner="detector",
        finding="a score",
        supports=Supports.NEITHER,
        details={"calibration": "shipped 1"},
    )
    assert (await pipeline(READ, Found(score)).scan(CLIP)).calibration == "shipped 1"


async def test_evidence_found_before_the_end_came_still_counts() -> None:
    scan = await pipeline(READ, Found(AI), Unreadable("the worker died")).scan(CLIP)
    assert scan.verdict.label is Label.AI_GENERATED


async def test_what_is_no_media_is_unreadable_with_the_reason() -> None:
    scan = await pipeline(Unreadable("this is a web page")).scan(CLIP)
    assert scan.verdict.label is Label.UNREADABLE
    assert "this is a web page" in scan.verdict.headline
    assert scan.source.problem is None
    assert scan.source.size_bytes == 5


async def test_a_scan_that_is_cancelled_between_two_messages_frees_its_workers_at_once() -> None:
    script = Scripted(READ, Found(AI), Checked("labels"))

    async def on_event(event: ScanEvent) -> None:
        if isinstance(event, EvidenceFound):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Pipeline(script, script).scan(CLIP, on_event)
    assert script.closed


def test_what_confines_the_workers_is_told_in_words() -> None:
    (told,) = Pipeline(script := Scripted(), script).sandboxes()
    assert (told.examiners, told.kind, told.complete) == (["labels"], "landlock", False)
    assert told.confined == ["files"]
    assert told.missing["network"] == told.missing["processes"] == "seccomp off: why"
    assert told.missing["seccomp"] == "off: why"
