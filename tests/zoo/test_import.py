"""Importing decoders: a sound one is taken in and read with, and every other is refused with the reason."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from touchstone.model_import import NotImported, import_model
from touchstone.model_import.checker import check_confined
from touchstone.zoo.entry import Model
from touchstone.zoo.registry import Zoo
from zoo import decoders
from zoo.shop import card, model

SOUND = Model.from_json(card())


def leftovers(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


def taken_in(tmp_path: Path, content: bytes, entry: Model = SOUND, **options: Any) -> dict[str, Any]:
    """Import some bytes with the real check; what it found out."""
    file = tmp_path / "decoder.onnx"
    file.write_bytes(content)
    check = lambda path, model: check_confined(path, model, **options)  # noqa: E731
    return import_model(Zoo(tmp_path / "models", []), file, entry, check).facts


def test_a_sound_decoder_is_taken_in_with_its_card(tmp_path: Path) -> None:
    facts = taken_in(tmp_path, decoders.decoder())
    assert facts["operators"] == ["Flatten", "MatMul", "ReduceMean", "Sub"]
    assert facts["parameters"] == 8 * 3 * 16 * 16
    assert facts["provider"] == "CPUExecutionProvider"
    zoo = Zoo(tmp_path / "models", [])
    (found,) = zoo.installed()
    assert found.imported
    assert found.path.read_bytes() == decoders.decoder()
    assert zoo.state(found.model, found.variant).value == "installed"
    assert leftovers(tmp_path / "models") == ["tiny", "tiny/1", "tiny/1/model.json", "tiny/1/model.onnx"]


def archive() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("archive/data.pkl", b"")
    return data.getvalue()


REFUSED: dict[str, tuple[bytes, str]] = {
    "external data": (decoders.with_external_data(), "keeps numbers in other files"),
    "a claim of 3 GB": (decoders.with_a_false_claim(), "claims more numbers than it holds"),
    "an unknown operator": (decoders.with_operator("ReadMyFiles"), "not allowed: ReadMyFiles"),
    "an operator of another domain": (
        decoders.with_operator("Custom", "com.example"),
        "com.example.Custom",
    ),
    "random numbers": (decoders.with_operator("RandomNormalLike"), "RandomNormalLike"),
    "control flow": (decoders.with_a_loop(), "operators or graphs of its own"),
    "too old": (decoders.decoder(opset=6), "operator set 6"),
    "another size": (decoders.decoder(shape=["batch", 3, 32, 32]), "16, 16"),
    "another number of axes": (decoders.decoder(shape=["batch", 3, 1, 16, 16]), "card says float32"),
    "whole numbers": (decoders.decoder(kind=7), "another type of number"),
    "another output": (decoders.decoder(output="mean"), "Its outputs are mean"),
    "the wrong number of bits": (decoders.with_operator("Identity"), "an array of shape"),
    "a terabyte at run time": (decoders.with_huge_output(), "does not run|does not load|did not survive"),
    "no numbers": (decoders.with_numbers_that_are_none(), "not finite"),
    "a pickle": (pickle.dumps({"weights": [1, 2, 3]}), "pickle"),
    "a PyTorch file": (archive(), "PyTorch"),
    "text": (b"this is not a model", "not an ONNX file"),
    "one cut off": (decoders.decoder()[:-100], "not an ONNX file"),
    "an empty graph": (decoders.model_bytes([]), "no ONNX graph"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_must_not_be_let_in_is_refused_with_the_reason(tmp_path: Path, what: str) -> None:
    content, says = REFUSED[what]
    with pytest.raises(NotImported, match=says) as problem:
        taken_in(tmp_path, content)
    assert str(tmp_path / "decoder.onnx") in str(problem.value)
    assert not (tmp_path / "models").exists() or leftovers(tmp_path / "models") == []


def test_a_file_of_three_gigabytes_is_not_even_copied(tmp_path: Path) -> None:
    file = tmp_path / "huge.onnx"
    with file.open("wb") as hole:
        hole.truncate(3 << 30)
    with pytest.raises(NotImported, match="3072 MiB"):
        import_model(Zoo(tmp_path / "models", []), file, SOUND, lambda *_: pytest.fail("was looked at"))
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("name", ["missing.onnx", "."])
def test_what_is_no_file_is_said_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotImported, match=r"No such file|not a file"):
        import_model(Zoo(tmp_path / "models", []), tmp_path / name, SOUND, lambda *_: {})


def test_names_of_the_zoo_are_taken(tmp_path: Path) -> None:
    with pytest.raises(NotImported, match="another name"):
        import_model(Zoo(tmp_path, [model("https://models.example/m")]), tmp_path / "m", SOUND, lambda *_: {})


def test_names_of_models_that_come_with_the_program_are_taken(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(decoders.decoder())
    zoo = Zoo(tmp_path / "models", [])
    with pytest.raises(NotImported, match="another name"):
        import_model(zoo, tmp_path / "m", SOUND, lambda *_: {}, reserved={"tiny"})
    assert import_model(zoo, tmp_path / "m", SOUND, lambda *_: {}, reserved={"other"}).model.name == "tiny"


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(NotImported, match="more than 1 seconds"):
        taken_in(tmp_path, decoders.decoder(), start=["/bin/sleep", "60"], seconds=1.0)


def test_a_process_that_dies_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotImported, match="did not survive"):
        taken_in(tmp_path, decoders.decoder(), start=["/bin/false"], seconds=20.0)


def test_a_new_import_replaces_the_old_one(tmp_path: Path) -> None:
    taken_in(tmp_path, decoders.decoder())
    taken_in(tmp_path, decoders.decoder(opset=14))
    (found,) = Zoo(tmp_path / "models", []).installed()
    assert found.path.read_bytes() == decoders.decoder(opset=14)
    stored = json.loads((found.path.parent / "model.json").read_text(encoding="utf-8"))
    assert stored["variant"][0]["sha256"] == found.variant.sha256
