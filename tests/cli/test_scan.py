"""`touchstone scan` from its arguments to its output and exit code, on real files made here."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from containers import box, mdta
from touchstone.cli import main
from touchstone.cli.inputs import BadInput, is_single, sources
from touchstone.cli.scan import in_order
from touchstone.media.rehearsal import smallest_mp4
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.system.terminal import never_fails


def kling_mp4() -> bytes:
    """An MP4 without tracks that declares itself AI-made by the AIGC label of GB 45438-2025."""
    label = json.dumps({"Label": "1", "ContentProducer": "kling", "ProduceID": "x"})
    plain = smallest_mp4()
    mvhd = plain[plain.index(b"mvhd") - 4 : plain.index(b"mdat") - 4]
    moov = box(b"moov", mvhd, box(b"udta", mdta({"AIGC": label})))
    return plain[: plain.index(b"moov") - 4] + moov + box(b"mdat")


class World:
    """A home, a folder of files and captured streams."""

    def __init__(self, folder: Path, stdin: str = "") -> None:
        self.folder = folder
        self.out, self.err = io.StringIO(), io.StringIO()
        self.env = Environment(
            paths=Paths.under(folder / "home"),
            home=folder / "home",
            platform="linux",
            stdin=io.StringIO(stdin),
            stdout=self.out,
            stderr=self.err,
        )
        self.clips = folder / "clips"
        self.clips.mkdir()
        (self.clips / "a.mp4").write_bytes(smallest_mp4())
        (self.clips / "b.mp4").write_bytes(kling_mp4())
        (self.clips / "notes.txt").write_text("not a video")

    def scan(self, *arguments: object) -> int:
        return main(["scan", *map(str, arguments)], self.env)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def labels(scans: list[dict[str, object]]) -> list[str]:
    return [scan["verdict"]["label"] for scan in scans]  # type: ignore[index]


# Names that would rename the window, fake a line, or turn the text around.
HOSTILE_NAMES = ["\x1b]0;owned\x07.mp4", "\x1b[2J.mp4", "two\nlines.mp4", "\x9b31m.mp4", "\u202e4pm.mp4"]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_a_name_cannot_command_the_terminal(name: str, world: World) -> None:
    """Escape sequences in file names reached the terminal as they were."""
    clip = world.clips / name
    clip.write_bytes(smallest_mp4())
    assert world.scan("--no-daemon", clip) == 0
    text = world.out.getvalue()
    assert text.startswith(f"{world.clips}/")
    assert text.splitlines()[0].endswith(".mp4")
    assert all(c == "\n" or c.isprintable() for c in text)


def test_a_name_in_json_is_the_name_and_cannot_command_the_terminal_either(world: World) -> None:
    for name in HOSTILE_NAMES:
        (world.clips / name).write_bytes(smallest_mp4())
    assert world.scan("--no-daemon", "--jsonl", *(world.clips / name for name in HOSTILE_NAMES)) == 0
    text = world.out.getvalue()
    assert all(c == "\n" or c.isprintable() for c in text)
    scans = [json.loads(line) for line in text.splitlines()]
    assert [scan["source"]["name"] for scan in scans] == [str(world.clips / n) for n in HOSTILE_NAMES]


def test_a_name_that_is_no_utf8_costs_its_own_line_only(world: World) -> None:
    """It ended the scan of a whole folder with a traceback."""
    try:
        (world.clips / "c\udcff.mp4").write_bytes(smallest_mp4())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 names only")
    assert world.scan("--no-daemon", "--jsonl", world.clips) == 3
    assert labels(world.lines()) == ["no_signs", "ai_generated", "unreadable"]
    last = json.loads(world.out.getvalue().splitlines()[-1])
    assert "UTF-8" in last["verdict"]["headline"]
    assert "Rename it" in last["verdict"]["headline"]


@pytest.mark.parametrize("given", ["x" * 300, "d/" * 3000, "http://v.example/" + "x" * 20_000, "a\0b"])
def test_a_name_that_can_be_none_is_answered(given: str, world: World) -> None:
    """A name over the system's limits ended in a traceback."""
    assert world.scan("--no-daemon", "--jsonl", given) == 3
    assert labels(world.lines()) == ["unreadable"]


def test_an_empty_argument_does_not_scan_the_working_directory(world: World) -> None:
    """`touchstone scan "$UNSET"` scanned everything below the folder it was run in."""
    assert world.scan("") == 2
    assert "empty" in world.err.getvalue()


