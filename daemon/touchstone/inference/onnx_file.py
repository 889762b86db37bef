"""What an ONNX file says of itself, read without running or trusting any of it.

Only the wire format of protocol buffers and the fields that matter are known here (onnx/onnx.proto, IR
version 3 and later). Reading is bounded by the size of the file; nothing is allocated by what it claims.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_NODES = 20_000
MAX_TENSORS = 20_000
MAX_NAME = 200
"""Characters of any name that is kept."""


class NotOnnx(ValueError):
    """The bytes are no ONNX model. The text says why, in words."""


@dataclass(frozen=True)
class Value:
    """An input or output: its name, number type (1 is float32) and axes; None for an axis of any length."""

    name: str
    kind: int
    shape: tuple[int | None, ...]


@dataclass
class Graph:
    """What a file holds.

    Attributes:
        operators: `(domain, name)` of everything that is called.
        opsets: version of each domain's operators.
        external: names of tensors whose numbers lie in another file.
        oversized: names of tensors that claim more numbers than the file has bytes.
        subgraphs: whether any operator carries a graph of its own.
        functions: whether the file defines operators of its own.
        parameters: how many numbers the tensors hold.
    """

    operators: set[tuple[str, str]] = field(default_factory=set)
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    external: list[str] = field(default_factory=list)
    oversized: list[str] = field(default_factory=list)
    subgraphs: bool = False
    functions: bool = False
    nodes: int = 0
    parameters: int = 0
    tensors: list[str] = field(default_factory=list)


def read_graph(content: bytes) -> Graph:
    """Read an ONNX file.

    Raises:
        NotOnnx: it is not one.
    """
    if content[:2] == b"PK":
        raise NotOnnx("a ZIP archive; PyTorch saves its own files so. Export the model to ONNX")
    if content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05":
        raise NotOnnx("a Python pickle, which can run any code when it is opened. Export the model to ONNX")
    found = Graph()
    graphs = 0
    ir_version = 0
    try:
        for number, value in _fields(memoryview(content)):
            match number:
                case 1:
                    ir_version = _number(value)
                case 7:
                    graphs += 1
                    _graph(_bytes(value), found, len(content))
                case 8:
                    entry = dict(_fields(_bytes(value)))
                    found.opsets[_text(entry.get(1, memoryview(b"")))] = _number(entry.get(2, 0))
                case 20 | 25:  # training_info, functions
                    found.functions = True
    except (ValueError, IndexError, RecursionError) as problem:
        if isinstance(problem, NotOnnx):
            raise
        raise NotOnnx("its bytes are not those of an ONNX file") from problem
    if graphs != 1 or ir_version < 3 or not found.nodes:
        raise NotOnnx("it holds no ONNX graph")
    # Initializers may be listed among the inputs as well (IR version 3).
    held = set(found.tensors)
    found.inputs = [value for value in found.inputs if value.name not in held]
    return found


Wire = int | memoryview


def _fields(data: memoryview) -> Iterator[tuple[int, Wire]]:
    """Field numbers and values of one message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("field 0")
        if kind == 0:
            plain, at = _varint(data, at)
            yield number, plain
            continue
        if kind == 2:
            length, at = _varint(data, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if length > len(data) - at:
            raise ValueError("runs past the end")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise ValueError("a number that does not end")


def _number(value: Wire) -> int:
    if not isinstance(value, int):
        raise ValueError("not a number")
    return value


def _bytes(value: Wire) -> memoryview:
    if isinstance(value, int):
        raise ValueError("not bytes")
    return value


def _text(value: Wire) -> str:
    return bytes(_bytes(value)[: 4 * MAX_NAME]).decode("utf-8", "replace")[:MAX_NAME]


def _graph(data: memoryview, found: Graph, size: int) -> None:
    for number, value in _fields(data):
        match number:
            case 1:
                _node(_bytes(value), found, size)
            case 5:
                _tensor(_bytes(value), found, size)
            case 11:
                found.inputs.append(_value(_bytes(value)))
            case 12:
                found.outputs.append(_value(_bytes(value)))
            case 15:  # sparse_initializer
                raise NotOnnx("it keeps sparse tensors, which are not supported")


def _node(data: memoryview, found: Graph, size: int) -> None:
    found.nodes += 1
    if found.nodes > MAX_NODES:
        raise NotOnnx(f"it has more than {MAX_NODES} operators")
    name, domain = "", ""
    for number, value in _fields(data):
        match number:
            case 4:
                name = _text(value)
            case 7:
                domain = _text(value)
            case 5:
                _attribute(_bytes(value), found, size)
    found.operators.add((domain if domain != "ai.onnx" else "", name))


def _attribute(data: memoryview, found: Graph, size: int) -> None:
    for number, value in _fields(data):
        if number in (5, 10):
            _tensor(_bytes(value), found, size)
        elif number in (6, 11):
            found.subgraphs = True
        elif number in (22, 23):
            raise NotOnnx("it keeps sparse tensors, which are not supported")


def _tensor(data: memoryview, found: Graph, size: int) -> None:
    name, count, external = "", 1, False
    for number, value in _fields(data):
        match number:
            case 1:
                count *= math.prod(_packed(value))
            case 8:
                name = _text(value)
            case 13:
                external = True
            case 14:
                external = external or _number(value) != 0
    found.tensors.append(name)
    if len(found.tensors) > MAX_TENSORS:
        raise NotOnnx(f"it has more than {MAX_TENSORS} tensors")
    if external:
        found.external.append(name)
    elif count > 2 * size:  # two 4-bit numbers fit a byte; nothing is smaller
        found.oversized.append(name)
    else:
        found.parameters += count


def _packed(value: Wire) -> list[int]:
    """A repeated number: one of them, or many in one field."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(number)
    return numbers


def _value(data: memoryview) -> Value:
    name, kind = "", 0
    shape: tuple[int | None, ...] = ()
    for number, value in _fields(data):
        if number == 1:
            name = _text(value)
        elif number == 2:
            for inner, tensor in _fields(_bytes(value)):
                if inner == 1:  # tensor_type
                    kind, shape = _tensor_type(_bytes(tensor))
    return Value(name, kind, shape)


def _tensor_type(data: memoryview) -> tuple[int, tuple[int | None, ...]]:
    kind = 0
    shape: list[int | None] = []
    for number, value in _fields(data):
        if number == 1:
            kind = _number(value)
        elif number == 2:
            for _, dimension in _fields(_bytes(value)):
                known = dict(_fields(_bytes(dimension)))
                length = known.get(1)
                shape.append(length if isinstance(length, int) and length > 0 else None)
    return kind, tuple(shape)
