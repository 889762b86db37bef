"""Server-sent events, as the daemon sends them (WHATWG HTML, 9.2.6 "Interpreting an event stream")."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

# One event carries a whole scan at most; a stream that never ends its line is not ours.
MAX_EVENT_CHARS = 64 << 20


@dataclass(frozen=True)
class Event:
    """One event: the last `id` seen, and its data."""

    id: str | None
    data: str


class EventParser:
    """Takes the stream piece by piece as it comes and yields the events that are complete."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._begun: list[str] = []  # pieces of a line that has not ended
        self._begun_chars = 0
        self._held = ""
        self._id: str | None = None
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Take the next bytes.

        Raises:
            ValueError: an event is longer than any of ours.
        """
        # A carriage return at the end of a piece may be half of a line end.
        text = self._held + self._decode(piece)
        self._held = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        *lines, begun = text.split("\n")
        if lines:
            lines[0] = "".join([*self._begun, lines[0]])
            self._begun, self._begun_chars = [], 0
        self._begun.append(begun)
        self._begun_chars += len(begun)
        if self._begun_chars > MAX_EVENT_CHARS:
            raise ValueError("an event is longer than a scan can be")
        for line in lines:
            if line:
                self._field(line)
            elif self._data:
                yield Event(self._id, "\n".join(self._data))
                self._data = []

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
