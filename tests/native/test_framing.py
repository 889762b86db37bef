"""Frames: what the browser may send, what the host answers to what it may not, and parts."""

from __future__ import annotations

import io
import json
import struct

import pytest

from touchstone.native_host.framing import (
    MAX_FROM_BROWSER,
    MAX_SKIPPED,
    MAX_TO_BROWSER,
    FrameWriter,
    read_message,
)
from touchstone.native_host.problems import NativeError


def frame(body: bytes, length: int | None = None) -> bytes:
    return struct.pack("=I", len(body) if length is None else length) + body


NEXT = frame(b'{"type":"next"}')


class Trickle(io.RawIOBase):
    """A pipe that hands out one byte at a time, as a busy system may."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 1))


def test_a_message_that_comes_byte_by_byte_is_whole() -> None:
    assert read_message(Trickle(frame('{"type":"hällo"}'.encode()))) == {"type": "hällo"}


def test_the_end_of_the_stream_is_no_error() -> None:
    assert read_message(io.BytesIO(b"")) is None


LIVES_ON = [
    ("over the limit", frame(b" " * (MAX_FROM_BROWSER + 1)), "message_too_large"),
    ("not UTF-8", frame(b'{"type":"\xff"}'), "not_utf8"),
    ("UTF-16", frame('{"type":"a"}'.encode("utf-16")), "not_utf8"),
    ("a lone half of a surrogate pair", frame(b'{"type":"\xed\xa0\x80"}'), "not_utf8"),
    ("not JSON", frame(b"{type: hello}"), "not_json"),
    ("cut JSON", frame(b'{"type":"hel'), "not_json"),
    ("nothing at all", frame(b""), "not_json"),
    ("a list", frame(b"[1]"), "not_json"),
    ("a number", frame(b"7"), "not_json"),
    ("nested a hundred thousand deep", frame(b"[" * 100_000), "not_json"),
    ("a number of a million digits", frame(b"9" * 1_000_000), "not_json"),
]


@pytest.mark.parametrize(("data", "name"), [row[1:] for row in LIVES_ON], ids=[row[0] for row in LIVES_ON])
def test_a_bad_message_leaves_the_stream_at_the_next_one(data: bytes, name: str) -> None:
    stream = io.BytesIO(data + NEXT)
    with pytest.raises(NativeError) as problem:
        read_message(stream)
    assert problem.value.message()["name"] == name
    assert not problem.value.message()["fatal"]
    assert read_message(stream) == {"type": "next"}


ENDS = [
    ("cut in the length", b"\x05\x00", "message_truncated"),
    ("cut in the body", frame(b'{"type"', length=100), "message_truncated"),
    (
        "cut in a message that is over the limit",
        frame(b"x" * 10, length=MAX_FROM_BROWSER + 1),
        "message_truncated",
    ),
    ("a length that is none", frame(NEXT, length=MAX_SKIPPED + 1), "message_too_large"),
    ("text where a frame should be", b"GET / HTTP/1.1\r\n\r\n", "message_too_large"),
]


@pytest.mark.parametrize(("data", "name"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_where_framing_is_lost_the_error_is_fatal(data: bytes, name: str) -> None:
    with pytest.raises(NativeError) as problem:
        read_message(io.BytesIO(data))
    assert problem.value.message()["name"] == name
    assert problem.value.message()["fatal"]


def frames_of(data: bytes) -> list[bytes]:
    frames = []
    while data:
        (size,) = struct.unpack("=I", data[:4])
        frames.append(data[4 : 4 + size])
        data = data[4 + size :]
    return frames


LARGE = [
    ("one byte below the limit", "x" * (MAX_TO_BROWSER - len('{"text":""}')), 1),
    ("one byte above it", "x" * (MAX_TO_BROWSER - len('{"text":""}') + 1), 3),
    ("all of it escaped, twice", '"\\' * 600_000, 7),
    ("all of it beyond ASCII", "人工智能😀" * 100_000, 10),
]


@pytest.mark.parametrize(("text", "count"), [row[1:] for row in LARGE], ids=[row[0] for row in LARGE])
def test_what_is_too_large_goes_out_in_parts(text: str, count: int) -> None:
    stream = io.BytesIO()
    FrameWriter(stream).write({"text": text})
    frames = frames_of(stream.getvalue())
    assert len(frames) == count
    assert max(map(len, frames)) <= MAX_TO_BROWSER
    if count == 1:
        assert json.loads(frames[0]) == {"text": text}
        return
    parts = [json.loads(f) for f in frames]
    assert {part["part_id"] for part in parts} == {"p1"}
    assert [part["seq"] for part in parts] == list(range(count))
    assert [part["last"] for part in parts] == [False] * (count - 1) + [True]
    assert json.loads("".join(part["data"] for part in parts)) == {"text": text}


def test_two_large_messages_have_part_ids_of_their_own() -> None:
    stream = io.BytesIO()
    writer = FrameWriter(stream)
    for _ in range(2):
        writer.write({"text": "x" * MAX_TO_BROWSER})
    assert {json.loads(f)["part_id"] for f in frames_of(stream.getvalue())} == {"p1", "p2"}
