"""Server-sent events: whole events come out of the stream however it is cut."""

from __future__ import annotations

import pytest

from touchstone.server.event_stream import Event, EventParser

STREAM = (
    ": heartbeat\r\n\r\n"
    'id: 1-1\r\ndata: {"type": "progress"}\r\n\r\n'
    "id: 1-2\nevent: evidence\ndata: {\ndata: }\n\n"
    "retry: 100\n\n"
    "data:日本\r\r"
    "data: never ended"
).encode()
EVENTS = [Event("1-1", '{"type": "progress"}'), Event("1-2", "{\n}"), Event("1-2", "日本")]


@pytest.mark.parametrize("step", [1, 2, 3, 7, len(STREAM)])
def test_events_come_whole_however_the_stream_is_cut(step: int) -> None:
    parser = EventParser()
    found = [e for at in range(0, len(STREAM), step) for e in parser.feed(STREAM[at : at + step])]
    assert found == EVENTS


def test_a_line_without_end_is_refused() -> None:
    parser = EventParser()
    with pytest.raises(ValueError, match="longer"):
        for _ in range(70):
            list(parser.feed(b"x" * (1 << 20)))
