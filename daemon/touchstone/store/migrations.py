"""The store's schema, as numbered steps that are applied once, in order, and recorded.

A step is never edited once it has been released: a change is a new step. Each runs in one transaction
with its record, so a daemon that dies in the middle of one starts it anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

Step = tuple[str, Sequence[str]]

STEPS: Sequence[Step] = (
    (
        "scans",
        (
            """
            CREATE TABLE scans (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE,
                created_at REAL NOT NULL,
                finished_at REAL,
                state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done')),
                attempts INTEGER NOT NULL DEFAULT 0,
                kind TEXT NOT NULL,
                url TEXT,
                page_url TEXT,
                name TEXT,
                source TEXT NOT NULL,
                sha256 TEXT,
                edition TEXT,
                label TEXT,
                headline TEXT,
                scan TEXT
            ) STRICT
            """,
            "CREATE INDEX scans_by_url ON scans (url, finished_at)",
            "CREATE INDEX scans_by_sha256 ON scans (sha256, finished_at)",
            "CREATE INDEX scans_by_label ON scans (label, seq)",
            "CREATE INDEX scans_by_state ON scans (state, seq)",
            "CREATE INDEX scans_by_age ON scans (created_at)",
        ),
    ),
    (
        "feedback",
        (
            """
            CREATE TABLE feedback (
                scan_id TEXT PRIMARY KEY REFERENCES scans (id) ON DELETE CASCADE,
                given_at REAL NOT NULL,
                agrees INTEGER NOT NULL,
                label TEXT,
                comment TEXT
            ) STRICT
            """,
        ),
    ),
    (
        "settings",
        ("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",),
    ),
)
"""Step n of the list has number n + 1; `value` in settings is text as a person would type it."""


class NewerStore(Exception):
    """The file was written by a newer Touchstone, whose schema this one does not know."""

    def __init__(self, found: int) -> None:
        super().__init__(f"schema {found}, newest known {len(STEPS)}")
        self.found = found


def migrate(db: sqlite3.Connection, now: float) -> list[str]:
    """Bring the schema up to date and return the names of the steps that were applied.

    Args:
        db: a connection in autocommit mode.
        now: seconds since the epoch, for the record.

    Raises:
        NewerStore: the file has steps that are not in `STEPS`.
        sqlite3.DatabaseError: the file is no SQLite database, or cannot be written.
    """
    db.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at REAL NOT NULL) STRICT"
    )
    applied: list[str] = []
    for number, (name, statements) in enumerate(STEPS, start=1):
        # IMMEDIATE takes the write lock first, so two processes cannot both decide to apply a step.
        db.execute("BEGIN IMMEDIATE")
        try:
            done = db.execute("SELECT 1 FROM migrations WHERE number = ?", (number,)).fetchone()
            if not done:
                for statement in statements:
                    db.execute(statement)
                db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (number, name, now))
                applied.append(name)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
    found = db.execute("SELECT max(number) FROM migrations").fetchone()[0]
    if found > len(STEPS):
        raise NewerStore(found)
    return applied
