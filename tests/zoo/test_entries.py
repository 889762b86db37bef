"""Entries and cards: what is taken, and what is said about one that is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from touchstone.zoo.entry import BadEntry, Model, read_card, read_zoo
from touchstone.zoo.registry import IMPORTED, Zoo, model_zoo, shipped_models
from zoo.shop import card, model, sha256


def toml(values: dict[str, Any]) -> str:
    """Plain values as TOML: JSON is TOML but for tables."""
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items() if key != "messages"]
    for key, table in tables.items():
        lines += [f"[{key}]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())]
    for message in values.get("messages", ()):
        lines += ["[[messages]]", *(f"{name} = {json.dumps(value)}" for name, value in message.items())]
    return "\n".join(lines)


def test_what_comes_with_the_program_is_sound() -> None:
    models = shipped_models()
    assert "rivagan" in {entry.name for entry in models}
    for entry in models:
        for variant in entry.variants:
            if variant.carried:
                content = (model_zoo() / variant.carried).read_bytes()
                assert (len(content), sha256(content)) == (variant.size, variant.sha256)
    for entry in models:
        page = (model_zoo() / str(entry.card)).read_text(encoding="utf-8")
        assert entry.version in page, f"the card of {entry.name} is about another version"
        assert entry.licence in page
        for variant in entry.variants:
            assert variant.sha256 in page, f"the card of {entry.name} does not name its {variant.name} file"


INPUT, OUTPUT = card()["input"], card()["output"]
DETECTOR = {"task": "detector", "output": {"name": "logit"}}
MESSAGE = {"name": "a", "bits": "01010101", "source": "here"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "../evil"}, "name"),
        ({"name": "Ünique"}, "name"),
        ({"version": ".."}, "version"),
        ({"task": "telepathy"}, "task"),
        ({"task": "captioner"}, "come with the program only"),
        ({"licence": None}, "licence"),
        ({"colour": "RGB"}, "colour: Extra"),
        ({"input": {**INPUT, "range": [1, 0]}}, "range is two numbers"),
        ({"input": {**INPUT, "width": 100_000}}, "input.width"),
        ({"input": {**INPUT, "layout": "CHW"}}, "input.layout"),
        ({"output": {**OUTPUT, "bits": 0}}, "output.bits"),
        ({"output": {**OUTPUT, "bits": 7}}, "at least 8 bits"),
        ({"output": {**OUTPUT, "scale": "probability"}}, "no scale"),
        ({"input": {**INPUT, "frames": 3}}, "single frames"),
        ({"input": {**INPUT, "colour": "YCbCr"}}, "has to name one of ours"),
        ({"input": {**INPUT, "std": [1, 0, 1]}}, "input.std"),
        ({"task": "detector"}, "a detector has one score"),
        ({**DETECTOR, "input": {**INPUT, "layout": "BHWC", "frames": 3}}, "no place for several frames"),
        ({**DETECTOR, "messages": [{**MESSAGE, "bits": "0"}]}, "belong to decoders"),
        ({"messages": [{**MESSAGE, "bits": "0101"}]}, "message 'a' has 4 bits, the output 8"),
        ({"messages": [{**MESSAGE, "bits": "0101010x"}]}, "messages.0.bits"),
        ({"messages": [{**MESSAGE, "ai": True}]}, "names no generator"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused_by_field(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    path = tmp_path / "card.toml"
    path.write_text(toml(card(**changes)), encoding="utf-8")
    with pytest.raises(BadEntry, match=says) as problem:
        read_card(path)
    assert str(path) in str(problem.value)


def test_a_good_card_is_read_and_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(toml(card(messages=[MESSAGE])), encoding="utf-8")
    read = read_card(path)
    assert Model.from_json(json.loads(json.dumps(read.as_json()))) == read
    assert read.input.shape(2) == (2, 3, 16, 16)


@pytest.mark.parametrize(
    ("changes", "shape", "numbers"),
    [
        ({}, (2, 3, 16, 16), 1),
        ({"layout": "BTCHW", "frames": 3}, (2, 3, 3, 16, 16), 1),
        ({"layout": "BCTHW", "frames": 5}, (2, 3, 5, 16, 16), 1),
        ({"frames": 3}, (2, 9, 16, 16), 1),
        ({"output": {"name": "logits", "scale": "classes", "skip": 1}}, (2, 3, 16, 16), 2),
    ],
)
def test_a_detector_says_what_it_takes_and_gives(
    changes: dict[str, Any], shape: tuple[int, ...], numbers: int
) -> None:
    output = changes.pop("output", DETECTOR["output"])
    entry = Model.from_json(card(task="detector", output=output, input={**INPUT, **changes}))
    assert entry.input.shape(2) == shape
    assert entry.output.numbers == numbers


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff\xfe", "is not text"), (b"a = ", "is not TOML"), (b"x" * 300_000, "larger")]
)
def test_a_card_that_is_no_page_of_toml_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "card.toml"
    path.write_bytes(content)
    with pytest.raises(BadEntry, match=says):
        read_card(path)
    with pytest.raises(BadEntry, match="No such file"):
        read_card(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("source", "extra", "says"),
    [
        ("http://models.example/m", {}, "is not https"),
        ("file:///etc/passwd", {}, "is not https"),
        ("pypi:a==1!b", {}, "needs archive_sha256"),
        ("https://models.example/m", {"file": "../m"}, "file"),
        ("https://models.example/m", {"sha256": "00"}, "sha256"),
        ("https://models.example/m", {"size": 3 << 30}, "size"),
    ],
)
def test_files_that_are_not_pinned_are_refused(source: str, extra: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        model(source, **extra)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('schema = "touchstone.zoo/9"', "touchstone.zoo/9"),
        ('schema = "touchstone.zoo/1"\n[[model]]\n' + toml(card()), "has no variant"),
    ],
)
def test_a_registry_that_is_not_one_is_refused(text: str, says: str) -> None:
    nested = text.replace("[input]", "[model.input]").replace("[output]", "[model.output]")
    with pytest.raises(BadEntry, match=says):
        read_zoo(nested, "zoo.toml")


@pytest.mark.parametrize(
    ("folder", "content"),
    [
        ("tiny/1", "not JSON"),
        ("tiny/1", json.dumps({"name": "tiny"})),
        ("elsewhere/1", json.dumps(card())),
    ],
)
def test_an_import_that_was_changed_by_hand_is_named_not_used(
    tmp_path: Path, folder: str, content: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / IMPORTED).write_text(content)
    zoo = Zoo(tmp_path, [])
    assert zoo.models == ()
    assert len(zoo.problems) == 1
    assert folder in zoo.problems[0]
