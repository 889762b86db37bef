"""The benchmark: that it runs, that the page has its tables, and that its arithmetic is right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import bench
from benchmarks.cost import Cost, descendants, memory_mb, table
from benchmarks.networks import multiply_adds
from vit import Shape, vit


def test_every_table_has_its_place_on_the_page_and_every_place_its_table() -> None:
    page = bench.PAGE.read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if "made by tools/bench.py" in line]
    places = {line.removeprefix("<!-- ").split(":")[0] for line in lines}
    assert places == (set(bench.TABLES) | {"conditions"}) - set(bench.PRINTED)


def test_a_quick_run_makes_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--quick", "targets", "start", "sizes", "arithmetic", "batches", "generator"]) == 0
    said = capsys.readouterr().out
    assert "| verdict, OCR set apart | 1.5 floors |" in said
    assert "| start to first answer, s | 1 |" in said
    assert "| a small transformer | 2 x 3 x 32 x 32 |" in said
    assert "| rivagan 0.2.0 | fp32 | can be fetched | 1.09 |" in said
    assert "| 1 s, 64x64 | 15 s |" in said
    assert "once each. Load" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "no table nonsense; there are targets"),
        (["--quick", "--write"], "nothing worth writing"),
    ],
)
def test_mistakes_are_named(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def one_operator(node: onnx.NodeProto, weights: dict[str, tuple[int, ...]], taken: list[int | str]) -> bytes:
    tensors = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in weights.items()]
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString()


def test_multiplications_are_counted() -> None:
    conv = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], strides=[2, 2])
    content = one_operator(conv, {"w": (16, 8, 3, 3)}, ["batch", 8, 10, 10])
    assert multiply_adds(content, (3, 8, 10, 10)) == 3 * 16 * 5 * 5 * 8 * 9
    grouped = helper.make_node("Conv", ["x", "w"], ["y"], group=8)
    assert multiply_adds(one_operator(grouped, {"w": (8, 1, 3, 3)}, [1, 8, 5, 5]), (1, 8, 5, 5)) == 8 * 9 * 9
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    assert multiply_adds(one_operator(product, {"w": (7, 5)}, ["n", 7]), (4, 7)) == 4 * 7 * 5


def test_those_of_a_transformer_are_those_of_its_formula() -> None:
    shape = Shape(side=32, patch=8, width=32, depth=2, heads=4, outputs=2)
    tokens, width = shape.tokens, shape.width
    block = tokens * 12 * width**2 + 2 * tokens**2 * width
    wanted = 16 * width * 3 * 64 + shape.depth * block + width * shape.outputs
    assert multiply_adds(vit(shape).SerializeToString(), (1, 3, 32, 32)) == wanted


def test_figures_are_written_with_three_digits_that_count() -> None:
    text = table(["a", "b"], [[0.01234, None], [12.345, "x"], [1234.5, 7], [0.0000123, 0.0]])
    assert text.splitlines()[2:] == [
        "| 0.012 |  |",
        "| 12.3 | x |",
        "| 1,234 | 7 |",
        "| 1.23e-05 | 0 |",
    ]


def test_medians_are_of_each_time_by_itself() -> None:
    assert Cost.median([Cost(3, 1), Cost(1, 2), Cost(2, 9)]) == Cost(2, 2)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="this system has no /proc")
def test_processes_that_were_started_are_found_with_their_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in set(descendants(os.getpid()))
        assert (memory_mb(child.pid) or 0) > 0
        child.communicate(b"\n")
    assert child.pid not in set(descendants(os.getpid()))
