"""The store keeps what it was given, through migrations, crashes and other processes."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from touchstone.intake.uploads import ReceivedUpload
from touchstone.store import NewerStore, Store, StoreThread
from touchstone.store.migrations import STEPS, migrate
from touchstone.verdict import Label, Scan, Source, SourceKind, Verdict
from touchstone.wire import AnySource, FileSource, ScanFeedback, UploadSource, UrlSource

URL = "https://video.example/a.mp4"
DAY = 86400.0


class Clock:
    """Seconds since the epoch, as the test says."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """An empty store."""
    with Store(tmp_path / "store.sqlite3", clock) as store:
        yield store


def answer(scan_id: str, label: Label = Label.AI_GENERATED, sha256: str | None = "00" * 32) -> Scan:
    source = Source(kind=SourceKind.URL, url=URL, sha256=sha256, name="a.mp4")
    return Scan(id=scan_id, source=source, verdict=Verdict(label=label, headline=f"headline of {scan_id}"))


def finished(
    store: Store, scan_id: str, source: AnySource | None = None, label: Label = Label.AI_GENERATED
) -> None:
    store.add(scan_id, source or UrlSource(url=URL))
    store.start(scan_id)
    store.finish(answer(scan_id, label), "e1")


def test_a_new_store_is_private_and_has_every_migration_recorded(tmp_path: Path) -> None:
    path = tmp_path / "made" / "store.sqlite3"
    with Store(path) as store:
        assert store.applied == [name for name, _ in STEPS]
        store.set_setting("port", "9000")
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with Store(path) as store:
        assert store.applied == []
        assert store.settings() == {"port": "9000"}


@pytest.mark.parametrize("known", range(len(STEPS)))
def test_a_store_of_any_earlier_schema_is_brought_up_to_date(tmp_path: Path, known: int) -> None:
    path = tmp_path / "store.sqlite3"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(
        "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at REAL NOT NULL)"
    )
    for number, (name, statements) in enumerate(STEPS[:known], start=1):
        for statement in statements:
            db.execute(statement)
        db.execute("INSERT INTO migrations VALUES (?, ?, 0)", (number, name))
    db.close()
    with Store(path) as store:
        assert store.applied == [name for name, _ in STEPS[known:]]
        finished(store, "s1")
        assert store.get("s1") is not None


def test_a_migration_that_fails_leaves_the_step_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (*STEPS, ("broken", ("CREATE TABLE half (x)", "CREATE TABLE half (x)")))
    monkeypatch.setattr("touchstone.store.migrations.STEPS", broken)
    db = sqlite3.connect(tmp_path / "store.sqlite3", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, 0)
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert "half" not in tables and "settings" in tables
    assert db.execute("SELECT max(number) FROM migrations").fetchone() == (len(STEPS),)
    db.close()


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute("INSERT INTO migrations VALUES (?, 'of tomorrow', 0)", (len(STEPS) + 1,))
    db.commit()
    db.close()
    with pytest.raises(NewerStore) as problem:
        Store(path)
    assert problem.value.found == len(STEPS) + 1


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Store(path)
    assert path.read_bytes() == b"no database" * 100


@pytest.mark.parametrize(
    "source",
    [
        UrlSource(url=URL, page_url="https://page.example/"),
        FileSource(path="/clips/a.mp4", fragments=["/clips/1.m4s"]),
        UploadSource(name="a.mp4", url="blob:https://page.example/1"),
        ReceivedUpload(name="a.mp4", path=Path("/spool/1.upload")),
    ],
)
def test_what_was_accepted_is_there_for_the_next_daemon(store: Store, source: AnySource) -> None:
    store.add("s1", source)
    store.start("s1")
    (found,) = store.unfinished()
    assert (found.attempts, found.state.state) == (1, "running")
    assert found.source.model_dump() == source.model_dump()


def test_a_scan_goes_through_its_states(store: Store) -> None:
    def seen() -> tuple[str, int]:
        found = store.get("s1")
        assert found
        return found.state.state, found.attempts

    assert store.add("s1", UrlSource(url=URL)).state == "queued"
    assert seen() == ("queued", 0)
    store.start("s1")
    assert seen() == ("running", 1)
    store.put_back("s1")
    assert seen() == ("queued", 0)
    store.start("s1")
    store.finish(answer("s1"), "e1")
    assert seen() == ("done", 1)
    store.put_back("s1")  # too late: it is done
    assert seen() == ("done", 1)
    assert store.unfinished() == []


def test_answers_by_address_have_an_age_an_edition_and_can_be_read(store: Store, clock: Clock) -> None:
    finished(store, "s1")
    clock.now += DAY
    assert store.answer_for_url(URL, "e1", DAY)
    assert not store.answer_for_url(URL, "e1", DAY - 1)
    assert not store.answer_for_url(URL, "e2", DAY)
    assert not store.answer_for_url(URL + "?x", "e1", DAY)
    finished(store, "s2", label=Label.UNREADABLE)
    found = store.answer_for_url(URL, "e1", DAY)
    assert found and found.id == "s1"


def test_answers_by_bytes_are_for_ever(store: Store, clock: Clock) -> None:
    finished(store, "s1", UploadSource())
    clock.now += 1000 * DAY
    found = store.answer_for_bytes("00" * 32, "e1")
    assert found and found.id == "s1"
    assert not store.answer_for_bytes("11" * 32, "e1")
    assert not store.answer_for_bytes("00" * 32, "e2")
    # An upload that gives an address is no proof of what is at that address.
    finished(store, "s2", UploadSource(url="https://other.example/"))
    assert not store.answer_for_url("https://other.example/", "e1", DAY)


@pytest.mark.parametrize("text", ["100%", "under_score", r"back\slash", "it's", '"quoted"', "Größe"])
def test_searches_take_every_character_as_it_is(store: Store, text: str) -> None:
    finished(store, "s1", UrlSource(url=f"https://video.example/{text}"))
    finished(store, "s2", UrlSource(url="https://video.example/100 under-score back/slash its quoted Grosse"))
    assert [scan.id for scan in store.history(text=text).scans] == ["s1"]


def test_history_is_bounded_in_number_and_age(store: Store, clock: Clock) -> None:
    for number in range(6):
        clock.now += DAY
        finished(store, f"s{number}")
    store.add("waiting", UrlSource(url=URL))
    assert store.prune(keep=4, max_age_s=10 * DAY) == 2
    assert [scan.id for scan in store.history().scans] == ["waiting", "s5", "s4", "s3", "s2"]
    assert store.prune(keep=4, max_age_s=1.5 * DAY) == 2
    assert [scan.id for scan in store.history().scans] == ["waiting", "s5", "s4"]
    clock.now += 100 * DAY
    assert store.prune(keep=0, max_age_s=DAY) == 2
    assert [scan.id for scan in store.history().scans] == ["waiting"]


def test_what_is_forgotten_takes_its_feedback_along(store: Store) -> None:
    finished(store, "s1")
    assert store.set_feedback("s1", ScanFeedback(agrees=False, label=Label.CAMERA_ORIGINAL))
    assert store.forget("s1")
    assert not store.forget("s1")
    assert store.feedback("s1") is None
    assert not store.set_feedback("s1", ScanFeedback(agrees=True))


def test_forgotten_addresses_are_not_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with Store(path) as store:
        finished(store, "s1", UrlSource(url="https://video.example/embarrassing"))
        store.forget("s1")
    assert b"embarrassing" not in path.read_bytes()


def test_settings_are_kept_and_reset(store: Store) -> None:
    store.set_setting("port", "9000")
    store.set_setting("port", "9001")
    store.set_setting("prior", "0.1")
    store.set_setting("prior", None)
    assert store.settings() == {"port": "9001"}


def test_another_process_reads_while_the_daemon_writes(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with Store(path) as writer, Store(path) as reader:
        for number in range(20):
            finished(writer, f"s{number}")
            assert len(reader.history(limit=100).scans) == number + 1


async def test_a_write_outlives_the_one_who_waited_for_it(tmp_path: Path) -> None:
    async with StoreThread(lambda: Store(tmp_path / "store.sqlite3")) as db:
        task = asyncio.ensure_future(db.do(Store.add, "s1", UrlSource(url=URL)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await db.do(Store.get, "s1")
