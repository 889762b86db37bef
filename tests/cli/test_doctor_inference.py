"""What `doctor` says of where models run: what was measured, and every provider that falls back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from touchstone.cli import main
from touchstone.cli.doctor_inference import fallbacks
from touchstone.engine import chosen_bundled, load_settings, measure_installed, models_folder, placed_models
from touchstone.model_import import import_model
from touchstone.zoo.entry import Model, Task
from touchstone.zoo.registry import Zoo
from zoo import decoders
from zoo.shop import card
from zoo.test_models_command import said, world

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
FELL_BACK = {"variant": "int8", "provider": CUDA, "problem": "falls back to CPUExecutionProvider (no libX)"}


@pytest.mark.parametrize(
    ("rows", "devices", "told"),
    [
        ([FELL_BACK], ["card0 10de:2330"], ["tiny (int8) does not run on CUDA: falls back"]),
        ([FELL_BACK], [], []),  # no card, no news
        ([FELL_BACK | {"problem": None}], ["card0"], []),
        ([FELL_BACK | {"provider": CPU}], ["card0"], []),
        ([], ["card0"], []),
    ],
)
def test_a_card_that_is_not_used_is_never_hidden(
    rows: list[dict[str, Any]], devices: list[str], told: list[str]
) -> None:
    found = list(fallbacks({"tiny": rows}, devices))
    assert len(found) == len(told)
    assert all(text.startswith(begin) for text, begin in zip(found, told, strict=True))


def findings(home: Path) -> list[tuple[str, str, str | None]]:
    """Health, text and remedy of what doctor says of providers."""
    env = world(home)
    main(["doctor", "--json"], env)
    rows = json.loads(said(env)[0])
    return [(row["health"], row["text"], row["remedy"]) for row in rows if row["subject"] == "providers"]


def test_doctor_tells_what_runs_where_and_on_what_it_rests(home: Path, tmp_path: Path) -> None:
    ((health, text, remedy),) = findings(home)
    assert (health, remedy) == ("ok", None), "what comes with the program is not the user's to measure"
    assert text.startswith("touchstone-watermark runs as int8 on CPU") and ";" not in text
    assert text.endswith("until the daemon has measured it after its first scan")

    env = world(home)
    (tmp_path / "decoder.onnx").write_bytes(decoders.decoder())
    zoo = Zoo(models_folder(env.paths), [])
    import_model(zoo, tmp_path / "decoder.onnx", Model.from_json(card()), lambda *_: {})
    ((health, text, remedy),) = findings(home)
    assert health == "note"
    assert "was not measured yet" in text
    assert "models bench" in str(remedy)

    settings = load_settings(env)
    assert asyncio.run(measure_installed(env, settings))
    assert not asyncio.run(measure_installed(env, settings)), "once is enough"
    assert placed_models(env, settings, Task.WATERMARK_DECODER)["tiny"].measured
    assert chosen_bundled(env.paths)["touchstone-watermark"].measured
    health, text, remedy = findings(home)[0]
    assert (health, remedy) == ("ok", None)
    assert text.startswith("tiny runs as fp32 on CPU, in the confined process that reads the video, 0.")


def test_a_provider_that_is_asked_for_and_not_used_is_told_without_a_card(home: Path, tmp_path: Path) -> None:
    env = world(home)
    content, path = decoders.decoder(), tmp_path / "detector.onnx"
    path.write_bytes(content)
    detector = card(task="detector", output={"name": "bits", "bits": 1}, messages=[])
    import_model(Zoo(models_folder(env.paths), []), path, Model.from_json(detector), lambda *_: {})
    assert main(["settings", "provider", "openvino"], world(home)) == 0
    told = [(text, remedy) for _, text, remedy in findings(home)]
    assert any("does not run on openvino, which the settings ask for" in text for text, _ in told)
    assert any("settings provider --reset" in str(remedy) for _, remedy in told)
