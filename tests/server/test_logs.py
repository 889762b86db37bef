"""The log has neither the token nor what anyone watches."""

from __future__ import annotations

import io
import logging
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp.http_exceptions import BadStatusLine

from touchstone.server.logs import FILE_NAME, start_logging, stop_logging

TOKEN = "s3cret" * 7
Start = Callable[[str], io.StringIO]


class Terminal(io.StringIO):
    """A stream that someone looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., io.StringIO]]:
    """Starts logging at a level, and ends it with the test."""
    started: list[list[logging.Handler]] = []
    root = logging.getLogger()
    level = root.level

    def begin(level: str, stream: io.StringIO) -> io.StringIO:
        started.append(start_logging(tmp_path, stream, level, TOKEN))
        return stream

    yield begin
    for handlers in started:
        stop_logging(handlers)
    root.setLevel(level)


def written(tmp_path: Path) -> str:
    return (tmp_path / FILE_NAME).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "address",
    [
        "https://video.example/watch?v=1",
        "HTTP://VIDEO.EXAMPLE/x",
        "blob:https://video.example/1",
        "/v1/scans?url=https%3A%2F%2Fvideo.example%2Fwatch",
        "data:video/mp4;base64,video.example",
    ],
)
def test_addresses_are_written_at_debug_only(
    start: Callable[..., io.StringIO], tmp_path: Path, address: str
) -> None:
    screen = start("info", Terminal())
    try:
        raise ValueError(f"cannot read {address}")
    except ValueError:
        logging.getLogger("x").exception("failed at %s with %r", address, {"url": address})
    for text in (written(tmp_path), screen.getvalue()):
        assert "video.example" not in text.lower()
        assert "ValueError: cannot read" in text and "[address]" in text
    start("debug", Terminal())
    logging.getLogger("x").debug("failed at %s", address)
    assert address in written(tmp_path)


@pytest.mark.parametrize("level", ["debug", "info"])
def test_the_token_is_never_written(start: Callable[..., io.StringIO], tmp_path: Path, level: str) -> None:
    screen = start(level, Terminal())
    logging.getLogger("x").error("Authorization: Bearer %s", TOKEN)
    assert TOKEN not in written(tmp_path) + screen.getvalue()
    assert "[token]" in written(tmp_path)


def test_the_file_is_private_and_bounded(start: Callable[..., io.StringIO], tmp_path: Path) -> None:
    start("info", io.StringIO())
    for _ in range(60):
        logging.getLogger("x").info("x" * 100_000)
    files = list(tmp_path.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert sum(file.stat().st_size for file in files) < 5 << 20


def test_a_stream_that_nobody_looks_at_gets_warnings_only(start: Callable[..., io.StringIO]) -> None:
    screen = start("info", io.StringIO())
    logging.getLogger("x").info("all is well")
    logging.getLogger("x").warning("or not")
    assert "all is well" not in screen.getvalue()
    assert "or not" in screen.getvalue()


def test_nonsense_on_the_port_does_not_fill_the_log(
    start: Callable[..., io.StringIO], tmp_path: Path
) -> None:
    start("info", io.StringIO())
    problem = BadStatusLine("\x16\x03\x01")
    logging.getLogger("aiohttp.server").error("Error handling request", exc_info=problem)
    logging.getLogger("aiohttp.server").error("Error handling request", exc_info=RuntimeError("ours"))
    assert written(tmp_path).count("Error handling request") == 1
