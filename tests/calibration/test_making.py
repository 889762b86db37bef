"""A calibration from clips to page, in confined workers, with small examiners in place of the real ones."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from evaluation.test_evaluate import clip
from examiners.detector.tiny_model import tiny_model
from touchstone.calibration.in_force import in_force
from touchstone.calibration.kept import PAGE, REPORT
from touchstone.calibration.making.autoencoders import FramesThroughLatents
from touchstone.calibration.making.plan import Plan
from touchstone.calibration.making.treatments import WIDEST, middle, treatment_of
from touchstone.calibration.making.whole import Asked, Tools
from touchstone.calibration.making.worker import build
from touchstone.calibration_in_force import calibrations_of
from touchstone.cli import build_parser, main
from touchstone.cli.calibrate import make
from touchstone.evaluation.conditions import Encode
from touchstone.evaluation.encoding import write
from touchstone.evaluation.subjects import subject_of
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths, make_private_dir
from touchstone.zoo.evaluation import Subject
from touchstone.zoo.registry import Zoo

PLAN = Plan(("as_is", "crf28"), 2, 2, rendered=0, generated=1, marked=1, pairs=0)


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of quiet real clips, a corpus with noisy ones, and a detector that scores by noise."""
    folder = tmp_path_factory.mktemp("footage")
    for number, name in enumerate(("phone/0.mp4", "phone/1.mp4", "drone/2.mp4", "3.mp4")):
        clip(folder / "mine" / name, number, 8 + number)
    for number, group in enumerate(("wan", "wan", "veo")):
        clip(folder / "corpus" / "generated" / group / f"{number}.mp4", 10 + number, 20 + number)
    clip(folder / "corpus" / "real" / "uploader" / "9.mp4", 20, 9)
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


def noisy(seed: int, width: int, height: int, target: Path) -> None:
    """A generator of noise."""
    clip(target, seed, 25.0, (height, width), frames=5)


def run(env: Environment, footage: Path, *arguments: str, **changes: Any) -> int:
    """`touchstone calibrate` with small examiners: labels, and a detector that scores by noise."""
    args: argparse.Namespace = build_parser().parse_args(["calibrate", *arguments])
    kept = calibrations_of(env.paths)
    make_private_dir(env.paths.data_dir)
    make_private_dir(kept.folder)
    make_private_dir(kept.work)
    asked = Asked(footage / "mine", footage / "corpus", (), changes.pop("plan", PLAN), **changes)
    detector = subject_of(str(footage / "model.onnx"), Zoo(env.paths.data_dir / "models", []))
    models = [Subject.model_validate(detector.model)]
    return make(asked, Tools(models, {}, detector, {}, noisy, names=["labels"]), args, env, kept)


def test_a_calibration_comes_with_its_report_and_is_in_force(env: Environment, footage: Path) -> None:
    assert run(env, footage) == 0
    kept = calibrations_of(env.paths)
    (name,) = kept.ids()
    assert kept.active == name
    made = kept.read(name)
    assert (made.data.real.clips, made.data.real.sources) == (5, 4)  # two folders, loose ones, an uploader
    assert (made.data.generated.clips, made.data.generated.sources) == (4, 3)
    assert made.data.made == 1
    assert made.data.complete
    assert made.detector is not None
    assert made.detector.conditions[0].sources == 4
    assert "4 sources" in made.detector_reason
    assert not made.changes, "four sources are too few for anything"
    report = json.loads((kept.folder / name / REPORT).read_text())
    tables = report["detector"]["conditions"]
    assert [table["auc"] for table in tables] == [1.0, 1.0]
    alarms = {(row["condition"], row["examiner"]): row for row in report["false_alarms"]}
    assert set(alarms) == {(c, e) for c in ("as_is", "crf28") for e in ("watermarks", "detector")}
    assert alarms["crf28", "watermarks"]["read"]["of"] == 1, "a marked copy was looked at"
    assert alarms["as_is", "detector"]["false"]["of"] == 4
    assert report["verdicts"][0]["labels"] == {"no_signs": 5}
    page = (kept.folder / name / PAGE).read_text()
    assert page.count("<svg") == 5  # bars, reliability, coverage, and a ROC curve for each condition
    assert "http" not in page.replace("http://www.w3.org", ""), "the page fetches nothing"
    assert str(footage) not in page + json.dumps(report), "no folder of this computer is told"
    assert f"Scans are weighed by {name} from now on." in said(env)
    sha256 = made.models[0].sha256
    assert in_force(kept, {"model": sha256}).id == name
    assert "another model" in in_force(kept, {"model": "0" * 64}).refused


def test_a_run_that_was_ended_goes_on_where_it_was(env: Environment, footage: Path) -> None:
    work = calibrations_of(env.paths).work
    run(env, footage, "--no-use", minutes=1e-9)
    kept = calibrations_of(env.paths)
    (first,) = kept.ids()
    assert not kept.read(first).data.complete
    assert "time ran out" in said(env)
    run(env, footage, "--no-use")
    lines = (work / "results.jsonl").read_text().splitlines()
    assert len(lines) == 2 * 2 * 9 + 2  # clips by marks and by detector, and a marked copy, in two conditions
    changed = [json.loads(line) for line in lines]
    for line in changed:
        for evidence in line.get("said", {}).get("evidence", []):
            evidence["details"]["score"] = 77.0
    (work / "results.jsonl").write_text("\n".join(map(json.dumps, changed)) + "\n")
    run(env, footage, "--no-use")
    assert kept.active == "shipped"
    edges = {
        json.loads((kept.folder / name / REPORT).read_text())["detector"]["conditions"][0]["histogram"][
            "edges"
        ][-1]
        for name in kept.ids()
        if kept.read(name).data.complete
    }
    assert 77 in {round(edge) for edge in edges}, "what is kept is not looked at again"
    run(env, footage, "--no-use", "--fresh", minutes=1e-9)
    assert "77.0" not in (work / "results.jsonl").read_text()