def test_a_name_on_standard_input_may_begin_and_end_with_a_space(tmp_path: Path) -> None:
    """Spaces of names were cut off, and the file was said not to be there."""
    world = World(tmp_path, stdin=f"{tmp_path}/clips/ a .mp4 \n\n")
    (world.clips / " a .mp4 ").write_bytes(kling_mp4())
    assert world.scan("--no-daemon", "--jsonl", "-") == 0
    assert labels(world.lines()) == ["ai_generated"]


def test_one_file_for_people(world: World) -> None:
    assert world.scan(world.clips / "b.mp4") == 0
    text = world.out.getvalue()
    assert "Declared as AI-generated" in text
    assert "Declared labels:" in text
    assert text.startswith(str(world.clips / "b.mp4"))


def test_one_file_is_one_object_and_two_are_an_array(world: World) -> None:
    assert world.scan("--json", world.clips / "a.mp4") == 0
    assert json.loads(world.out.getvalue())["schema"] == "touchstone.scan/1"
    world.out.truncate(0)
    world.out.seek(0)
    assert world.scan("--json", world.clips / "a.mp4", world.clips / "b.mp4") == 0
    assert labels(json.loads(world.out.getvalue())) == ["no_signs", "ai_generated"]


def test_a_folder_gives_its_videos_in_order_and_leaves_notes_alone(world: World) -> None:
    assert world.scan("--jsonl", world.clips) == 0
    assert labels(world.lines()) == ["no_signs", "ai_generated"]


def test_a_file_that_is_named_is_scanned_whatever_its_ending(world: World) -> None:
    assert world.scan("--jsonl", world.clips / "notes.txt") == 3
    assert labels(world.lines()) == ["unreadable"]


def test_a_missing_file_costs_its_own_line_only(world: World) -> None:
    assert world.scan("--jsonl", world.clips / "gone.mp4", world.clips / "b.mp4") == 3
    found = world.lines()
    assert labels(found) == ["unreadable", "ai_generated"]
    assert "gone.mp4" in str(found[0]["verdict"])


def test_a_list_on_standard_input(tmp_path: Path) -> None:
    world = World(tmp_path, stdin=f"{tmp_path}/clips/b.mp4\n\n  {tmp_path}/clips/a.mp4\n")
    assert world.scan("--jsonl", "-") == 0
    assert labels(world.lines()) == ["ai_generated", "no_signs"]


def test_fail_on(world: World) -> None:
    assert world.scan("--jsonl", "--fail-on", "ai_generated", world.clips) == 10
    assert world.scan("--jsonl", "--fail-on", "ai_edited", world.clips) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--resume", "x.mp4"], "--output"),
        (["{clips}/*.webm"], "no file matches"),
        (["{empty}"], "no video or image"),
        (["--fragment", "s.m4s", "a.mp4", "b.mp4"], "exactly one input"),
    ],
)
def test_usage_errors_name_the_input_and_the_remedy(world: World, arguments: list[str], words: str) -> None:
    empty = world.folder / "empty"
    empty.mkdir()
    given = [a.format(clips=world.clips, empty=empty) for a in arguments]
    assert world.scan(*given) == 2
    assert words in world.err.getvalue()
    assert world.out.getvalue() == ""


def test_resuming_scans_only_what_is_missing(world: World) -> None:
    output = world.folder / "out.jsonl"
    assert world.scan("--jsonl", "--output", output, world.clips / "a.mp4") == 0
    first = output.read_text()
    output.write_text(first + '{"cut')  # as a kill in the middle of a line leaves it
    assert world.scan("--jsonl", "--output", output, "--resume", world.clips) == 0
    written = output.read_text().splitlines()
    assert written[0] == first.strip()
    assert labels([json.loads(line) for line in written]) == ["no_signs", "ai_generated"]
    assert labels(world.lines()[-2:]) == ["no_signs", "ai_generated"]


def test_a_file_of_something_else_is_not_overwritten_by_resuming(world: World) -> None:
    output = world.folder / "diary.txt"
    output.write_text("dear diary\n")
    assert world.scan("--output", output, "--resume", world.clips) == 1
    assert "line 1" in world.err.getvalue()
    assert output.read_text() == "dear diary\n"


def test_an_output_that_cannot_be_written(world: World) -> None:
    assert world.scan("--output", world.folder / "no" / "such" / "folder.jsonl", world.clips) == 1
    assert "cannot be written" in world.err.getvalue()


@pytest.mark.parametrize(
    ("items", "single"),
    [
        (["a.mp4"], True),
        (["https://example.org/a.mp4"], True),
        (["."], False),
        (["*.mp4"], False),
        (["-"], False),
        (["a", "b"], False),
    ],
)
def test_what_counts_as_one_input(items: list[str], single: bool) -> None:
    assert is_single(items) is single


