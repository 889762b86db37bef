"""docs/native-messaging.md is the contract: its examples are replayed through the real host."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from touchstone import native_messages
from touchstone.native_host.problems import Code
from touchstone.native_host.requests import HANDLERS
from touchstone.server.client import DaemonClient
from touchstone.system.daemon_process import RunningDaemon
from touchstone.system.paths import Paths
from touchstone.wire import UrlSource

from .conftest import OpenPort

PAGE = Path(__file__).parents[2] / "docs" / "native-messaging.md"
BLOCK = re.compile(r"^```json (to-host|to-browser)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (.*)$", re.MULTILINE)
KNOWN_SCAN = "4f2a00000000000000000000000000aa"
VERSIONS = {"host_version", "daemon_version"}


@dataclass(frozen=True)
class Example:
    """One block of the page."""

    section: str
    to_host: bool
    message: dict[str, Any]


def examples() -> list[Example]:
    parts = SECTION.split(PAGE.read_text(encoding="utf-8"))[1:]
    return [
        Example(title, direction == "to-host", json.loads(text))
        for title, body in zip(parts[::2], parts[1::2], strict=True)
        for direction, text in BLOCK.findall(body)
    ]


EXAMPLES = examples()
CONVERSATIONS = sorted({e.section for e in EXAMPLES if e.section.startswith("Conversation: ")})
# Examples of what a host refuses are no messages of the protocol.
WRONG = {"levitate"}


def test_every_json_block_says_which_way_it_goes() -> None:
    assert len(re.findall(r"^```json", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.message['type']}-{e.section[:30]}")
def test_an_example_is_a_message_of_the_protocol(example: Example) -> None:
    if example.message["type"] in WRONG:
        return
    union: Any = native_messages.Request if example.to_host else native_messages.Reply
    TypeAdapter(union).validate_python(example.message)


def test_every_message_has_an_example() -> None:
    shown = {example.message["type"] for example in EXAMPLES}
    assert {model.model_fields["type"].default for model in native_messages.NATIVE_MESSAGES} <= shown


def test_every_request_has_a_handler() -> None:
    assert set(HANDLERS) == {model.model_fields["type"].default for model in native_messages.REQUESTS}


def test_the_table_of_errors_is_the_host_s() -> None:
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {(int(number), name) for number, name in rows} == {
        (code.value, code.name.lower()) for code in Code
    }


class Names:
    """Ids that the page writes down and a real daemon makes up: the page's stands for the one first met."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    def learn(self, on_page: Any, real: Any) -> None:
        for (path, written), (_, seen) in zip(leaves(on_page), leaves(real), strict=False):
            if path[-1] in ("scan_id", "id") and isinstance(seen, str) and written == KNOWN_SCAN:
                self._real.setdefault(written, seen)

    def to_real(self, message: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(message)
        for written, real in self._real.items():
            text = text.replace(written, real)
        return dict(json.loads(text))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key in sorted(value):
            yield from leaves(value[key], (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, str(number)))
    else:
        yield path, value


def without_versions(message: dict[str, Any]) -> dict[str, Any]:
    return {key: "…" if key in VERSIONS else value for key, value in message.items()}


@pytest.mark.parametrize("title", CONVERSATIONS)
async def test_a_conversation_goes_as_the_page_says(
    title: str, start_daemon: Callable[[], RunningDaemon], open_port: OpenPort, paths: Paths
) -> None:
    daemon = start_daemon()
    names = Names()
    if "again" in title:
        # This page's browser died with a scan under way.
        async with DaemonClient(lambda: daemon, paths.token_file.read_text().strip()) as client:
            state = await client.submit(UrlSource(url="https://media.example/hold.mp4"))
        names.learn({"scan_id": KNOWN_SCAN}, {"scan_id": state.id})
    port = await open_port(greet=False)
    for example in (e for e in EXAMPLES if e.section == title):
        if example.to_host:
            await port.send(names.to_real(example.message))
            continue
        told = await port.receive()
        assert told is not None, f"the host ended before {example.message}"
        names.learn(example.message, told)
        assert without_versions(told) == without_versions(names.to_real(example.message))
    assert await port.close() == 0
