"""Models that run where their input is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from inference.tiny_models import doubling, is_model, served
from touchstone.inference import NoAnswer
from touchstone.inference.in_process import InProcess
from touchstone.inference.uses import merged, use_of


def rows(count: int, dtype: type = np.float32) -> NDArray[np.float32]:
    return np.arange(count * 4).reshape(count, 4).astype(dtype)


def test_the_models_of_these_tests_are_sound() -> None:
    assert is_model(doubling())
    assert is_model(doubling(kind=TensorProto.UINT8, batch=4, sums=True))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 20])
def test_a_batch_of_any_length_is_answered_in_order(tmp_path: Path, count: int) -> None:
    client = InProcess([served(tmp_path)])
    assert np.array_equal(client.run("tiny", rows(count)), 2 * rows(count))
    assert np.array_equal(client.submit("tiny", rows(count)).result(), 2 * rows(count))


def test_pixels_may_be_sent_as_bytes(tmp_path: Path) -> None:
    client = InProcess([served(tmp_path, doubling(kind=TensorProto.UINT8, sums=True))])
    answers = client.run("tiny", rows(2, np.uint8))
    assert answers.dtype == np.float32
    assert answers.tolist() == [[12.0], [44.0]]


def test_what_ran_is_told_once(tmp_path: Path) -> None:
    model = served(tmp_path)
    client = InProcess([model])
    assert client.take_uses() == {}
    client.run("tiny", rows(9))
    use = client.take_uses()["tiny"]
    assert (use.version, use.variant, use.sha256) == ("1", "fp32", model.sha256)
    assert (use.provider, use.ms > 0) == ("CPUExecutionProvider", True)
    assert client.take_uses() == {}


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("other", {}, "other is not installed"),
        ("tiny", {"sha256": "0" * 64}, "not the one that was installed"),
        ("tiny", {"path": "/nowhere/tiny.onnx"}, "No such file"),
    ],
)
def test_a_model_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, changes: dict[str, str], says: str
) -> None:
    client = InProcess([served(tmp_path, **changes)])
    with pytest.raises(NoAnswer, match=says):
        client.run(name, rows(1))


def test_times_of_one_model_add_up(tmp_path: Path) -> None:
    model = served(tmp_path)
    one, other = use_of(model, "CPUExecutionProvider", 1.5), use_of(model, "CPUExecutionProvider", 2.0)
    assert merged(one, other)["tiny"].ms == 3.5
    assert merged(one, {"b": one["tiny"]})["b"].ms == 1.5