def test_urls_and_paths_are_told_apart(tmp_path: Path) -> None:
    given = ["HTTPS://Example.org/x", str(tmp_path / "http.mp4")]
    assert [s.kind for s in sources(given, [], io.StringIO())] == ["url", "file"]
    with pytest.raises(BadInput):
        list(sources([str(tmp_path)], [], io.StringIO()))


async def test_results_come_in_order_and_only_so_many_run_at_once() -> None:
    running = most = 0

    async def work(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (10 - item % 10))
        running -= 1
        return item

    assert [r async for r in in_order(work, range(50), 3)] == list(range(50))
    assert most == 3


async def test_leaving_early_stops_the_rest() -> None:
    started: list[int] = []

    async def work(item: int) -> int:
        started.append(item)
        await asyncio.sleep(0.01)
        return item

    results = in_order(work, range(1000), 2)
    async for _ in results:
        break
    await results.aclose()
    assert len(started) <= 8


def test_a_run_is_resumed_over_names_with_line_separators(world: World) -> None:
    """U+2028 in a name made two lines of one, and the file was said not to be scans."""
    clip = world.clips / "a\u2028b.mp4"
    clip.write_bytes(kling_mp4())
    output = world.folder / "out.jsonl"
    assert world.scan("--no-daemon", "--output", output, clip) == 0
    before = output.read_text()
    assert world.scan("--no-daemon", "--resume", "--output", output, clip) == 0
    assert output.read_text() == before


UNUSABLE = [
    ("a folder", lambda path: path.mkdir(), "give --output another place"),
    ("bytes that are no text", lambda path: path.write_bytes(b"{}\n\xff\n"), "line 2 is not a scan"),
]


@pytest.mark.parametrize(("make", "says"), [row[1:] for row in UNUSABLE], ids=[row[0] for row in UNUSABLE])
def test_a_file_that_no_run_can_be_resumed_from_is_named(
    make: Callable[[Path], object], says: str, world: World
) -> None:
    """Both ended in a traceback."""
    output = world.folder / "out.jsonl"
    make(output)
    assert world.scan("--no-daemon", "--resume", "--output", output, world.clips) == 1
    assert str(output) in world.err.getvalue() and says in world.err.getvalue()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
def test_a_full_disk_ends_the_run_with_the_reason(world: World) -> None:
    """It ended in a traceback."""
    assert world.scan("--no-daemon", "--output", "/dev/full", world.clips) == 1
    assert "/dev/full: cannot be written (No space left on device)" in world.err.getvalue()


@pytest.mark.parametrize("form", ["--json", None])
def test_an_output_without_unicode_gets_what_it_can_hold(form: str | None, world: World) -> None:
    """Where output is not UTF-8 (Windows' code pages), the first sign ended in a traceback."""
    held = io.BytesIO()
    stdout = never_fails(io.TextIOWrapper(held, encoding="ascii"))
    clip = world.clips / "\N{CLAPPER BOARD}.mp4"
    clip.write_bytes(kling_mp4())
    arguments = ["scan", "--no-daemon", str(clip), *([form] if form else [])]
    assert main(arguments, replace(world.env, stdout=stdout)) == 0
    written = held.getvalue().decode("ascii")
    if form:
        assert json.loads(written)["source"]["name"] == str(clip)
    else:
        assert "Declared as AI-generated" in written


def break_store(world: World) -> None:
    (world.folder / "home" / "data").mkdir(parents=True)
    (world.folder / "home" / "data" / "touchstone.sqlite3").write_text("no database" * 100)


def block_home(world: World) -> None:
    (world.folder / "home").write_text("a file")


PROBLEMS = [
    ("a store that is none", break_store, "moving the store away"),
    ("a home that cannot be made", block_home, "TOUCHSTONE_HOME"),
]


@pytest.mark.parametrize("command", [["scan", "--no-daemon", "x.mp4"], ["sample"], ["history"]], ids=" ".join)
@pytest.mark.parametrize(("spoil", "remedy"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_a_problem_of_the_machine_is_told_with_its_remedy(
    spoil: Callable[[World], None], remedy: str, command: list[str], world: World
) -> None:
    """`scan` and `sample` ended in a traceback."""
    spoil(world)
    assert main(command, world.env) == 1
    told = world.err.getvalue()
    assert told.count("\n") == 1 and told.count("touchstone: ") == 1 and remedy in told
