"""The net on residuals: what it is shown, that it sees no picture, and that a run goes on where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from detector.corpus import Clip
from detector.table import Row

torch = pytest.importorskip("torch", reason="needs the training packages (make train-detector)")

from detector.export import export, refilled  # noqa: E402 - they need torch
from detector.fit import Discriminant  # noqa: E402
from detector.network import Detector  # noqa: E402
from detector.residuals import CHANNELS, Front, Residuals  # noqa: E402
from detector.train_residuals import Course, Sampler, trained  # noqa: E402

SHORT = Course(steps=4, batch=8)


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[Path, list[Row]]:
    """A cache with four groups of two clips, two of them generated."""
    chance = np.random.default_rng(0)
    found = []
    for number in range(8):
        label = "generated" if number % 2 else "real"
        clip = Clip(f"{number}", label, f"group{number % 4}", frozenset({f"{number % 4}"}), f"{number}" * 64)
        folder = tmp_path / clip.name
        folder.mkdir()
        np.save(folder / "360p_crf28.npy", chance.integers(16, 236, (3, 3, 192, 128), dtype=np.uint8))
        found.append(Row(clip, "360p_crf28", np.empty((0, 0), np.float32), 0, 0.1, 360 * 360))
    return tmp_path, found


def test_it_sees_differences_and_no_picture() -> None:
    frames = torch.randint(30, 200, (2, 3, 192, 128), generator=torch.Generator().manual_seed(0)).float()
    front = Front()
    assert front(frames).shape == (2, CHANNELS, 64, 64)
    torch.testing.assert_close(front(frames + 7), front(frames))
    assert not front(torch.full((1, 3, 192, 128), 90.0)).any()


def test_parts_of_patches_are_laid_out_as_patches_are() -> None:
    net = Residuals().eval()
    assert net(torch.zeros(2, 3, 96, 64)).shape == (2,)
    assert net(torch.zeros(5, 3, 192, 128)).shape == (5,)


def test_chroma_is_cut_where_luma_is(corpus: tuple[Path, list[Row]]) -> None:
    cache, rows = corpus
    for row in rows:
        patch = np.zeros((1, 3, 192, 128), np.uint8)
        across = np.arange(64)
        patch[0, :, :128] = np.repeat(across, 2)  # luma says twice in which column of chroma it is
        patch[0, :, 128:, :64] = patch[0, :, 128:, 64:] = across
        np.save(cache / row.clip.name / "360p_crf28.npy", patch)
    parts, targets = Sampler(cache, rows, SHORT, 0).batch(3)
    assert targets.tolist() == [0, 1] * 4
    luma, blue, red = parts[:, :, :64:2, ::2], parts[:, :, 64:, :32], parts[:, :, 64:, 32:]
    torch.testing.assert_close(luma, blue)
    torch.testing.assert_close(blue, red)


def test_a_step_sees_the_same_for_one_seed_only(corpus: tuple[Path, list[Row]]) -> None:
    first, again = (Sampler(*corpus, SHORT, 0).batch(5)[0] for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, Sampler(*corpus, SHORT, 1).batch(5)[0])


def test_a_run_that_was_ended_comes_to_the_same_net(corpus: tuple[Path, list[Row]], tmp_path: Path) -> None:
    cache, rows = corpus
    whole = trained(cache, rows, SHORT, 0, tmp_path / "whole.pt", stops=[2])
    trained(cache, rows, Course(steps=2, batch=8), 0, tmp_path / "ended.pt")
    went_on = trained(cache, rows, SHORT, 0, tmp_path / "ended.pt", stops=[2])
    for stop in (2, 4):
        for one, other in zip(whole[stop].parameters(), went_on[stop].parameters(), strict=True):
            torch.testing.assert_close(one, other)
    assert not torch.equal(whole[2].near.weights.weight, whole[4].near.weights.weight)


def test_another_course_does_not_go_on_with_it(corpus: tuple[Path, list[Row]], tmp_path: Path) -> None:
    trained(*corpus, Course(steps=1, batch=8), 0, tmp_path / "begun.pt")
    with pytest.raises(ValueError, match="begun in another way"):
        trained(*corpus, Course(steps=2, batch=6), 0, tmp_path / "begun.pt")


def test_taking_the_normalisation_into_the_weights_changes_nothing() -> None:
    net = Residuals()
    frames = torch.rand(6, 3, 96, 64, generator=torch.Generator().manual_seed(0)) * 255
    for _ in range(3):
        net(frames)  # measures means and spreads
    with torch.inference_mode():
        before = net.eval()(frames)
        torch.testing.assert_close(net.folded()(frames), before, atol=1e-4, rtol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in net.modules())


class Few(torch.nn.Module):
    """In the place of what measures patches, whose graph takes minutes to write."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.flatten(1)[:, :503]


def model(seed: int) -> Detector:
    """Numbers of no meaning, with a net."""
    chance = np.random.default_rng(seed)
    torch.manual_seed(seed)
    clip, patch = (
        Discriminant(
            chance.normal(size=503), 10 + chance.random(503), chance.normal(0, 0.01, 503), chance.normal()
        )
        for _ in range(2)
    )
    net = Residuals().folded()
    with torch.no_grad():
        for values in net.parameters():  # no two are alike: the exporter keeps one of twins
            values += 0.01 * torch.randn_like(values)
    return Detector(clip, patch, chance.normal(0, 0.1, (503, 4)), Few(), [net], 0.5).eval()


def test_the_file_says_what_discriminant_and_net_say_together(tmp_path: Path) -> None:
    frames = torch.rand(3, 3, 192, 128, generator=torch.Generator().manual_seed(0)) * 255
    first = model(0)
    with torch.inference_mode():
        plain = Detector.forward(first, frames)[0]
        seen = first.nets[0](frames).mean()
        first.weight = 0.0
        torch.testing.assert_close(plain - Detector.forward(first, frames)[0], 0.5 * seen[None])
        first.weight = 0.5
    assert export(first, tmp_path / "first.onnx", "2", 12) < 1e-2
    assert refilled(model(1), tmp_path / "first.onnx", tmp_path / "second.onnx") < 1e-2
