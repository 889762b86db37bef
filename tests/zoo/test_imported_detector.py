"""A detector of the user's own, from an export to a vote: imported, shown, evaluated, counted.

The export is a vision transformer with random weights, built without the library that would train one.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from touchstone.cli import main
from touchstone.engine import models_folder
from touchstone.examiners import Clip, Skip
from touchstone.examiners.imported_detectors import ImportedDetector, UnusableModel, from_settings
from touchstone.media.container import Container
from touchstone.media.frames import Frame, Run, Seen
from touchstone.model_import import NotImported, import_model
from touchstone.model_import.checker import check_confined
from touchstone.sample import draw_clip
from touchstone.verdict import CAP_LOG10_LR, Evidence, Supports
from touchstone.zoo.entry import Model
from touchstone.zoo.evaluation import FILE, Evaluation, Vote, as_json
from touchstone.zoo.registry import Zoo
from vit import Shape, vit
from zoo.shop import card
from zoo.test_entries import toml
from zoo.test_evaluation import evaluation
from zoo.test_models_command import said, world

SMALL = Shape(side=32, patch=8, width=32, depth=2, heads=4, outputs=2)
VIT = vit(SMALL).SerializeToString()
CARD = Model.from_json(
    card(
        name="vit",
        task="detector",
        title="A transformer",
        input={
            "name": "pixels",
            "layout": "BCHW",
            "colour": "RGB",
            "range": [0, 1],
            "mean": [0.485, 0.456, 0.406],  # of ImageNet, as most published weights want it
            "std": [0.229, 0.224, 0.225],
            "fit": "cover",
            "height": 32,
            "width": 32,
        },
        output={"name": "scores", "scale": "classes", "skip": 1},
    )
)


class Pictures:
    """A clip of one run of frames for each number: how many frames it has."""

    def __init__(self, runs: Sequence[int], size: tuple[int, int] = (40, 64)) -> None:
        self.seen = Seen(len(runs))
        self._runs, self._size = runs, size

    def __iter__(self) -> Iterator[Run]:
        for second, count in enumerate(self._runs):
            noise = np.random.default_rng(second).integers(0, 256, (*self._size, 3), np.uint8)
            yield Run(tuple(frame_of(np.roll(noise, n, axis=1), second + n / 10) for n in range(count)))


def frame_of(picture: NDArray[np.uint8], at_s: float) -> Frame:
    planes = tuple(np.ascontiguousarray(picture[..., channel]) for channel in range(3))
    return Frame(planes, "rgb", 8, at_s, duration_s=0.1)


def examine(settings: dict[str, Any], runs: Sequence[int], **options: Any) -> list[Evidence]:
    container = Container(format="mp4", mime="video/mp4")
    clip = Clip(io.BytesIO(), 0, container, sample=lambda _: Pictures(runs, **options))
    return list(from_settings(settings).examine(clip))


def settings_of(zoo: Zoo) -> dict[str, Any]:
    (found,) = zoo.installed()
    counts = zoo.evaluation(found.model, found.variant)
    return {
        "models": [
            {
                "model": found.model.as_json(),
                "variant": found.variant.name,
                "path": str(found.path),
                "evaluation": counts.model_dump(mode="json", by_alias=True) if counts else None,
            }
        ]
    }


def evaluated(zoo: Zoo, above: float) -> None:
    """Leave an evaluation beside the imported detector, as `touchstone evaluate` does."""
    (found,) = zoo.installed()
    subject = {"name": "vit", "version": "1", "variant": "fp32", "sha256": found.variant.sha256}
    steps = [{"above": above, "false_sources": 1, "hits": 300}]
    counts = Evaluation.model_validate(evaluation(model=subject, steps=steps))
    found.path.with_name(FILE).write_text(as_json(counts), encoding="utf-8")


def test_a_transformer_from_export_to_vote(tmp_path: Path) -> None:
    (tmp_path / "vit.onnx").write_bytes(VIT)
    zoo = Zoo(tmp_path / "models", [])
    taken = import_model(zoo, tmp_path / "vit.onnx", CARD, check_confined)
    assert {"LayerNormalization", "Softmax", "Erf", "Conv"} <= set(taken.facts["operators"])
    assert taken.facts["provider"] == "CPUExecutionProvider"

    zoo = Zoo(tmp_path / "models", [])
    (shown,) = examine(settings_of(zoo), [3, 3, 3])
    assert (shown.supports, shown.log10_lr) == (Supports.NEITHER, None)
    assert "was not evaluated" in shown.finding
    assert shown.details["outcome"] == "no_vote"
    assert shown.details["score"] == pytest.approx(np.mean([span.score for span in shown.spans]), abs=1e-3)
    assert len({span.score for span in shown.spans}) == 3, "each run was looked at"

    evaluated(zoo, above=shown.details["score"] - 0.5)
    (counted,) = examine(settings_of(zoo), [3, 3, 3])
    assert counted.supports is Supports.AI
    assert counted.log10_lr is not None
    assert 1 < counted.log10_lr <= CAP_LOG10_LR["detector"]
    assert "A transformer" in counted.finding

    evaluated(zoo, above=shown.details["score"] + 0.5)
    (below,) = examine(settings_of(zoo), [3, 3, 3])
    assert (below.supports, below.log10_lr, below.details["outcome"]) == (Supports.NEITHER, None, "below")


def test_an_evaluation_of_another_file_gives_no_vote(tmp_path: Path) -> None:
    (tmp_path / "vit.onnx").write_bytes(VIT)
    import_model(Zoo(tmp_path / "models", []), tmp_path / "vit.onnx", CARD, lambda *_: {})
    evaluated(Zoo(tmp_path / "models", []), above=-99.0)
    (tmp_path / "vit.onnx").write_bytes(vit(SMALL, seed=1).SerializeToString())
    import_model(Zoo(tmp_path / "models", []), tmp_path / "vit.onnx", CARD, lambda *_: {})
    zoo = Zoo(tmp_path / "models", [])
    (found,) = zoo.installed()
    assert "another file" in zoo.vote(found.model, found.variant, cap=1.99).reason
    (evidence,) = examine(settings_of(zoo), [3])
    assert evidence.log10_lr is None
    found.path.with_name(FILE).write_text("{", encoding="utf-8")
    assert "is not JSON" in zoo.vote(found.model, found.variant, cap=1.99).reason


def changed(**changes: Any) -> Model:
    values = CARD.as_json()
    return Model.from_json(values | {key: values[key] | change for key, change in changes.items()})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"output": {"skip": 2}}, "at least 3 numbers"),
        ({"output": {"scale": "probability"}}, "gives a probability, but"),
        ({"output": {"name": "logits"}}, "Its outputs are scores"),
        ({"input": {"frames": 3}}, "card says float32"),
        ({"input": {"height": 48}}, "48"),
    ],
)
def test_a_card_that_is_not_about_the_file_is_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    (tmp_path / "vit.onnx").write_bytes(VIT)
    with pytest.raises(NotImported, match=says):
        import_model(Zoo(tmp_path / "models", []), tmp_path / "vit.onnx", changed(**changes), check_confined)


@pytest.mark.parametrize(
    ("card_changes", "runs", "size", "told"),
    [
        ({}, [1], (40, 64), True),
        ({}, [3], (20, 20), True),  # scaled up to cover the input
        ({"input": {"fit": "crop"}}, [3], (20, 64), False),
        ({"input": {"frames": 3, "layout": "BTCHW"}}, [2, 1], (40, 64), False),
    ],
)
def test_what_it_cannot_look_at_is_said_so(
    tmp_path: Path, card_changes: dict[str, Any], runs: list[int], size: tuple[int, int], told: bool
) -> None:
    detector = detector_of(tmp_path, changed(**card_changes))
    asked = [detector.ask(run, None) for run in Pictures(runs, size)]
    assert [one is not None for one in asked] == [told] * len(runs)
    assert all(detector.score(one) is not None for one in asked if one)


def detector_of(folder: Path, model: Model) -> ImportedDetector:
    """A loaded detector; one of several frames is tried with what its file takes, which is one."""
    path = folder / "model.onnx"
    path.write_bytes(VIT)
    variant = {"file": path.name, "sha256": hashlib.sha256(VIT).hexdigest(), "size": len(VIT)}
    single = Model.from_json({**CARD.as_json(), "variant": [variant]})
    detector = ImportedDetector(single, single.variants[0], path, Vote(reason="of a test"))
    detector.model = model
    return detector


def test_a_clip_that_none_can_look_at_is_skipped_with_the_reason() -> None:
    with pytest.raises(Skip, match="no run of frames"):
        examine({"models": []}, [3])


@pytest.mark.parametrize(("content", "says"), [(b"damaged", "not the file"), (None, "No such file")])
def test_a_file_that_is_not_the_one_is_named(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    values = {**CARD.as_json(), "variant": [{"file": "model.onnx", "sha256": "ab" * 32, "size": 1}]}
    model = Model.from_json(values)
    with pytest.raises(UnusableModel, match=says):
        ImportedDetector(model, model.variants[0], path, Vote())


def test_a_scan_shows_what_was_imported_and_nothing_where_nothing_was(home: Path, tmp_path: Path) -> None:
    clip, card_file = tmp_path / "clip.mp4", tmp_path / "card.toml"
    draw_clip(clip, width=320, height=180, seconds=1)
    (tmp_path / "vit.onnx").write_bytes(VIT)
    card_file.write_text(toml({k: v for k, v in CARD.as_json().items() if v not in (None, [])}))

    code, scan = run_scan(home, clip)
    assert code == 0
    assert "imported_detectors" not in (*scan["checked"], *scan["skipped"])

    env = world(home)
    words = ["models", "import", str(tmp_path / "vit.onnx"), "--card", str(card_file)]
    assert main(words, env) == 0
    assert "do not count towards the verdict" in said(env)[1]
    assert "imported, shown only" in listed(home)
    code, scan = run_scan(home, clip)
    assert code == 0
    assert "imported_detectors" in scan["checked"], scan["skipped"]
    (shown,) = [e for e in scan["evidence"] if e["details"].get("imported")]
    assert shown["log10_lr"] is None
    assert scan["models"]["vit"]["version"] == "1"
    assert scan["verdict"]["label"] == "no_signs"
    evaluated(Zoo(models_folder(env.paths)), above=shown["details"]["score"] - 0.5)
    code, scan = run_scan(home, clip)
    assert "imported, counts" in listed(home)
    (counted,) = [e for e in scan["evidence"] if e["details"].get("imported")]
    assert counted["log10_lr"] > 1
    assert scan["verdict"]["basis"] == "detector"


@pytest.mark.skipif(sys.platform == "win32", reason="workers need sockets that carry descriptors")
def test_where_it_runs_makes_no_difference(home: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    draw_clip(clip, width=320, height=180, seconds=1)
    (tmp_path / "vit.onnx").write_bytes(VIT)
    import_model(Zoo(models_folder(world(home).paths), []), tmp_path / "vit.onnx", CARD, lambda *_: {})
    told = []
    for where in ("never", "always"):
        assert main(["settings", "inference_process", where], world(home)) == 0
        code, scan = run_scan(home, clip)
        assert code == 0
        (shown,) = [e for e in scan["evidence"] if e["details"].get("imported")]
        told.append((shown["details"]["score"], len(shown["spans"]), scan["models"]["vit"]["provider"]))
        assert scan["models"]["vit"]["ms"] > 0
    assert told[0] == told[1]


def listed(home: Path) -> str:
    env = world(home)
    main(["models", "list"], env)
    return " ".join(said(env)[0].split())


def run_scan(home: Path, clip: Path) -> tuple[int, Any]:
    env = world(home)
    code = main(["scan", "--no-daemon", "--json", str(clip)], env)
    return code, json.loads(said(env)[0])
