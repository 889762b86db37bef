"""`touchstone evaluate` from clips to report, in confined workers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from examiners.detector.tiny_model import tiny_model
from touchstone.cli import main
from touchstone.engine import models_folder
from touchstone.model_import import import_model
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.zoo.evaluation import as_json
from touchstone.zoo.registry import Zoo
from zoo.test_imported_detector import CARD, VIT


def clip(path: Path, seed: int, noise: float, size: tuple[int, int] = (272, 480), frames: int = 8) -> None:
    """A clip of noise: what tiny_model scores by."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = size[1], size[0], "yuv420p"
        for number in range(frames):
            planes = np.full((size[0] * 3 // 2, size[1]), 128, np.uint8)
            planes[: size[0]] = np.clip(random.normal(120, noise, size), 16, 235)
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three quiet real clips of two sources, three noisy ones of two generators, and one that is no video."""
    folder = tmp_path_factory.mktemp("footage")
    for number, group in enumerate(("phone", "phone", "camera")):
        clip(folder / "real" / group / f"{number}.mp4", number, 8 + number)
    for number, group in enumerate(("wan", "wan", "veo")):
        clip(folder / "generated" / group / f"{number}.mp4", 10 + number, 20 + number)
    (folder / "generated" / "veo" / "broken.mp4").write_bytes(b"no video")
    (folder / "model.onnx").write_bytes(tiny_model())
    return folder


@pytest.fixture
def env(environment: dict[str, str], home: Path) -> Environment:
    return Environment(
        paths=Paths.under(home),
        home=home,
        platform="linux",
        environ=environment,
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )


def said(env: Environment) -> str:
    """What was printed."""
    assert isinstance(env.stdout, io.StringIO) and isinstance(env.stderr, io.StringIO)
    return env.stdout.getvalue() + env.stderr.getvalue()


def evaluate(env: Environment, footage: Path, out: Path, *more: str) -> int:
    model = ["--model", str(footage / "model.onnx")]
    return main(["evaluate", "--corpus", str(footage), "--out", str(out), *model, *more], env)


def report_in(out: Path) -> Any:
    return json.loads((out / "report.json").read_text())


def test_a_report_has_what_was_measured(env: Environment, footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = evaluate(env, footage, out, "--conditions", "as_is", "crf18")
    assert code == 3, "one clip is no video, which is told and stops nothing"
    report = report_in(out)
    assert [table["name"] for table in report["conditions"]] == ["as_is", "crf18"]
    for table in report["conditions"]:
        assert table["auc"] == 1.0
        assert table["scored"] == {"real": 3, "cgi": 0, "generated": 3}
        assert table["clips"]["generated"] == 4
        assert {row["name"] for row in table["by_generator"]} == {"wan", "veo"}
        assert table["recall"][1]["recall"] == pytest.approx(
            {"count": 3, "of": 3, "low": 0.2924, "high": 1.0, "value": 1.0}, abs=1e-4
        )
        assert not table["recall"][1]["supported"], "three real clips support no rate of 1 %"
    assert [problem["clip"] for problem in report["problems"]] == ["generated/veo/broken.mp4"] * 2
    assert "2 real sources; 59 are wanted" in report["worth"]

    assert "1.000" in (out / "report.md").read_text()
    page = (out / "report.html").read_text()
    assert page.count("<svg") >= 6
    assert "http" not in page.replace("http://www.w3.org", ""), "the page fetches nothing"
    with (out / "vidaudit" / "crf18.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["generator"], row["is_real"]) for row in rows} == {
        ("phone", "1"), ("camera", "1"), ("wan", "0"), ("veo", "0"),
    }  # fmt: skip
    assert "report.html" in said(env)


def test_what_was_looked_at_is_not_looked_at_again(env: Environment, footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluate(env, footage, out, "--conditions", "as_is")
    results = out / "results.jsonl"
    lines = results.read_text().splitlines()
    changed = json.loads(lines[0])
    changed["said"]["evidence"][0]["details"]["score"] = 1234.5
    results.write_text("\n".join([json.dumps(changed), *lines[1:], '{"cut": "off']))
    evaluate(env, footage, out, "--conditions", "as_is", "crf18", "--resume")
    report = report_in(out)
    assert report["conditions"][0]["histogram"]["edges"][-1] == pytest.approx(1234.5)
    assert report["conditions"][1]["histogram"]["edges"][-1] < 100
    evaluate(env, footage, out, "--conditions", "as_is")
    assert report_in(out)["conditions"][0]["histogram"]["edges"][-1] < 100, "without --resume, anew"


def test_groups_that_the_model_was_trained_on_are_left_out(
    env: Environment, footage: Path, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.txt"
    seen.write_text("wan\nphone\n")
    evaluate(env, footage, tmp_path / "out", "--conditions", "as_is", "--trained-on", str(seen))
    report = report_in(tmp_path / "out")
    assert report["clips"] == {"real": 1, "cgi": 0, "generated": 2}
    assert report["trained_on"] == {"real": 1, "cgi": 0, "generated": 1}


def test_each_clip_is_scored_by_the_model_of_its_fold(
    env: Environment, footage: Path, tmp_path: Path
) -> None:
    for number, gain in enumerate((1.0, 100.0)):
        (tmp_path / f"fold{number}.onnx").write_bytes(tiny_model(gain=gain))
    folds = [
        {"file": "fold0.onnx", "groups": ["phone", "wan"]},
        {"file": "fold1.onnx", "groups": ["camera"]},
    ]
    (tmp_path / "folds.json").write_text(json.dumps({"folds": folds}))
    out = tmp_path / "out"
    evaluate(env, footage, out, "--conditions", "as_is", "--folds", str(tmp_path / "folds.json"))
    report = report_in(out)
    assert report["clips"] == {"real": 3, "cgi": 0, "generated": 2}
    with (out / "vidaudit" / "as_is.csv").open() as file:
        scores = {row["generator"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores["camera"] > 10 * scores["wan"]
    calibration = json.loads((out / "calibration.json").read_text())
    assert calibration["model"]["name"] == "model", "it is for the model that --model names"
    assert calibration["trained_on"] == ["camera", "phone", "wan"], "which has met them all"


def test_nothing_is_evaluated_on_what_a_model_was_trained_on(
    env: Environment, footage: Path, tmp_path: Path
) -> None:
    (tmp_path / "seen.txt").write_text("phone\ncamera\nwan\nveo\n")
    assert evaluate(env, footage, tmp_path / "out", "--trained-on", str(tmp_path / "seen.txt")) == 2
    assert "take other footage" in said(env)


def test_an_imported_detector_gets_the_counts_that_let_it_vote(
    env: Environment, footage: Path, tmp_path: Path
) -> None:
    (tmp_path / "vit.onnx").write_bytes(VIT)
    folder = models_folder(env.paths)
    import_model(Zoo(folder, []), tmp_path / "vit.onnx", CARD, lambda *_: {})
    arguments = ["--corpus", str(footage), "--out", str(tmp_path / "out"), "--model", "vit"]
    main(["evaluate", *arguments, "--conditions", "as_is"], env)
    assert report_in(tmp_path / "out")["conditions"][0]["scored"]["generated"] == 3
    zoo = Zoo(folder, [])
    (found,) = zoo.installed()
    counts = zoo.evaluation(found.model, found.variant)
    assert counts is not None
    assert (counts.corpus.real_sources, counts.corpus.generators) == (2, 2)
    assert "2 real sources" in zoo.vote(found.model, found.variant, cap=1.99).reason
    assert (tmp_path / "out" / "evaluation.json").read_text() == as_json(counts) + "\n"


def test_other_examiners_are_measured_as_well(env: Environment, footage: Path, tmp_path: Path) -> None:
    arguments = ["--corpus", str(footage), "--out", str(tmp_path / "out"), "--examiner", "watermarks"]
    main(["evaluate", *arguments, "--conditions", "as_is"], env)
    (table,) = report_in(tmp_path / "out")["conditions"]
    assert table["auc"] == 0.5
    assert table["spoke"]["generated"]["watermarks"]["of"] == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--conditions", "crf99"], "crf99"),
        (["--model", "nobody"], "no detector 'nobody'"),
        (["--model", "gone.onnx"], "gone.onnx"),
        (["--examiner", "crystal_ball"], "crystal_ball"),
        (["--examiner", "watermarks"], "leave one of the two out"),
        (["--trained-on", "gone.txt"], "gone.txt"),
        (["--independent", "phones"], "phones"),
        (["--folds", "gone.json"], "gone.json"),
        (["--corpus", "gone"], "gone: is no folder"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    env: Environment,
    footage: Path,
    tmp_path: Path,
    arguments: Sequence[str],
    says: str,
) -> None:
    assert evaluate(env, footage, tmp_path / "out", *arguments) == 2
    assert says in said(env)


def test_a_file_of_something_else_is_not_taken_for_results(
    env: Environment, footage: Path, tmp_path: Path
) -> None:
    (tmp_path / "results.jsonl").write_text("hello\n")
    assert evaluate(env, footage, tmp_path, "--resume") == 1
    assert "line 1 is no result" in said(env)
    assert (tmp_path / "results.jsonl").read_text() == "hello\n"