def test_a_damaged_file_of_an_earlier_run_is_told(env: Environment, footage: Path) -> None:
    work = calibrations_of(env.paths).work
    work.mkdir(parents=True)
    (work / "results.jsonl").write_text("hello\n")
    code = main(["calibrate", "--real", str(footage / "mine"), "--no-generate", "--minutes", "0.001"], env)
    assert code == 1
    assert "--fresh" in said(env)
    assert calibrations_of(env.paths).ids() == []


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--real", "gone"], 2, "gone: is no folder"),
        (["--real", "."], 2, "has no videos"),
        (["--corpus", "."], 2, "neither manifest.csv nor folders"),
        (["--use", "nobody"], 2, "no calibration 'nobody'; there are: shipped"),
        (["--rollback"], 2, "no other calibration was in use"),
        (["--list"], 0, "No calibration was made on this computer"),
        (["--list", "--real", "."], 2, "--list does not go with --real"),
        (["--show"], 0, "what came with Touchstone"),
    ],
)
def test_what_cannot_be_done_is_said(
    env: Environment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    says: str,
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert main(["calibrate", *arguments, "--no-generate"], env) == code
    assert says in said(env)


def test_a_second_run_at_once_is_turned_away(env: Environment, footage: Path) -> None:
    from touchstone.system.locks import file_lock

    with file_lock(calibrations_of(env.paths).work / "lock", wait_s=1):
        assert main(["calibrate", "--real", str(footage / "mine"), "--no-generate"], env) == 1
    assert "another calibration is running" in said(env)


def noise(height: int, width: int, count: int) -> Iterator[VideoFrame]:
    random = np.random.default_rng(0)
    for _ in range(count):
        yield VideoFrame.from_ndarray(random.integers(0, 255, (height, width, 3), np.uint8), "rgb24")


class Halving:
    """An autoencoder that keeps every other number; its latents have one row of pixels each."""

    def encode(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        for frame in frames:
            yield frame[::2].astype(np.float32)

    def decode(self, latents: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.uint8]]:
        for latent in latents:
            yield np.repeat(latent, 2, axis=0).astype(np.uint8)


def test_a_clip_and_its_reconstruction_show_the_same_cut() -> None:
    settings = {"autoencoders": {"half": {"path": "half.onnx", "loader": "anything"}}}
    shapes = []
    for name in ("cropped", "decoder:half"):
        treat = treatment_of(name, settings, lambda _: lambda _: Halving())
        shapes.append([(f.height, f.width) for f in treat(noise(400, 700, 3))])
    assert shapes[0] == shapes[1] == [(288, 480)] * 3
    with pytest.raises(KeyError):
        treatment_of("decoder:other", settings, lambda _: lambda _: Halving())


@pytest.mark.parametrize(
    ("size", "expected"), [((1080, 1920), WIDEST[::-1]), ((1920, 1080), WIDEST), ((100, 150), (96, 144))]
)
def test_the_middle_is_cut_to_sides_that_autoencoders_take(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert middle(np.zeros((*size, 3), np.uint8)).shape[:2] == expected


class Counting:
    """Stands in for the generator's networks."""

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert (len(frames) - 1) % 4 == 0
        return np.zeros((1 + len(frames) // 4, 1, 1, 1), np.float32)

    def decode(self, latents: NDArray[np.float32]) -> Iterator[NDArray[np.uint8]]:
        for number in range(len(latents)):
            yield np.zeros((4 if number else 1, 16, 16, 3), np.uint8)


@pytest.mark.parametrize(("frames", "expected"), [(0, 0), (1, 1), (4, 1), (5, 5), (24, 21)])
def test_autoencoders_take_the_first_frame_and_whole_groups_of_four(frames: int, expected: int) -> None:
    coder = FramesThroughLatents(Counting())  # type: ignore[arg-type]
    pictures = [np.zeros((16, 16, 3), np.uint8)] * frames
    assert len(list(coder.decode(coder.encode(pictures)))) == expected


def test_a_marked_copy_carries_our_watermark(tmp_path: Path) -> None:
    from touchstone.media.workers import Found, OpenMaterial, examine_opened

    content = write(noise(288, 512, 9), Encode(18), Fraction(24))
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    marks = {"watermarks": {"only_touchstone": True, "touchstone": {"keys": [], "model": None}}}
    settings = {"examiners": ["watermarks"], "settings": marks, "frames": 9, "treatments": {}}
    for (plain,), read in ((build(["crf23"], settings), 0), (build(["marked/crf23"], settings), 1)):
        with path.open("rb") as file:
            messages = list(examine_opened(OpenMaterial(file, len(content)), [plain]))
        (found,) = (m.evidence.details["evidence"] for m in messages if isinstance(m, Found))
        assert len([e for e in found if e["supports"] == "ai"]) == read
