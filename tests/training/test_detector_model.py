"""The detector that ships keeps to model_zoo/training/detector/CONTRACT.md, whatever it is shown."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from touchstone.zoo.bundled import BundledFile, bundled
from touchstone.zoo.entry import Task

SHIPPED = bundled(Task.DETECTOR)
OUTPUTS = ["score", "logit", "embedding"]


@cache
def session(file: BundledFile) -> Any:
    return onnxruntime.InferenceSession(str(file.path), providers=["CPUExecutionProvider"])


def run(file: BundledFile, frames: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    answers: list[NDArray[np.float32]] = session(file).run(OUTPUTS, {"frames": frames})
    return answers


def noise(count: int, seed: int = 0) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.random.default_rng(seed).normal(128, 30, (count, 3, 192, 128))
    return np.rint(np.clip(values, 0, 255)).astype(np.float32)


def test_a_detector_ships() -> None:
    assert SHIPPED


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: str(file.variant.name))
class TestShipped:
    def test_the_file_is_the_one_that_the_zoo_names(self, file: BundledFile) -> None:
        content = file.path.read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.variant.size, file.variant.sha256)
        assert len(content) < 8 << 20  # of 40 MB that all models may have together

    def test_names_and_metadata(self, file: BundledFile) -> None:
        (given,) = session(file).get_inputs()
        assert (given.name, given.type, given.shape[1:]) == ("frames", "tensor(float)", [3, 192, 128])
        assert [output.name for output in session(file).get_outputs()] == OUTPUTS
        about = session(file).get_modelmeta().custom_metadata_map
        assert about["touchstone.task"] == "detector"
        assert about["touchstone.version"] == file.model.version
        assert about["touchstone.variant"] == file.variant.name

    @pytest.mark.parametrize("count", [1, 3, 12])
    def test_any_number_of_patches(self, file: BundledFile, count: int) -> None:
        score, logit, embedding = run(file, noise(count))
        assert score.shape == (1,)
        assert logit.shape == (count,)
        assert len(embedding) == count
        assert np.abs(embedding).max() <= 6

    def test_the_order_of_patches_does_not_matter(self, file: BundledFile) -> None:
        frames = noise(5)
        turned = np.ascontiguousarray(frames[::-1])
        (score, logit, _), (other, other_logit, _) = run(file, frames), run(file, turned)
        assert score == pytest.approx(other, abs=1e-3)
        np.testing.assert_allclose(logit, other_logit[::-1], atol=1e-3)

    def test_a_patchs_logit_does_not_hang_on_its_neighbours(self, file: BundledFile) -> None:
        frames = noise(4)
        together = run(file, frames)[1]
        alone = np.concatenate([run(file, frames[n : n + 1])[1] for n in range(4)])
        np.testing.assert_allclose(together, alone, atol=1e-3)

    @pytest.mark.parametrize(
        "picture",
        [
            np.zeros((192, 128)),
            np.full((192, 128), 255),
            np.tile([16, 235], (192, 64)),  # the finest pattern there is
            np.tile(np.linspace(16, 235, 128), (192, 1)),
        ],
        ids=["black", "white", "stripes", "ramp"],
    )
    def test_pictures_without_any_detail_give_numbers(self, file: BundledFile, picture: Any) -> None:
        frozen = np.broadcast_to(picture.astype(np.float32), (2, 3, 192, 128)).copy()
        assert all(np.isfinite(answer).all() for answer in run(file, frozen))

    def test_what_changes_between_frames_changes_the_score(self, file: BundledFile) -> None:
        frames = noise(4)
        frozen = np.repeat(frames[:, :1], 3, axis=1)
        assert abs(float(run(file, frames)[0][0] - run(file, frozen)[0][0])) > 0.05
