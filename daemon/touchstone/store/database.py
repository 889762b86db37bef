"""The SQLite file that remembers scans, what people said about them, and settings.

`Store` is plain blocking code for one thread; the daemon puts it on a thread of its own
(`store/thread.py`), the command line calls it as it is. WAL mode lets other processes read while the
daemon writes. With `synchronous=NORMAL` nothing that was answered is lost when the daemon dies; a power cut
may lose the last moments, but never the file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import TypeAdapter

from ..verdict import Label, Scan
from ..wire import AnySource, FileSource, ScanFeedback, ScanState
from .migrations import migrate

_SOURCE: TypeAdapter[AnySource] = TypeAdapter(AnySource)

_HISTORY = r"""
SELECT * FROM scans
WHERE (:label IS NULL OR label = :label)
  AND (:url IS NULL OR url = :url OR page_url = :url)
  AND (:pattern IS NULL OR url LIKE :pattern ESCAPE '\' OR page_url LIKE :pattern ESCAPE '\'
       OR name LIKE :pattern ESCAPE '\' OR headline LIKE :pattern ESCAPE '\')
  AND (:before IS NULL OR seq < :before)
ORDER BY seq DESC LIMIT :limit
"""


@dataclass(frozen=True)
class StoredScan:
    """One row: the scan as far as it got, and what it takes to run it again."""

    seq: int
    attempts: int
    source: AnySource
    edition: str | None
    state: ScanState


@dataclass(frozen=True)
class Page:
    """Part of the history, newest first; `before` asks for the next page and is None on the last one."""

    scans: Sequence[ScanState]
    before: int | None


class Store:
    """One open store. Not to be shared between threads.

    Args:
        path: the file; made, with its folder, when missing. Both are the user's alone (0600, 0700).
        clock: seconds since the epoch.

    Raises:
        NewerStore: a newer Touchstone wrote the file.
        sqlite3.DatabaseError: the file is no database or cannot be written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its -wal and -shm files the mode of the database, so making that one private is enough.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        try:
            self._db.row_factory = sqlite3.Row
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
                self._db.execute(f"PRAGMA {pragma}")
            self.applied = migrate(self._db, clock())
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._db.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    # --- scans on their way ---------------------------------------------------------------------

    def add(self, scan_id: str, source: AnySource) -> ScanState:
        """Remember a scan that was asked for, before anyone is told that it was accepted."""
        created_at = self._clock()
        url, page_url = getattr(source, "url", None), getattr(source, "page_url", None)
        name = source.path if isinstance(source, FileSource) else getattr(source, "name", None)
        self._db.execute(
            "INSERT INTO scans (id, created_at, state, kind, url, page_url, name, source)"
            " VALUES (?, ?, 'queued', ?, ?, ?, ?, ?)",
            (scan_id, created_at, source.kind, url, page_url, name, source.model_dump_json()),
        )
        return ScanState(id=scan_id, state="queued", created_at=created_at, url=url, page_url=page_url)

    def start(self, scan_id: str) -> None:
        """Note that a scan is running, and that this is one more attempt at it."""
        self._db.execute(
            "UPDATE scans SET state = 'running', attempts = attempts + 1 WHERE id = ?", (scan_id,)
        )

    def put_back(self, scan_id: str) -> None:
        """A running scan was stopped in good order, through no fault of its own: it waits again."""
        self._db.execute(
            "UPDATE scans SET state = 'queued', attempts = max(attempts - 1, 0)"
            " WHERE id = ? AND state = 'running'",
            (scan_id,),
        )

    def finish(self, scan: Scan, edition: str) -> None:
        """Keep the answer.

        Args:
            scan: the answer, under the id it was added with.
            edition: what could give another answer to the same bytes: program version, trust, prior.
        """
        self._db.execute(
            "UPDATE scans SET state = 'done', finished_at = ?, scan = ?, sha256 = ?, edition = ?,"
            " label = ?, headline = ?, name = coalesce(?, name) WHERE id = ?",
            (
                self._clock(),
                scan.model_dump_json(by_alias=True),
                scan.source.sha256,
                edition,
                scan.verdict.label.value,
                scan.verdict.headline,
                scan.source.name,
                scan.id,
            ),
        )

    def unfinished(self) -> list[StoredScan]:
        """Scans that a daemon before this one accepted and did not answer, oldest first."""
        rows = self._db.execute("SELECT * FROM scans WHERE state != 'done' ORDER BY seq")
        return [_stored(row) for row in rows]

    # --- scans to look up -------------------------------------------------------------------------

    def get(self, scan_id: str) -> StoredScan | None:
        """One scan by its id."""
        row = self._db.execute("SELECT * FROM scans WHERE id = ?", (scan_id,)).fetchone()
        return _stored(row) if row else None

    def answer_for_url(self, url: str, edition: str, max_age_s: float) -> ScanState | None:
        """The newest answer for this address that is not older than `max_age_s` seconds.

        What could not be read is not an answer: the network may be back.
        """
        row = self._db.execute(
            "SELECT * FROM scans WHERE kind = 'url' AND url = ? AND finished_at >= ? AND state = 'done'"
            " AND edition = ? AND label != ? ORDER BY seq DESC LIMIT 1",
            (url, self._clock() - max_age_s, edition, Label.UNREADABLE.value),
        ).fetchone()
        return _stored(row).state if row else None

    def answer_for_bytes(self, sha256: str, edition: str) -> ScanState | None:
        """The newest answer for these bytes, however old: the same bytes get the same answer."""
        row = self._db.execute(
            "SELECT * FROM scans WHERE sha256 = ? AND state = 'done' AND edition = ? AND label != ?"
            " ORDER BY seq DESC LIMIT 1",
            (sha256, edition, Label.UNREADABLE.value),
        ).fetchone()
        return _stored(row).state if row else None

    def history(
        self,
        *,
        label: Label | None = None,
        url: str | None = None,
        text: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> Page:
        """Scans, newest first.

        Args:
            label: only those with this label.
            url: only those of this video address or shown on this page address.
            text: only those with this text in address, page, name or headline, whatever the case of a-z.
            before: `before` of the page above.
            limit: at most this many.
        """
        pattern = None
        if text:
            pattern = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        wanted = {
            "label": label.value if label else None,
            "url": url,
            "pattern": pattern,
            "before": before,
            "limit": limit + 1,
        }
        rows = self._db.execute(_HISTORY, wanted).fetchall()
        more = len(rows) > limit
        found = [_stored(row) for row in rows[:limit]]
        return Page([scan.state for scan in found], found[-1].seq if more else None)

    # --- forgetting ---------------------------------------------------------------------------------

    def forget(self, scan_id: str) -> bool:
        """Delete a scan and what was said about it. False if there is none."""
        return self._db.execute("DELETE FROM scans WHERE id = ?", (scan_id,)).rowcount > 0

    def prune(self, *, keep: int, max_age_s: float) -> int:
        """Delete answers older than `max_age_s` seconds and all but the newest `keep`; returns how many."""
        old = self._db.execute(
            "DELETE FROM scans WHERE state = 'done' AND created_at < ?", (self._clock() - max_age_s,)
        ).rowcount
        surplus = self._db.execute(
            "DELETE FROM scans WHERE state = 'done' AND seq <= coalesce("
            "(SELECT seq FROM scans WHERE state = 'done' ORDER BY seq DESC LIMIT 1 OFFSET ?), -1)",
            (keep,),
        ).rowcount
        return old + surplus

    # --- feedback and settings ----------------------------------------------------------------------

    def set_feedback(self, scan_id: str, feedback: ScanFeedback) -> bool:
        """Keep what a person says about a scan, in place of what they said before.

        Returns False if there is no such scan.
        """
        label = feedback.label.value if feedback.label else None
        kept = self._db.execute(
            "INSERT OR REPLACE INTO feedback SELECT id, ?, ?, ?, ? FROM scans WHERE id = ?",
            (self._clock(), feedback.agrees, label, feedback.comment, scan_id),
        )
        return kept.rowcount > 0

    def feedback(self, scan_id: str) -> ScanFeedback | None:
        """What a person said about a scan."""
        row = self._db.execute("SELECT * FROM feedback WHERE scan_id = ?", (scan_id,)).fetchone()
        return ScanFeedback(agrees=row["agrees"], label=row["label"], comment=row["comment"]) if row else None

    def settings(self) -> Mapping[str, str]:
        """Settings that the user changed, as the text that was typed."""
        return {row["name"]: row["value"] for row in self._db.execute("SELECT name, value FROM settings")}

    def set_setting(self, name: str, value: str | None) -> None:
        """Keep a setting; None goes back to the default."""
        if value is None:
            self._db.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def _stored(row: sqlite3.Row) -> StoredScan:
    return StoredScan(
        seq=row["seq"],
        attempts=row["attempts"],
        source=_SOURCE.validate_json(row["source"]),
        edition=row["edition"],
        state=ScanState(
            id=row["id"],
            state=row["state"],
            created_at=row["created_at"],
            url=row["url"],
            page_url=row["page_url"],
            scan=Scan.model_validate_json(row["scan"]) if row["scan"] else None,
        ),
    )
