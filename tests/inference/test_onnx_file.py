"""The reader of ONNX files agrees with the onnx package, and no bytes bring it down."""

from __future__ import annotations

import random

import onnx
import pytest

from touchstone.inference.onnx_file import NotOnnx, read_graph
from touchstone.inference.sessions import smallest_model
from zoo import decoders


def test_it_reads_what_the_onnx_package_reads() -> None:
    content = decoders.decoder()
    theirs, ours = onnx.load_from_string(content), read_graph(content)
    assert {name for _, name in ours.operators} == {node.op_type for node in theirs.graph.node}
    assert ours.opsets == {"": theirs.opset_import[0].version}
    assert [value.name for value in ours.inputs] == ["picture"]
    assert ours.inputs[0].shape == (None, 3, 16, 16)
    assert [value.name for value in ours.outputs] == ["bits"]
    assert ours.parameters == sum(len(t.raw_data) // 4 for t in theirs.graph.initializer)
    assert not (ours.external or ours.oversized or ours.subgraphs or ours.functions)


def test_the_smallest_model_is_one() -> None:
    onnx.checker.check_model(onnx.load_from_string(smallest_model()))


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    whole = bytearray(decoders.decoder())
    head = len(whole) - 8 * 3 * 16 * 16 * 4  # all but the weights, where a change means something
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(head)] = chance.randrange(256)
        try:
            read_graph(bytes(damaged[: chance.randint(1, len(damaged))]))
        except NotOnnx:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x08\x08\x3a" + b"\x80" * 20,
        b"\x3a\x02" * 2 + b"\x0a\x00",
    ],
)
def test_lengths_that_lie_are_refused(content: bytes) -> None:
    with pytest.raises(NotOnnx):
        read_graph(content)
