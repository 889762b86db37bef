"""Marking files and reading them through the command line, as a user would."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy as np
import pytest

from touchstone.cli import main
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.watermark.files import CannotMark, embed
from touchstone.watermark.key import WELL_KNOWN
from watermark.pictures import textured, write


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    return Environment(
        paths=Paths.under(tmp_path / "home"),
        home=tmp_path,
        platform="linux",
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    return write(folder / "clip.mp4", textured(320, 240, 12), tone=True, title="A clip")


def said(env: Environment) -> str:
    assert isinstance(env.stdout, io.StringIO)
    text = env.stdout.getvalue()
    env.stdout.seek(0)
    env.stdout.truncate()
    return text


@pytest.mark.parametrize(
    ("suffix", "options", "statement"),
    [(".mp4", [], "marked"), (".mkv", ["--ai"], "ai_generated"), (".mov", ["--key", "own"], "marked")],
)
def test_embed_then_read(
    suffix: str, options: list[str], statement: str, clip: Path, tmp_path: Path, env: Environment
) -> None:
    target = tmp_path / f"marked{suffix}"
    assert main(["watermark", "embed", str(clip), str(target), "--payload", "00C0FFEE", *options], env) == 0
    assert "00c0ffee" in said(env)
    assert main(["watermark", "read", str(target), "--json"], env) == 0
    answer = json.loads(said(env))
    assert answer["found"] is True and answer["payload"] == "00c0ffee"
    assert answer["p_value"] < 1e-9 and answer["statement"] == statement
    assert answer["spans"][0]["start_s"] == 0.0 and len(answer["spans"]) == 1
    with av.open(str(target)) as marked:
        assert [s.type for s in marked.streams] == ["video", "audio"]
        assert marked.streams.video[0].codec_context.width == 320
        assert {k.lower(): v for k, v in marked.metadata.items()}["title"] == "A clip"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [target.name]


def test_an_unmarked_file_has_no_mark(clip: Path, env: Environment) -> None:
    assert main(["watermark", "read", str(clip), "--json"], env) == 0
    answer = json.loads(said(env))
    assert (answer["found"], answer["payload"], answer["spans"]) == (False, None, [])


def test_sound_is_carried_over_untouched(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "marked.mp4"
    embed(clip, target, 1, WELL_KNOWN)

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as file:
            return [bytes(p) for p in file.demux(file.streams.audio[0]) if p.size]

    assert packets(target) == packets(clip) != []


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p10le"])
def test_a_pixel_format_is_kept(pix_fmt: str, tmp_path: Path) -> None:
    source = write(tmp_path / "clip.mkv", textured(320, 240, 3), pix_fmt=pix_fmt)
    embed(source, tmp_path / "marked.mkv", 1, WELL_KNOWN)
    with av.open(str(tmp_path / "marked.mkv")) as file:
        assert file.streams.video[0].codec_context.pix_fmt == pix_fmt


def test_the_same_video_is_marked_the_same(clip: Path, tmp_path: Path) -> None:
    pictures = []
    for name in ("a.mp4", "b.mp4"):
        embed(clip, tmp_path / name, 5, WELL_KNOWN)
        with av.open(str(tmp_path / name)) as file:
            pictures.append([f.to_ndarray() for f in file.decode(video=0)])
    assert all(np.array_equal(a, b) for a, b in zip(*pictures, strict=True))


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("no.txt", "out.mp4", "could not be marked"),
        ("absent.mp4", "out.mp4", "could not be marked"),
        ("clip.mp4", "out.avi", "can be one of"),
        ("clip.mp4", "clip.mp4", "--force"),
    ],
)
def test_what_cannot_be_marked(name: str, target: str, reason: str, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "no.txt").write_text("no video")
    with pytest.raises(CannotMark, match=reason):
        embed(tmp_path / name, tmp_path / target, 1, WELL_KNOWN)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "no.txt"]


def test_bad_arguments(clip: Path, tmp_path: Path, env: Environment) -> None:
    assert main(["watermark", "embed", str(clip), str(tmp_path / "o.mp4"), "--payload", "12"], env) == 2
    (tmp_path / "no.mp4").write_text("no video")
    assert main(["watermark", "read", str(tmp_path / "no.mp4")], env) == 3


def test_a_key_moves_to_another_machine(clip: Path, tmp_path: Path, env: Environment) -> None:
    assert main(["watermark", "key"], env) == 1
    target = tmp_path / "marked.mp4"
    assert (
        main(["watermark", "embed", str(clip), str(target), "--key", "own", "--payload", "00000001"], env)
        == 0
    )
    said(env)
    assert main(["watermark", "key", "--export"], env) == 0
    key = tmp_path / "key.txt"
    key.write_text(said(env))
    other = Environment(
        paths=Paths.under(tmp_path / "other"),
        home=tmp_path,
        platform="linux",
        stdout=io.StringIO(),
        stderr=io.StringIO(),
    )
    assert main(["watermark", "read", str(target), "--json"], other) == 0
    assert json.loads(said(other))["found"] is False
    assert main(["watermark", "key", "--import", str(key)], other) == 0
    said(other)
    assert main(["watermark", "read", str(target), "--json"], other) == 0
    assert json.loads(said(other))["key"] == "own"
    key.write_text("0" * 64)
    assert main(["watermark", "key", "--import", str(key)], other) == 1
