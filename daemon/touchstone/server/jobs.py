"""A scan while the daemon works on it, and the events that clients follow."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from ..verdict import Scan
from ..wire import AnySource, EvidenceFound, ScanEvent, ScanState, VerdictReached

MAX_EVENTS = 2000
"""Events kept for one scan: a hostile file must not fill memory. The verdict has it all, and always fits."""


@dataclass(frozen=True)
class NumberedEvent:
    """An event as it is sent, with the id by which a client that lost its connection asks for the rest.

    Attributes:
        type: of the event: `progress`, `evidence` or `verdict`.
        json: the event, on one line.
    """

    id: str
    type: str
    json: str


@dataclass
class Job:
    """One scan that this daemon accepted.

    Attributes:
        key: what makes another request the same scan; None where nothing does.
        run: names this run of the scan in the ids of its events; a restarted daemon runs a scan anew.
        automatic: nobody asked for it.
        holders: how many requests wait for it; the last of them to delete it cancels it.
        task: the run, while there is one.
        over: no more events come.
    """

    id: str
    source: AnySource
    created_at: float
    key: tuple[str, str] | None = None
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    holders: int = 1
    automatic: bool = False
    running: bool = False
    over: bool = False
    scan: Scan | None = None
    task: asyncio.Task[None] | None = None
    events: list[NumberedEvent] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, event: ScanEvent) -> None:
        """Tell everyone who follows, and keep the event for those who come later.

        Raises:
            PydanticSerializationError: the event holds text that is no Unicode, and cannot be sent.
        """
        if len(self.events) < MAX_EVENTS or isinstance(event, VerdictReached):
            self.events.append(_numbered(event, self.run, len(self.events) + 1))
            self._wake()

    def end(self) -> None:
        """No more events come: the scan is done, was deleted, or the daemon stops."""
        self.over = True
        self._wake()

    def state(self) -> ScanState:
        """As the API answers it."""
        return ScanState(
            id=self.id,
            state="done" if self.scan else "running" if self.running else "queued",
            created_at=self.created_at,
            url=getattr(self.source, "url", None),
            page_url=getattr(self.source, "page_url", None),
            scan=self.scan,
        )

    async def follow(self, after: str | None, heartbeat_s: float) -> AsyncIterator[NumberedEvent | None]:
        """Events after the one with the id `after`, past ones first; ends when no more come.

        Yields None whenever `heartbeat_s` seconds went by without one.
        """
        seen = seen_before(after, self.run, len(self.events))
        while True:
            news = self._news
            while seen < len(self.events):
                seen += 1
                yield self.events[seen - 1]
            if self.over:
                return
            if news is not self._news:
                continue
            try:
                async with asyncio.timeout(heartbeat_s):
                    await news.wait()
            except TimeoutError:
                yield None

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def seen_before(last_event_id: str | None, run: str, known: int) -> int:
    """How many events of a run a client has seen that gives `last_event_id`; 0 for an id of another run."""
    of_run, _, number = (last_event_id or "").rpartition("-")
    if of_run != run or not number.isascii() or not number.isdecimal() or len(number) > 9:
        return 0
    return int(number) if int(number) <= known else 0


def replay(scan: Scan, after: str | None) -> Sequence[NumberedEvent]:
    """The events of a scan that is known from the store only: its evidence and its verdict."""
    events: list[ScanEvent] = [EvidenceFound(evidence=evidence) for evidence in scan.evidence]
    events.append(VerdictReached(scan=scan))
    numbered = [_numbered(event, "stored", n) for n, event in enumerate(events, start=1)]
    return numbered[seen_before(after, "stored", len(numbered)) :]


def _numbered(event: ScanEvent, run: str, number: int) -> NumberedEvent:
    return NumberedEvent(f"{run}-{number}", event.type, event.model_dump_json(by_alias=True))
