"""Text of others made fit for a terminal, and streams that take whatever comes."""

from __future__ import annotations

import io
import json

import pytest

from touchstone.system.terminal import any_name, has_unicode, never_fails, plain

TEXTS: list[tuple[str, str, bool, str]] = [
    ("plain", "clip.mp4", False, "clip.mp4"),
    ("other scripts", "视频 кліп ção.mp4", False, "视频 кліп ção.mp4"),
    ("an emoji of several", "\U0001f469\u200d\U0001f3a4.mp4", False, "\U0001f469\u200d\U0001f3a4.mp4"),
    ("a space that does not break", "a\u00a0b", False, "a\u00a0b"),
    ("an escape sequence", "\x1b[31m", False, "\\u001b[31m"),
    ("its one-byte form", "\x9b31m", False, "\\u009b31m"),
    ("a bell, a backspace and a delete", "\a\b\x7f", False, "\\u0007\\u0008\\u007f"),
    ("a carriage return over our line", "x\rok", True, "x\\u000dok"),
    ("line breaks of a name", "a\n\tb", False, "a\\u000a\\u0009b"),
    ("line breaks of ours", "a\n\tb", True, "a\n\tb"),
    ("Unicode's own line breaks", "a\u2028b\u2029c\x85", True, "a\\u2028b\\u2029c\\u0085"),
    ("text turned around", "a\u202e4pm.exe", False, "a\\u202e4pm.exe"),
    ("a byte that is no UTF-8", "a\udcff", False, "a\\udcff"),
]


@pytest.mark.parametrize(("text", "lines", "shown"), [r[1:] for r in TEXTS], ids=[r[0] for r in TEXTS])
def test_what_a_terminal_would_obey_is_written_out(text: str, lines: bool, shown: str) -> None:
    assert plain(text, lines=lines) == shown
    assert plain(shown, lines=lines) == shown


def test_json_stays_the_same_json() -> None:
    value = {text: shown for _, text, _, shown in TEXTS}
    assert json.loads(plain(json.dumps(value, ensure_ascii=False, indent=1), lines=True)) == value


def test_a_stream_that_was_closed_before_we_began_takes_and_gives_nothing() -> None:
    """`touchstone history >&-` and `touchstone scan - <&-` ended in a traceback."""
    never_fails(None).write("◆")
    assert list(any_name(None)) == []


def test_names_on_standard_input_may_be_any_bytes() -> None:
    stream = any_name(io.TextIOWrapper(io.BytesIO(b"a\xff.mp4\n"), encoding="utf-8"))
    assert list(stream) == ["a\udcff.mp4\n"]


@pytest.mark.parametrize(("encoding", "has"), [("utf-8", True), ("UTF_8", True), ("cp1252", False)])
def test_which_streams_take_every_character(encoding: str, has: bool) -> None:
    assert has_unicode(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) is has
    assert has_unicode(io.StringIO())
