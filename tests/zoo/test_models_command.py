"""`touchstone models`, from the command line to the files."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from touchstone.cli import main, models
from touchstone.engine import models_folder, watermark_settings
from touchstone.settings import Settings
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.zoo.entry import Variant
from touchstone.zoo.fetching import FetchFailed, Progress
from zoo import decoders
from zoo.shop import card, sha256
from zoo.test_entries import toml


def world(home: Path) -> Environment:
    return Environment(
        paths=Paths.under(home), home=home, platform="linux", stdout=io.StringIO(), stderr=io.StringIO()
    )


def said(env: Environment) -> tuple[str, str]:
    assert isinstance(env.stdout, io.StringIO)
    assert isinstance(env.stderr, io.StringIO)
    return env.stdout.getvalue(), env.stderr.getvalue()


def run(home: Path, *words: str) -> tuple[int, Any]:
    """Exit code and printed JSON, or what was said where there is none."""
    env = world(home)
    code = main(["models", *words], env)
    out, err = said(env)
    return code, json.loads(out) if out.startswith(("{", "[")) else out + err


def imported(home: Path, tmp_path: Path, **changes: Any) -> tuple[int, Any]:
    (tmp_path / "d.onnx").write_bytes(decoders.decoder())
    (tmp_path / "card.toml").write_text(toml(card(**changes)), encoding="utf-8")
    return run(home, "import", str(tmp_path / "d.onnx"), "--card", str(tmp_path / "card.toml"), "--json")


def test_a_model_from_import_to_removal(home: Path, tmp_path: Path) -> None:
    code, row = imported(home, tmp_path)
    assert (code, row["name"], row["state"], row["imported"]) == (0, "tiny", "installed", True)
    assert row["facts"]["opset"] == 13
    _, listed = run(home, "list", "--json")
    others = {m["name"]: m["state"] for m in listed["models"] if not m["bundled"]}
    assert others == {"rivagan": "absent", "tiny": "installed"}
    assert "imported" in run(home, "list")[1]
    (used,) = watermark_settings(world(home), Settings())["models"]
    assert (used["model"]["name"], used["path"]) == ("tiny", row["path"])
    assert run(home, "verify")[0] == 0
    Path(row["path"]).write_bytes(b"damaged")
    code, text = run(home, "verify")
    assert code == 1
    assert row["path"] in text
    assert run(home, "remove", "tiny")[1] == "tiny: 2 files deleted\n"
    assert list(models_folder(Paths.under(home)).iterdir()) == []
    code, text = run(home, "verify")
    assert code == 0
    assert "tiny" not in text


def test_what_is_measured_is_shown(home: Path, tmp_path: Path) -> None:
    code, answer = run(home, "bench", "--json")
    assert code == 0
    assert [row["name"] for row in answer["models"]] == ["touchstone-watermark"]  # has files to choose from
    imported(home, tmp_path)
    code, answer = run(home, "bench", "--json")
    assert code == 0
    row = next(row for row in answer["models"] if row["name"] == "tiny")
    assert [one["name"] for one in run(home, "bench", "tiny", "--json")[1]["models"]] == ["tiny"]
    assert row["results"][0]["used"] == "CPUExecutionProvider"
    assert "fastest" in run(home, "bench")[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("pull", "nothing"), 2, "there are: rivagan"),
        (("pull", "rivagan", "--variant", "fp16"), 2, "it has: fp32, int8"),
        (("remove", "nothing"), 2, "there are: rivagan"),
        (("bench", "nothing"), 2, "there are: touchstone-watermark"),
        (("remove", "rivagan"), 0, "not installed"),
        (("import", "missing.onnx", "--card", "missing.toml"), 2, "missing.toml"),
    ],
)
def test_mistakes_are_named_with_the_remedy(home: Path, words: tuple[str, ...], code: int, says: str) -> None:
    found, text = run(home, *words)
    assert found == code
    assert says in text


def test_a_card_for_another_file_is_refused(home: Path, tmp_path: Path) -> None:
    code, text = imported(home, tmp_path, output={"name": "bits", "bits": 9})
    assert code == 1
    assert "at least 9 numbers" in text


@pytest.mark.parametrize("as_json", [False, True])
def test_a_fetch_that_fails_is_told(home: Path, as_json: bool) -> None:
    async def fetch(variant: Variant, target: Path, progress: Progress) -> None:
        raise FetchFailed("no network today")

    env = world(home)
    args = argparse.Namespace(name="rivagan", variant=None, json=as_json)
    assert models.run_pull(args, env, fetch) == 1
    assert said(env) == ("", "touchstone: no network today\n")


def doctor(home: Path) -> tuple[str, str]:
    """How models are, by `touchstone doctor`."""
    env = world(home)
    main(["doctor", "--json"], env)
    findings = json.loads(said(env)[0])
    (found,) = [finding for finding in findings if finding["subject"] == "models"]
    return found["health"], found["text"]


def test_doctor_names_a_damaged_model(home: Path, tmp_path: Path) -> None:
    assert doctor(home)[0] == "ok"
    _, row = imported(home, tmp_path)
    assert doctor(home) == ("ok", "installed and whole: tiny")
    Path(row["path"]).write_bytes(b"damaged")
    health, text = doctor(home)
    assert health == "problem"
    assert row["path"] in text


def test_models_that_come_with_the_program_are_listed_and_held_against_their_checksums(
    tmp_path: Path,
) -> None:
    content = decoders.decoder()
    (tmp_path / "tiny.onnx").write_bytes(content)
    entry = {
        "name": "tiny",
        "version": "1",
        "task": "detector",
        "title": "Tiny",
        "licence": "Apache-2.0",
        "variant": [{"file": "tiny.onnx", "sha256": sha256(content), "size": len(content)}],
    }
    variant = entry.pop("variant")[0]
    lines = ["[[bundled]]", toml(entry), "[[bundled.variant]]", toml(variant)]
    (tmp_path / "zoo.toml").write_text("\n".join(lines), encoding="utf-8")
    (row,) = models.bundled_rows(tmp_path)
    assert (row["name"], row["state"], row["bundled"]) == ("tiny", "installed", True)
    (tmp_path / "tiny.onnx").write_bytes(b"damaged")
    assert models.bundled_rows(tmp_path)[0]["state"] == "damaged"
    (tmp_path / "tiny.onnx").unlink()
    assert models.bundled_rows(tmp_path)[0]["state"] == "absent"
